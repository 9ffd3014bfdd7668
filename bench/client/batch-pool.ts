import { type Payload, sampleBatch } from '../samples.js'

/** Bytes of distinct batches at most; beyond that they are used again: many blocks later. */
const DISTINCT_BYTES_MAX = 8 * 2 ** 20

/**
 * Batches for a load's frames, every one another as far as memory allows: LZ4 would find a repeated one in its window, and
 * compress better than it does on what people send.
 */
export class BatchPool {
  readonly #batches: Uint8Array[] = []
  readonly #payload: Payload
  readonly #recordCount: number
  #bytes = 0
  #next = 0

  constructor(payload: Payload, recordCount: number) {
    this.#payload = payload
    this.#recordCount = recordCount
  }

  /** Shared: copy it before changing it. */
  take(): Uint8Array {
    if (this.#bytes < DISTINCT_BYTES_MAX) {
      // Of a producer in its first epoch, whose id is written into the copy.
      const batch = sampleBatch({ payload: this.#payload, recordCount: this.#recordCount, producerId: 0 })
      this.#batches.push(batch)
      this.#bytes += batch.byteLength
      return batch
    }
    return this.#batches[this.#next++ % this.#batches.length]!
  }
}
