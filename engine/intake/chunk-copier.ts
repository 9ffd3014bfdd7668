import { copyBytes } from '../../format/index.js'

/**
 * Copies byte ranges out of a request that lies in several chunks, as the socket delivered it. Ranges must come in
 * ascending order: the cursor only moves forward, so a request of many batches is walked once.
 */
export class ChunkCopier {
  readonly #chunks: readonly Uint8Array[]
  #chunkNumber = 0
  #chunkPosition = 0

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks
  }

  copy(position: number, bytes: number, target: Uint8Array, targetPosition: number): void {
    if (position < this.#chunkPosition) throw new Error('ranges of a request must be copied in ascending order')
    let from = position
    let to = targetPosition
    const end = position + bytes
    while (from < end) {
      const chunk = this.#chunks[this.#chunkNumber]
      if (chunk === undefined) throw new Error('a range ends beyond its request')
      const chunkEnd = this.#chunkPosition + chunk.byteLength
      if (from >= chunkEnd) {
        this.#chunkNumber++
        this.#chunkPosition = chunkEnd
        continue
      }
      const until = Math.min(end, chunkEnd)
      copyBytes(chunk.subarray(from - this.#chunkPosition, until - this.#chunkPosition), target, to)
      to += until - from
      from = until
    }
  }
}
