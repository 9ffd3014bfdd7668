import { copyBytes } from '../format/index.js'

/**
 * Buffers for encoded segments, reused: a worker has as many as it has uploads under way. A buffer is made as large as its
 * segment is expected to be, grows by doubling when that needs more, and keeps its size for the next.
 */
export class OutputBuffers {
  readonly #free: OutputBuffer[] = []

  take(expectedBytes: number): OutputBuffer {
    const buffer = this.#free.pop() ?? new OutputBuffer()
    buffer.reserve(expectedBytes)
    return buffer
  }

  giveBack(buffer: OutputBuffer): void {
    if (!buffer.reusable) return
    buffer.clear()
    this.#free.push(buffer)
  }
}

/** Larger ones come from requests beyond the segment size, and are not kept. */
const REUSED_BYTES_MAX = 32 * 1024 * 1024

export class OutputBuffer {
  #bytes = new Uint8Array(0)
  #used = 0

  get reusable(): boolean {
    return this.#bytes.byteLength <= REUSED_BYTES_MAX
  }

  /** What is there is not kept: only before the first `append`. */
  reserve(bytes: number): void {
    if (this.#bytes.byteLength < bytes) this.#bytes = new Uint8Array(bytes)
  }

  append(bytes: Uint8Array): void {
    const needed = this.#used + bytes.byteLength
    if (needed > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
      grown.set(this.#bytes.subarray(0, this.#used))
      this.#bytes = grown
    }
    copyBytes(bytes, this.#bytes, this.#used)
    this.#used = needed
  }

  /** A view; valid until `clear`. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#used)
  }

  clear(): void {
    this.#used = 0
  }
}
