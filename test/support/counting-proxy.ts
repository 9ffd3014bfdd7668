import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An HTTP proxy before one server that remembers the method of every request, and can play a server that hangs. */
export interface CountingProxy {
  readonly endpoint: string
  /** `GET`, `PUT`, …, in order of arrival. */
  readonly methods: string[]
  /** How many had one of these methods. */
  countOf(this: void, ...wanted: readonly string[]): number
  /** How many of them listed a bucket: GETs that S3 charges as writes. */
  readonly listCount: number
  /** From now on requests are taken and never answered. */
  stall(): void
  close(): Promise<void>
}

/** Passes everything on as it is, the Host header with it: signatures cover it. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target)
  const methods: string[] = []
  let listCount = 0
  let stalled = false
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path, headers } = incoming
    methods.push(method)
    if (method === 'GET' && path?.includes('list-type=')) listCount++
    if (stalled) return
    const forwarded = request({ hostname, port, method, path, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    methods,
    countOf: (...wanted) => methods.filter((method) => wanted.includes(method)).length,
    get listCount() {
      return listCount
    },
    stall() {
      stalled = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
