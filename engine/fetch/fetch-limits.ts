/** Bounds of the read path. Everything the reader keeps or holds for a moment is under one of these. */
export interface FetchLimits {
  /** Size of an aligned chunk: what one GET brings at least (the last chunk of an object is short). */
  readonly chunkBytes: number
  /** Chunks kept for readers near the end of the log. */
  readonly cacheBytesMax: number
  /** Chunks kept for readers that work through old segments. */
  readonly laggingCacheBytesMax: number
  /** A segment older than this, or written by compaction, is read through the lagging pool. */
  readonly laggingAgeMs: number
  /** Chunks of a cache that may be loaded and not read to their end by all consumers that are known to want them. */
  readonly openChunksMax: number
  /** Chunks that one consumer is remembered to want, each counted for each of its partitions; and all consumers together. */
  readonly holdsPerConsumerMax: number
  readonly holdsMax: number
  /** Nothing is kept for a consumer that has not fetched for so long. */
  readonly holdIdleMs: number
  /** How far ahead of its place in a partition a fetch looks for what it will want next, so that the caches keep it for it. */
  readonly lookaheadBytes: number
  /** GETs under way; more wait in order. */
  readonly loadsInFlightMax: number
  readonly laggingLoadsInFlightMax: number
  /** Adjacent missing chunks are loaded with one GET up to this size. */
  readonly loadBytesMax: number
  /** Memory of segment indexes, as estimated. */
  readonly indexCacheBytesMax: number
  /** An extent up to this size is read whole; of a larger one only the blocks that the index shows to be needed. */
  readonly wholeExtentBytesMax: number
  /** Segments this agent wrote and still has in memory. 0 keeps none. */
  readonly recentBytesMax: number
  /** Answer of one fetch, whatever the client allows. */
  readonly responseBytesMax: number
  /** What a waiting fetch may hold: a client's `fetch.min.bytes` above it is answered with this much. */
  readonly bytesMinMax: number
  /** Answers of all fetches near the end of the log that have not left yet, and of those far behind. */
  readonly answerBytesMax: number
  readonly laggingAnswerBytesMax: number
  /** Bytes that all fetches near the end of the log may be reading at once; more wait in order. */
  readonly bytesInFlightMax: number
  readonly laggingBytesInFlightMax: number
  /** Extents asked of the catalog per round of a fetch, over all its partitions; every partition gets at least one. */
  readonly extentsPerRoundMax: number
  /** How long extents are believed to be where the catalog said; a small part of the grace that objects have. */
  readonly extentAgeMaxMs: number
  /** Extents of such answers kept, over all partitions; each takes some 300 bytes. */
  readonly extentsKnownMax: number
  /** Distinct segments read per round of a fetch: each may cost a GET. */
  readonly segmentsPerRoundMax: number
  /** Chunks loaded per round of a fetch: what exceeded its cache would be evicted before others come to it. */
  readonly loadBytesPerRoundMax: number
  /** How often a fetch asks the catalog again when an object has gone or its bytes are bad. */
  readonly attemptsMax: number
}

/** What `planMemory` gives the read path. */
export interface FetchMemory {
  readonly cacheBytes: number
  readonly laggingCacheBytes: number
  readonly recentBytes: number
  readonly answerBytes: number
  readonly laggingAnswerBytes: number
  readonly indexCacheBytes: number
}

const KIB = 1024
const MIB = 1024 * KIB
const CHUNK_BYTES_MAX = 4 * MIB
const CHUNK_BYTES_MIN = 64 * KIB

/**
 * Limits that keep the read path within its memory. Of each pool's share one half holds chunks, one quarter is for GETs under way
 * and one quarter for what fetches have read of the store and not put into answers yet. A cache has room for 16 chunks at least, half of which may be open;
 * with little memory chunks are smaller than 4 MiB. GETs need not be: neighbours come together.
 */
export function fetchLimitsFor(memory: FetchMemory): FetchLimits {
  const { cacheBytes, laggingCacheBytes, answerBytes, laggingAnswerBytes } = memory
  const poolBytesMin = Math.min(cacheBytes, laggingCacheBytes)
  const chunkBytes = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, powerOfTwoBelow(poolBytesMin / 32)))
  const loadBytesMax = Math.min(2 * CHUNK_BYTES_MAX, Math.max(chunkBytes, powerOfTwoBelow(poolBytesMin / 12)))
  const loadsOf = (poolBytes: number) => Math.max(1, Math.min(16, Math.floor(poolBytes / 4 / loadBytesMax)))
  const quarterOf = (bytes: number) => Math.floor(bytes / 4)
  return {
    chunkBytes,
    loadBytesMax,
    openChunksMax: Math.max(1, Math.floor(quarterOf(poolBytesMin) / chunkBytes)),
    holdsPerConsumerMax: 1_024,
    holdsMax: 32_768,
    holdIdleMs: 5_000,
    lookaheadBytes: 2 * quarterOf(poolBytesMin),
    cacheBytesMax: 2 * quarterOf(cacheBytes),
    loadsInFlightMax: loadsOf(cacheBytes),
    bytesInFlightMax: quarterOf(cacheBytes),
    laggingCacheBytesMax: 2 * quarterOf(laggingCacheBytes),
    laggingLoadsInFlightMax: loadsOf(laggingCacheBytes),
    laggingBytesInFlightMax: quarterOf(laggingCacheBytes),
    laggingAgeMs: 120_000,
    indexCacheBytesMax: memory.indexCacheBytes,
    wholeExtentBytesMax: Math.min(1 * MIB, chunkBytes),
    recentBytesMax: memory.recentBytes,
    answerBytesMax: answerBytes,
    laggingAnswerBytesMax: laggingAnswerBytes,
    responseBytesMax: Math.min(55 * MIB, quarterOf(laggingCacheBytes)),
    bytesMinMax: Math.min(1 * MIB, quarterOf(laggingCacheBytes)),
    extentsPerRoundMax: 2_000,
    extentAgeMaxMs: 5_000,
    extentsKnownMax: 20_000,
    segmentsPerRoundMax: 64,
    loadBytesPerRoundMax: quarterOf(poolBytesMin),
    attemptsMax: 4,
  }
}

function powerOfTwoBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, value)))
}

export const FETCH_LIMITS_DEFAULT: FetchLimits = fetchLimitsFor({
  cacheBytes: 256 * MIB,
  laggingCacheBytes: 128 * MIB,
  recentBytes: 64 * MIB,
  answerBytes: 128 * MIB,
  laggingAnswerBytes: 128 * MIB,
  indexCacheBytes: 32 * MIB,
})
