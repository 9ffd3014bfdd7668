import type { SegmentIndex } from '../../format/index.js'
import type { Extent } from '../ports/catalog.js'
import type { Clock } from '../ports/clock.js'
import type { Metrics } from '../ports/metrics.js'
import type { ObjectStore } from '../ports/object-store.js'
import { segmentTimeMs } from '../segment-identity.js'
import { ChunkCache, type StoredObject } from './chunk-cache.js'
import type { ChunkHolds } from './chunk-holds.js'
import { type LoadedRun, runOfBlocks } from './extent-decoder.js'
import type { FetchLimits } from './fetch-limits.js'
import { narrowExtent } from './fetch-plan.js'
import type { ChunkPool, ChunkSpan, ChunkState } from './open-chunks.js'
import type { RecentSegments } from './recent-segments.js'
import type { PlannedRead } from './round-plan.js'
import { SegmentIndexes } from './segment-indexes.js'

export interface ExtentReaderOptions {
  readonly objectStore: ObjectStore
  readonly clock: Clock
  readonly metrics: Metrics
  readonly limits: FetchLimits
  readonly recent: RecentSegments
  /** Knows which chunks are missed least when the caches need room. */
  readonly holds: ChunkHolds
}

/**
 * Brings the bytes of extents: from what this agent just wrote, else through one of two chunk caches. Readers that work through
 * old segments have a cache and GETs of their own, so that they neither drive out what others read nor delay it.
 */
export class ExtentReader implements ChunkState {
  readonly #near: ChunkCache
  readonly #lagging: ChunkCache
  readonly #indexes: SegmentIndexes

  constructor(private readonly options: ExtentReaderOptions) {
    const { objectStore, metrics, limits, holds } = options
    const leastMissed = (chunkKeys: Iterable<string>) => holds.leastMissed(chunkKeys)
    this.#near = new ChunkCache(objectStore, { ...limits, bytesMax: limits.cacheBytesMax }, metrics, leastMissed)
    const laggingLimits = {
      ...limits,
      bytesMax: limits.laggingCacheBytesMax,
      loadsInFlightMax: limits.laggingLoadsInFlightMax,
    }
    this.#lagging = new ChunkCache(objectStore, laggingLimits, metrics, leastMissed)
    this.#indexes = new SegmentIndexes(limits.indexCacheBytesMax)
  }

  get cacheBytes(): number {
    return this.#near.bytes + this.#lagging.bytes + this.#indexes.bytes + this.options.recent.bytes
  }

  /**
   * The extent's batches from the one that contains `offset`, about `bytesMax` bytes of them: a small extent comes whole, of a
   * large one only the blocks its index shows to be needed.
   * Rejects with the store's HeadraceError, a FormatError, or the signal's reason.
   */
  async load(extent: Extent, offset: number, bytesMax: number, signal: AbortSignal): Promise<LoadedRun> {
    const recent = this.options.recent.read(extent, offset, bytesMax)
    if (recent !== undefined) {
      this.options.metrics.count('cache_hit_bytes', recent.bytes)
      return recent
    }
    const part = this.#isReadWhole(extent)
      ? extent
      : narrowExtent(extent, await this.index(extent, signal), offset, bytesMax)
    const bytes = await this.#chunksOf(extent).read(objectOf(extent), part.position, part.bytes, signal)
    return runOfBlocks(part, bytes)
  }

  /** Before the loads of a round: missing neighbours come with one GET, also where they belong to several partitions. */
  prepare(reads: readonly PlannedRead[]): void {
    const spans = reads.filter(({ extent }) => this.#isReadWhole(extent)).map(({ span }) => span)
    for (const { extent, first, end } of joined(spans)) this.#chunksOf(extent).load(objectOf(extent), first, end)
  }

  isLoaded(extent: Extent, chunk: number): boolean {
    return this.#chunksOf(extent).has(objectOf(extent), chunk)
  }

  loadedKeys(pool: ChunkPool): Iterable<string> {
    return (pool === 'near' ? this.#near : this.#lagging).keys()
  }

  isRecent(extent: Extent): boolean {
    return this.options.recent.has(extent)
  }

  get chunkBytes(): number {
    return this.options.limits.chunkBytes
  }

  /** The index of the extent's segment. */
  index(extent: Extent, signal: AbortSignal): Promise<SegmentIndex> {
    return this.#indexes.get(objectOf(extent), this.#chunksOf(extent), signal)
  }

  /** Whether the extent belongs to old data: written by compaction, or long ago. */
  isLagging(extent: Extent): boolean {
    if (extent.level > 0) return true
    return this.options.clock.nowMs() - segmentTimeMs(extent.segmentId) > this.options.limits.laggingAgeMs
  }

  /** Drops what is cached of the extent's object: it has gone, or its bytes proved bad. */
  forget(extent: Extent): void {
    const object = objectOf(extent)
    this.#near.forget(object)
    this.#lagging.forget(object)
    this.#indexes.forget(object)
  }

  close(): void {
    this.#indexes.close()
    this.#near.close()
    this.#lagging.close()
  }

  #isReadWhole(extent: Extent): boolean {
    return extent.bytes <= this.options.limits.wholeExtentBytesMax
  }

  #chunksOf(extent: Extent): ChunkCache {
    return this.isLagging(extent) ? this.#lagging : this.#near
  }
}

/** Spans of one object that touch or overlap become one; in the order of their objects' first spans. */
function joined(spans: readonly ChunkSpan[]): ChunkSpan[] {
  const byObject = new Map<string, ChunkSpan[]>()
  for (const span of spans) {
    const { objectKey } = span.extent
    const others = byObject.get(objectKey)
    if (others === undefined) byObject.set(objectKey, [span])
    else others.push(span)
  }
  return [...byObject.values()].flatMap((ofObject) => {
    const result: ChunkSpan[] = []
    for (const span of ofObject.sort((a, b) => a.first - b.first)) {
      const last = result.at(-1)
      if (last === undefined || span.first > last.end) result.push(span)
      else result[result.length - 1] = { ...last, end: Math.max(last.end, span.end) }
    }
    return result
  })
}

function objectOf(extent: Extent): StoredObject {
  return { key: extent.objectKey, bytes: extent.objectBytes }
}
