/**
 * Frames up to this size need no share of the budget: a connection's socket buffers hold as much anyway, and small
 * requests (fetches, metadata) must not wait behind producers that are being slowed down.
 */
export const FRAME_BYTES_FREE = 64 << 10

/**
 * The memory all connections together may fill with request frames that no handler has consumed. A connection takes its
 * frame's declared size before it reads the body, and waits for it in order of arrival with its socket paused.
 */
export class FrameBudget {
  readonly #bytesMax: number
  #bytesInUse = 0
  readonly #waiters = new Set<Waiter>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /**
   * Resolves to the function that gives the bytes back, which may be called twice. A frame larger than the whole budget is
   * let in when nothing else is. Rejects with the signal's reason when it is aborted first.
   */
  async acquire(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (bytes <= FRAME_BYTES_FREE) return () => {}
    if (this.#waiters.size > 0 || !this.#fits(bytes)) await this.#wait(bytes, signal)
    else this.#bytesInUse += bytes
    let released = false
    return () => {
      if (released) return
      released = true
      this.#bytesInUse -= bytes
      this.#admit()
    }
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
      }
      const abort = () => {
        this.#waiters.delete(waiter)
        reject(signal.reason)
        // Those behind may fit where this one did not.
        this.#admit()
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.bytes)) return
      this.#waiters.delete(waiter)
      this.#bytesInUse += waiter.bytes
      waiter.admit()
    }
  }

  #fits(bytes: number): boolean {
    return this.#bytesInUse === 0 || this.#bytesInUse + bytes <= this.#bytesMax
  }
}

interface Waiter {
  readonly bytes: number
  readonly admit: () => void
}
