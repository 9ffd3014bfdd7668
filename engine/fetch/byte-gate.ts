import { GrantQueue } from './grant-queue.js'

/**
 * Bounds the bytes that several operations hold at once: `acquire` waits, in the order of arrival, until its share fits.
 * A share larger than the whole is cut to it, so that a huge request waits for its turn alone instead of for ever.
 */
export class ByteGate {
  readonly #queue = new GrantQueue<() => void>({
    grant: (bytes) => this.#grant(bytes),
    giveBack: (release) => release(),
  })
  #bytesHeld = 0

  constructor(readonly bytesMax: number) {}

  get bytesHeld(): number {
    return this.#bytesHeld
  }

  /** Resolves to the function that gives the share back; it may be called twice. Rejects when `signal` aborts first. */
  acquire(bytes: number, signal: AbortSignal): Promise<() => void> {
    return this.#queue.acquire(Math.min(bytes, this.bytesMax), signal)
  }

  #grant(bytes: number): (() => void) | undefined {
    if (this.#bytesHeld + bytes > this.bytesMax) return undefined
    this.#bytesHeld += bytes
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#bytesHeld -= bytes
      this.#queue.admit()
    }
  }
}
