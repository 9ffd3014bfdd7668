import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createPrometheusMetrics, type HttpServer, startHttpServer } from '../../../adapters/http/index.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'

let reasons: string[] = []

async function start(t: Test): Promise<{ server: HttpServer; base: string }> {
  const server = await startHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    metrics: createPrometheusMetrics(),
    readiness: async () => reasons,
    status: () => ({ 'node id': 1, zone: null, store: '<b>&' }),
    logger: NO_LOGGER,
  })
  t.teardown(() => server.close())
  return { server, base: `http://127.0.0.1:${server.address.port}` }
}

t.beforeEach(() => {
  reasons = []
})

t.test('health, readiness, metrics, status', async (t) => {
  const { base } = await start(t)
  t.equal(await (await fetch(`${base}/healthz`)).text(), 'ok\n')
  t.equal((await fetch(`${base}/readyz?x=1`)).status, 200)
  const metrics = await fetch(`${base}/metrics`)
  t.match(metrics.headers.get('content-type'), 'text/plain; version=0.0.4')
  t.match(await metrics.text(), '# TYPE headrace_write_stage_seconds histogram')
  const page = await (await fetch(base)).text()
  t.match(page, '&#60;b&#62;&#38;', 'facts are escaped')
  t.match(page, 'Ready.')
})

t.test('not ready answers 503 with the reasons, and health stays', async (t) => {
  const { base } = await start(t)
  reasons = ['catalog: gone']
  const ready = await fetch(`${base}/readyz`)
  t.equal(ready.status, 503)
  t.equal(await ready.text(), 'not ready\ncatalog: gone\n')
  t.equal((await fetch(`${base}/healthz`)).status, 200)
  t.match(await (await fetch(base)).text(), '<li>catalog: gone')
})

t.test('HEAD has no body; other methods and paths are refused', async (t) => {
  const { base } = await start(t)
  const head = await fetch(`${base}/healthz`, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), '3')
  t.equal(await head.text(), '')
  const post = await fetch(`${base}/healthz`, { method: 'POST', body: 'x'.repeat(1000) })
  t.equal(post.status, 405)
  t.equal(post.headers.get('allow'), 'GET, HEAD')
  t.equal((await fetch(`${base}/secret`)).status, 404)
})

t.test('large headers are refused', async (t) => {
  const { base } = await start(t)
  t.equal((await fetch(base, { headers: { 'x-large': 'x'.repeat(10_000) } })).status, 431)
})

t.test('a taken port rejects with EADDRINUSE', async (t) => {
  const { server } = await start(t)
  const metrics = createPrometheusMetrics()
  const listen = server.address
  const second = startHttpServer({ listen, metrics, readiness: async () => [], status: () => ({}), logger: NO_LOGGER })
  await t.rejects(second, { code: 'EADDRINUSE' })
})

t.test('close ends open connections and may be called twice', async (t) => {
  const { server } = await start(t)
  const socket = connect(server.address.port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  await server.close()
  await closed
  await server.close()
  t.ok(socket.destroyed)
})
