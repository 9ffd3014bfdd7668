import { createServer } from 'node:net'

/**
 * A port of the loopback interface that was free a moment ago: for a process that is to come back on the port it had.
 * Where it need not come back, port 0 is the better choice.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
