import type { Socket } from 'node:net'

/** A response frame; null: the request gets none (acks=0). */
export type Frame = readonly Uint8Array[] | null

/**
 * The responses of one connection. They leave in the order in which their requests came, however they become ready, and
 * only as fast as the client takes them. A response that fails ends the connection in its turn: Kafka has no frame
 * that says "this request failed", and clients match responses by order.
 */
export class ResponseQueue {
  readonly #socket: Socket
  readonly #options: ResponseQueueOptions
  readonly #waiting: Waiting[] = []
  #pumping = false
  #closed = false
  #roomWaiters: (() => void)[] = []

  constructor(socket: Socket, options: ResponseQueueOptions) {
    this.#socket = socket
    this.#options = options
  }

  get pending(): number {
    return this.#waiting.length
  }

  /**
   * Takes the next request's response. The promise settles when the kernel has all of it, or never will: until then its memory must
   * not change.
   */
  push(response: Promise<Frame>): Promise<void> {
    // It is awaited in its turn; until then nobody else looks at its failure.
    response.catch(() => {})
    return new Promise((done) => {
      if (this.#closed) {
        done()
        return
      }
      this.#waiting.push({ response, done })
      if (!this.#pumping) void this.#pump()
    })
  }

  /** Resolves when at most `pendingMax` responses are waiting, or the queue is closed. */
  async drained(pendingMax: number): Promise<void> {
    while (this.#waiting.length > pendingMax && !this.#closed) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    }
  }

  /** What has not been written is dropped. Idempotent. */
  close(): void {
    this.#closed = true
    for (const { done } of this.#waiting.splice(0)) done()
    this.#wakeRoomWaiters()
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    try {
      for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
        const frame = await head.response
        if (this.#closed) return
        if (frame === null) head.done()
        else await this.#write(frame, head.done)
        if (this.#closed) return
        this.#waiting.shift()
        this.#wakeRoomWaiters()
      }
    } catch (error) {
      if (!this.#closed) this.#options.onFailure(error)
    } finally {
      this.#pumping = false
    }
  }

  /** Waits until there is room for more; `done` is called when the kernel has all of it, or never will. */
  async #write(frame: readonly Uint8Array[], done: () => void): Promise<void> {
    const { length } = frame
    this.#socket.cork()
    let bytes = 0
    let room = true
    for (let index = 0; index < length; index++) {
      const chunk = frame[index]!
      bytes += chunk.byteLength
      room = index === length - 1 ? this.#socket.write(chunk, done) : this.#socket.write(chunk)
    }
    this.#socket.uncork()
    this.#options.onWritten(bytes)
    if (!room) await drainOf(this.#socket, this.#options)
  }

  #wakeRoomWaiters(): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const wake of waiters) wake()
  }
}

export interface ResponseQueueOptions {
  /** A client that has not taken a response after this long is given up. */
  readonly stallTimeoutMs: number
  /** A client that takes nothing of a response for this long is given up while `isMemoryWanted`. */
  readonly wantedStallTimeoutMs: number
  /** Whether others wait for the memory that responses hold. */
  readonly isMemoryWanted: () => boolean
  readonly onWritten: (bytes: number) => void
  readonly onFailure: (error: unknown) => void
}

interface Waiting {
  readonly response: Promise<Frame>
  readonly done: () => void
}

export class ResponseStalledError extends Error {
  override readonly name = 'ResponseStalledError'
}

/**
 * Resolves once the socket has taken everything, or has closed. Rejects after `stallTimeoutMs`, and as soon as nothing got through
 * for `wantedStallTimeoutMs` (which is what a socket's own timeout looks at) while others wait for memory.
 */
function drainOf(socket: Socket, options: ResponseQueueOptions): Promise<void> {
  const { stallTimeoutMs, wantedStallTimeoutMs, isMemoryWanted } = options
  return new Promise((resolve, reject) => {
    if (socket.destroyed) {
      resolve()
      return
    }
    const settle = (error?: Error) => {
      clearTimeout(timer)
      socket.setTimeout(0)
      socket.off('timeout', stalled)
      socket.off('drain', drained)
      socket.off('close', drained)
      if (error === undefined) resolve()
      else reject(error)
    }
    const drained = () => settle()
    const stalled = () => {
      if (!isMemoryWanted()) socket.setTimeout(wantedStallTimeoutMs)
      else {
        const text = `The client took nothing of a response for ${wantedStallTimeoutMs} ms, while others waited for memory`
        settle(new ResponseStalledError(text))
      }
    }
    const timer = setTimeout(
      () => settle(new ResponseStalledError(`The client took no response for ${stallTimeoutMs} ms`)),
      stallTimeoutMs,
    )
    socket.setTimeout(wantedStallTimeoutMs)
    socket.on('timeout', stalled)
    socket.on('drain', drained)
    socket.on('close', drained)
  })
}
