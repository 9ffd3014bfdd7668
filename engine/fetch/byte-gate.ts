import { abortable } from './abortable.js'

/**
 * Bounds the bytes that several operations hold at once: `acquire` waits, in the order of arrival, until its share fits.
 * A share larger than the whole is cut to it, so that a huge request waits for its turn alone instead of for ever.
 */
export class ByteGate {
  readonly #waiters: { readonly bytes: number; readonly admit: () => void }[] = []
  #bytesHeld = 0

  constructor(readonly bytesMax: number) {}

  get bytesHeld(): number {
    return this.#bytesHeld
  }

  /** Resolves to the function that gives the share back; it may be called twice. Rejects when `signal` aborts first. */
  async acquire(bytes: number, signal: AbortSignal): Promise<() => void> {
    const share = Math.min(bytes, this.bytesMax)
    if (this.#waiters.length > 0 || this.#bytesHeld + share > this.bytesMax) await this.#wait(share, signal)
    else this.#bytesHeld += share
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#release(share)
    }
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    let admit = () => {}
    const promise = new Promise<void>((resolve) => {
      admit = resolve
    })
    const waiter = { bytes, admit }
    this.#waiters.push(waiter)
    try {
      await abortable(promise, signal)
    } catch (error) {
      const index = this.#waiters.indexOf(waiter)
      // Admitted and aborted in the same turn: the share is ours already and must go back.
      if (index < 0) this.#release(bytes)
      else {
        this.#waiters.splice(index, 1)
        this.#admit()
      }
      throw error
    }
  }

  #release(bytes: number): void {
    this.#bytesHeld -= bytes
    this.#admit()
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiters[0]
      if (next === undefined || this.#bytesHeld + next.bytes > this.bytesMax) return
      this.#waiters.shift()
      this.#bytesHeld += next.bytes
      next.admit()
    }
  }
}
