import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startAgentProcess } from '../../support/agent-process.js'
import { startS3Server, useS3Credentials } from '../../support/s3-server.js'

/** The built command with a real agent behind it. */

const MAIN = fileURLToPath(new URL('../../../adapters/cli/main.js', import.meta.url))

function stores(t: Test): string[] {
  const directory = t.testdir({})
  return ['--object-store', `file://${directory}/objects`, '--catalog', `sqlite://${directory}/catalog.db`]
}

const OPTIONS = { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const

/** For commands that end by themselves. */
function runToEnd(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], OPTIONS)
  return { status, stdout, stderr }
}

t.test('an agent says where it is, answers over HTTP, and stops in order', async (t) => {
  const agent = await startAgentProcess({ args: [...stores(t), '--zone', 'a'] })
  t.teardown(() => agent.stop())
  const base = `http://127.0.0.1:${agent.httpPort}`
  t.equal(await (await fetch(`${base}/healthz`)).text(), 'ok\n')
  const ready = await fetch(`${base}/readyz`)
  t.equal(ready.status, 200, await ready.text())
  t.match(await (await fetch(`${base}/metrics`)).text(), 'headrace_arena_bytes_max')
  t.match(await (await fetch(base)).text(), /node id.*file:.*sqlite:/s)
  t.match(agent.logs(), /"level":"info".*"nodeId":\d+.*"message":"agent started"/)
  t.strictSame(await agent.stop(), { code: 0, signal: null })
})

t.test('a wrong setting', async (t) => {
  const { status, stderr } = runToEnd(['agent', ...stores(t), '--http', 'on'])
  t.equal(stderr, 'headrace: --http: got "on", expected HOST:PORT, such as 127.0.0.1:9080, or off\n')
  t.equal(status, 1)
})

t.test('a port in use, for Kafka or for HTTP, is one line', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const address = taken.address()
  const place = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  for (const args of [
    ['--listen', place, '--http', 'off'],
    ['--listen', '127.0.0.1:0', '--http', place],
  ]) {
    const { status, stderr } = runToEnd(['agent', '--log-level', 'error', ...stores(t), ...args])
    t.match(stderr, new RegExp(`^headrace: cannot listen on ${place}: the port is in use; .*\n$`))
    t.equal(status, 1)
  }
})

t.test('stores that cannot be reached are one line, without credentials', async (t) => {
  const directory = t.testdir({ file: 'not a directory' })
  const objectStore = `file://${directory}/objects`
  const catalog = `sqlite://${directory}/catalog.db`
  const base = ['agent', '--log-level', 'error', '--listen', '127.0.0.1:0', '--http', 'off']
  const cases: readonly [objectStore: string, catalog: string, message: RegExp][] = [
    [objectStore, 'mysql://root:hunter2@127.0.0.1:1/headrace', /^headrace: .*127\.0\.0\.1:1.*\n$/],
    [objectStore, `sqlite://${directory}/file/catalog.db`, /^headrace: .*\/file\/.*\n$/],
    [`file://${directory}/file/objects`, catalog, /^headrace: .*\/file\/.*\n$/],
  ]
  for (const [objects, rows, message] of cases) {
    const { status, stderr } = runToEnd([...base, '--object-store', objects, '--catalog', rows])
    t.match(stderr, message)
    t.notMatch(stderr, 'hunter2')
    t.equal(status, 1)
  }
})

t.test('a bucket that does not exist is one line', async (t) => {
  const server = await startS3Server()
  t.teardown(() => server.stop())
  useS3Credentials()
  const [, , , catalog = ''] = stores(t)
  const objects = server.url.replace(server.bucket, 'no-such-bucket')
  const places = ['--object-store', objects, '--catalog', catalog, '--listen', '127.0.0.1:0', '--http', 'off']
  const { status, stderr } = runToEnd(['agent', '--log-level', 'error', ...places])
  t.match(stderr, /^headrace: .*no-such-bucket.*the bucket does not exist; create it or correct the URL.*\n$/)
  t.equal(status, 1)
})
