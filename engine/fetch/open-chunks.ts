import type { Extent } from '../ports/catalog.js'
import { chunkKey } from './chunk-cache.js'
import type { HeldChunks } from './chunk-holds.js'

/** Where the bytes of extents lie, and what of it is in memory. */
export interface ChunkState {
  readonly chunkBytes: number
  /** Whether the chunk with this number of the extent's object is in its cache, or on its way there. */
  isLoaded(extent: Extent, chunk: number): boolean
  /** All such chunks of a cache. */
  loadedKeys(pool: ChunkPool): Iterable<string>
  /** Whether the extent's chunks are in the cache of readers far behind, which has room of its own. */
  isLagging(extent: Extent): boolean
  /** Whether the extent is read without chunks: this agent has just written it. */
  isRecent(extent: Extent): boolean
}

export type ChunkPool = 'near' | 'lagging'

/** A part of an object, in chunks: [first, end). */
export interface ChunkSpan {
  readonly extent: Extent
  readonly first: number
  readonly end: number
}

interface Chunk {
  readonly pool: ChunkPool
  /** Whether somebody wants it besides this plan. */
  readonly isHeld: boolean
  isLoaded: boolean
  /** Parts of extents in it that are still to be read. */
  wantedCount: number
}

/**
 * The chunks that consumers still want something of, as a plan of reads goes on. *Open* are those that are loaded and wanted, by this plan
 * or by who holds them: one that is evicted before all have read it has to be loaded again, so no more may be open than the cache
 * can keep.
 */
export class OpenChunks {
  readonly #chunks = new Map<string, Chunk>()
  /** Each cache has room of its own. */
  readonly #openCount: Record<ChunkPool, number>

  constructor(
    private readonly state: ChunkState,
    private readonly openCountMax: number,
    private readonly held: HeldChunks,
  ) {
    const heldCount = (pool: ChunkPool) => [...state.loadedKeys(pool)].filter((key) => held.isHeld(key)).length
    this.#openCount = { near: heldCount('near'), lagging: heldCount('lagging') }
  }

  spanOf(extent: Extent, position: number, bytes: number): ChunkSpan {
    return spanOf(this.state, extent, position, bytes)
  }

  /** Announces what is to be read some time. */
  want({ extent, first, end }: ChunkSpan): void {
    for (let number = first; number < end; number++) {
      const key = chunkKey(extent.objectKey, number)
      const chunk = this.#chunks.get(key) ?? this.#chunkOf(extent, number, 0)
      this.#chunks.set(key, chunk)
      const wasOpen = isOpen(chunk)
      chunk.wantedCount += 1
      this.#count(chunk, wasOpen)
    }
  }

  /**
   * Whether reading the span, and in its last chunk all or only a part of what is wanted, leaves no more open than may be. What
   * leaves nothing more open than before is always admitted: it is in memory, or is read to its end at once.
   */
  admits(span: ChunkSpan, isToEnd: boolean): boolean {
    let change = 0
    for (let number = span.first; number < span.end; number++) {
      const chunk = this.#chunks.get(chunkKey(span.extent.objectKey, number)) ?? this.#chunkOf(span.extent, number, 1)
      const wantedAfter = chunk.wantedCount - (isToEnd || number < span.end - 1 ? 1 : 0)
      change += Number(wantedAfter > 0 || chunk.isHeld) - Number(isOpen(chunk))
    }
    return change <= 0 || this.#openCount[this.#poolOf(span.extent)] + change <= this.openCountMax
  }

  /** Bytes of the span's chunks that would have to be loaded. */
  missingBytes({ extent, first, end }: ChunkSpan): number {
    const { chunkBytes } = this.state
    let bytes = 0
    for (let number = first; number < end; number++) {
      const chunk = this.#chunks.get(chunkKey(extent.objectKey, number))
      if (chunk?.isLoaded ?? this.state.isLoaded(extent, number)) continue
      bytes += Math.min(chunkBytes, extent.objectBytes - number * chunkBytes)
    }
    return bytes
  }

  /** The span is going to be read. */
  read(span: ChunkSpan, isToEnd: boolean): void {
    for (let number = span.first; number < span.end; number++) {
      const chunk = this.#chunks.get(chunkKey(span.extent.objectKey, number))
      if (chunk === undefined) continue
      const wasOpen = isOpen(chunk)
      chunk.isLoaded = true
      if (isToEnd || number < span.end - 1) chunk.wantedCount -= 1
      this.#count(chunk, wasOpen)
    }
  }

  #chunkOf(extent: Extent, number: number, wantedCount: number): Chunk {
    const isHeld = this.held.isHeld(chunkKey(extent.objectKey, number))
    const isLoaded = this.state.isLoaded(extent, number)
    return { pool: this.#poolOf(extent), isHeld, isLoaded, wantedCount }
  }

  #count(chunk: Chunk, wasOpen: boolean): void {
    this.#openCount[chunk.pool] += Number(isOpen(chunk)) - Number(wasOpen)
  }

  #poolOf(extent: Extent): ChunkPool {
    return this.state.isLagging(extent) ? 'lagging' : 'near'
  }
}

/** The chunks that `bytes` of an extent from `position` of its object lie in; none of what is in memory anyway. */
export function spanOf(
  state: Pick<ChunkState, 'chunkBytes' | 'isRecent'>,
  extent: Extent,
  position: number,
  bytes: number,
): ChunkSpan {
  if (bytes <= 0 || state.isRecent(extent)) return { extent, first: 0, end: 0 }
  const { chunkBytes } = state
  return { extent, first: Math.floor(position / chunkBytes), end: Math.floor((position + bytes - 1) / chunkBytes) + 1 }
}

function isOpen({ isLoaded, wantedCount, isHeld }: Chunk): boolean {
  return isLoaded && (wantedCount > 0 || isHeld)
}
