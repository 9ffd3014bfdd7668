import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../../engine/ports/logger.js'
import type { HostPort } from '../config/index.js'
import type { PrometheusMetrics } from './metrics.js'
import type { Readiness } from './readiness.js'
import { renderStatusPage, type StatusFacts } from './status-page.js'

export interface HttpServerOptions {
  readonly listen: HostPort
  readonly metrics: PrometheusMetrics
  readonly readiness: Readiness
  /** Read at each request for `/`. */
  readonly status: () => StatusFacts
  readonly logger: Logger
}

/** Owns its socket; `close` ends open connections and may be called twice. */
export interface HttpServer {
  readonly address: HostPort
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

const TEXT = 'text/plain; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

/**
 * Health, readiness, metrics and a status page. Reads no request bodies; connections, headers and idle time are bounded.
 * Resolves once bound; rejects with the socket's error (`EADDRINUSE`, …).
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 5_000 },
    (request, response) => {
      respond(request, response, options).catch((error: unknown) => {
        options.logger.error({ error, path: request.url }, 'An HTTP request failed')
        send(request, response, { status: 500, contentType: TEXT, body: 'internal error\n' })
      })
    },
  )
  server.maxConnections = 128
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen.port, options.listen.host, resolve)
  })
  // Without a listener an error of a bound server (no file descriptor left, say) would stop the agent.
  server.on('error', (error) => options.logger.warn({ error }, 'The HTTP listener reported an error'))
  const bound = server.address() as AddressInfo
  return {
    address: { host: bound.address, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(request: IncomingMessage, response: ServerResponse, options: HttpServerOptions): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    send(request, response, { status: 405, contentType: TEXT, body: 'only GET and HEAD\n' })
    return
  }
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  send(request, response, await answer(path, options))
}

async function answer(path: string, options: HttpServerOptions): Promise<Answer> {
  switch (path) {
    case '/healthz':
      return { status: 200, contentType: TEXT, body: 'ok\n' }
    case '/readyz': {
      const reasons = await options.readiness()
      if (reasons.length === 0) return { status: 200, contentType: TEXT, body: 'ready\n' }
      return { status: 503, contentType: TEXT, body: `not ready\n${reasons.map((reason) => `${reason}\n`).join('')}` }
    }
    case '/metrics':
      return { status: 200, contentType: options.metrics.contentType, body: await options.metrics.render() }
    case '/':
      return { status: 200, contentType: HTML, body: renderStatusPage(options.status(), await options.readiness()) }
    default:
      return { status: 404, contentType: TEXT, body: 'try / or /healthz, /readyz, /metrics\n' }
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: Answer): void {
  if (response.headersSent || response.destroyed) return
  // Nobody sends a body here that we would read: the connection ends rather than skip one.
  if (request.method !== 'GET' && request.method !== 'HEAD') response.setHeader('connection', 'close')
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
