import type { Extent } from '../ports/catalog.js'

/** Where the bytes of extents lie, and what of it is in memory. */
export interface ChunkState {
  readonly chunkBytes: number
  /** Whether the chunk with this number of the extent's object is in its cache, or on its way there. */
  isLoaded(extent: Extent, chunk: number): boolean
  /** Whether the extent's chunks are in the cache of readers far behind, which has room of its own. */
  isLagging(extent: Extent): boolean
  /** Whether the extent is read without chunks: this agent has just written it. */
  isRecent(extent: Extent): boolean
}

/** A part of an object, in chunks: [first, end). */
export interface ChunkSpan {
  readonly extent: Extent
  readonly first: number
  readonly end: number
}

interface Chunk {
  readonly extent: Extent
  readonly number: number
  readonly pool: 'near' | 'lagging'
  isLoaded: boolean
  /** Parts of extents in it that are still to be read. */
  wantedCount: number
}

/**
 * The chunks that a consumer still wants something of, as a plan of reads goes on. *Open* are those that are loaded and wanted: one
 * that is evicted before it is read to its end has to be loaded again, so no more may be open than the cache can keep.
 */
export class OpenChunks {
  /** In the order in which they were first wanted. */
  readonly #chunks = new Map<string, Chunk>()
  /** Each cache has room of its own. */
  readonly #openCount = { near: 0, lagging: 0 }

  constructor(
    private readonly state: ChunkState,
    private readonly openCountMax: number,
  ) {}

  spanOf(extent: Extent, position: number, bytes: number): ChunkSpan {
    if (bytes <= 0 || this.state.isRecent(extent)) return { extent, first: 0, end: 0 }
    const { chunkBytes } = this.state
    const first = Math.floor(position / chunkBytes)
    return { extent, first, end: Math.floor((position + bytes - 1) / chunkBytes) + 1 }
  }

  /** Announces what is to be read some time. */
  want({ extent, first, end }: ChunkSpan): void {
    for (let number = first; number < end; number++) {
      const id = chunkId(extent, number)
      let chunk = this.#chunks.get(id)
      if (chunk === undefined) {
        const pool = this.state.isLagging(extent) ? 'lagging' : 'near'
        chunk = { extent, number, pool, isLoaded: this.state.isLoaded(extent, number), wantedCount: 0 }
        this.#chunks.set(id, chunk)
      }
      chunk.wantedCount += 1
      if (chunk.isLoaded && chunk.wantedCount === 1) this.#openCount[chunk.pool] += 1
    }
  }

  /**
   * Whether reading the span, and in its last chunk all or only a part of what is wanted, leaves no more open than may be. What
   * leaves nothing more open than before is always admitted: it is in memory, or is read to its end at once.
   */
  admits(span: ChunkSpan, isToEnd: boolean): boolean {
    let change = 0
    for (let number = span.first; number < span.end; number++) {
      const { isLoaded = false, wantedCount = 1 } = this.#chunks.get(chunkId(span.extent, number)) ?? {}
      const wantedAfter = wantedCount - (isToEnd || number < span.end - 1 ? 1 : 0)
      change += Number(wantedAfter > 0) - Number(isLoaded && wantedCount > 0)
    }
    const pool = this.state.isLagging(span.extent) ? 'lagging' : 'near'
    return change <= 0 || this.#openCount[pool] + change <= this.openCountMax
  }

  /** The span is going to be read. */
  read(span: ChunkSpan, isToEnd: boolean): void {
    for (let number = span.first; number < span.end; number++) {
      const chunk = this.#chunks.get(chunkId(span.extent, number))
      if (chunk === undefined) continue
      const wasOpen = chunk.isLoaded && chunk.wantedCount > 0
      chunk.isLoaded = true
      if (isToEnd || number < span.end - 1) chunk.wantedCount -= 1
      this.#openCount[chunk.pool] += Number(chunk.wantedCount > 0) - Number(wasOpen)
    }
  }

  /** Chunks in the order in which they are wanted. */
  wanted(): ChunkSpan[] {
    return [...this.#chunks.values()].map(({ extent, number }) => ({ extent, first: number, end: number + 1 }))
  }
}

function chunkId(extent: Extent, chunk: number): string {
  return `${extent.objectKey}#${chunk}`
}
