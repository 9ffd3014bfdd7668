import { openSegment, type SegmentIndex } from '../../format/index.js'
import { abortable } from './abortable.js'
import { ByteLru } from './byte-lru.js'
import type { ChunkCache, StoredObject } from './chunk-cache.js'

/** A decoded index takes about this many times the bytes it has in the object. */
const DECODED_FACTOR = 4

/** Indexes of segments, read through a chunk cache, once for however many ask; least recently used out first. */
export class SegmentIndexes {
  readonly #indexes: ByteLru<SegmentIndex>
  readonly #opening = new Map<string, Promise<SegmentIndex>>()
  readonly #closing = new AbortController()

  constructor(bytesMax: number) {
    this.#indexes = new ByteLru(bytesMax)
  }

  get bytes(): number {
    return this.#indexes.bytes
  }

  async get(object: StoredObject, chunks: ChunkCache, signal: AbortSignal): Promise<SegmentIndex> {
    const present = this.#indexes.get(object.key)
    if (present !== undefined) return present
    let opening = this.#opening.get(object.key)
    if (opening === undefined) {
      opening = this.#open(object, chunks).finally(() => this.#opening.delete(object.key))
      opening.catch(() => {})
      this.#opening.set(object.key, opening)
    }
    return abortable(opening, signal)
  }

  forget(object: StoredObject): void {
    this.#indexes.delete(object.key)
  }

  close(): void {
    this.#closing.abort()
    this.#indexes.clear()
  }

  async #open(object: StoredObject, chunks: ChunkCache): Promise<SegmentIndex> {
    const { footer, index } = await openSegment({
      objectBytes: object.bytes,
      readRange: (position, bytes) => chunks.read(object, position, bytes, this.#closing.signal),
    })
    if (!this.#closing.signal.aborted) this.#indexes.put(object.key, index, footer.indexBytes * DECODED_FACTOR)
    return index
  }
}
