import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP proxy on loopback that lets only so much through to its server, over all connections; answers pass as they are. */
export interface ThrottledProxy {
  readonly port: number
  /** Bytes that went to the server. */
  readonly passedBytes: number
  close(): Promise<void>
}

/** How much may have been saved up by not sending. */
const BURST_SECONDS = 0.05

export async function startThrottledProxy(target: {
  readonly host: string
  readonly port: number
  readonly bytesPerSecond: number
}): Promise<ThrottledProxy> {
  const sockets = new Set<Socket>()
  const limit = new RateLimit(target.bytesPerSecond)
  let passedBytes = 0
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => {
      // Nothing is kept here but the piece that waits: the client's socket stands still meanwhile.
      client.pause()
      void limit.take(bytes.byteLength).then(() => {
        passedBytes += bytes.byteLength
        upstream.write(bytes)
        client.resume()
      })
    })
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get passedBytes() {
      return passedBytes
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A token bucket whose takers wait in order. */
class RateLimit {
  readonly #perSecond: number
  #freeAtMs = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  take(count: number): Promise<unknown> {
    this.#turn = this.#turn.then(() => {
      const nowMs = performance.now()
      this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - 1000 * BURST_SECONDS) + (1000 * count) / this.#perSecond
      const waitMs = this.#freeAtMs - nowMs
      return waitMs > 0 ? sleep(waitMs) : undefined
    })
    return this.#turn
  }
}
