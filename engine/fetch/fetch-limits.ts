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
  /** GETs under way per pool; more wait in order. */
  readonly loadsInFlightMax: number
  /** Adjacent missing chunks are loaded with one GET up to this size. */
  readonly loadBytesMax: number
  /** Memory of segment indexes, as estimated. */
  readonly indexCacheBytesMax: number
  /** An extent up to this size is read whole; of a larger one only the blocks that the index shows to be needed. */
  readonly wholeExtentBytesMax: number
  /** Segments this agent wrote and still has in memory. 0 keeps none. */
  readonly recentBytesMax: number
  /** Larger segments are not kept: copying them costs more than the GET it saves. */
  readonly recentSegmentBytesMax: number
  /** Answer of one fetch, whatever the client allows. */
  readonly responseBytesMax: number
  /** What a waiting fetch may hold: a client's `fetch.min.bytes` above it is answered with this much. */
  readonly bytesMinMax: number
  /** Bytes that all fetches of a pool may be reading at once; more wait in order. */
  readonly bytesInFlightMax: number
  /** Extents asked of the catalog per round of a fetch, over all its partitions; every partition gets at least one. */
  readonly extentsPerRoundMax: number
  /** Distinct segments read per round of a fetch: each may cost a GET. */
  readonly segmentsPerRoundMax: number
  /** How often a fetch asks the catalog again when an object has gone or its bytes are bad. */
  readonly attemptsMax: number
}

const KIB = 1024
const MIB = 1024 * KIB

export const FETCH_LIMITS_DEFAULT: FetchLimits = {
  chunkBytes: 4 * MIB,
  cacheBytesMax: 128 * MIB,
  laggingCacheBytesMax: 64 * MIB,
  laggingAgeMs: 120_000,
  loadsInFlightMax: 8,
  loadBytesMax: 8 * MIB,
  indexCacheBytesMax: 32 * MIB,
  wholeExtentBytesMax: 1 * MIB,
  recentBytesMax: 64 * MIB,
  recentSegmentBytesMax: 1 * MIB,
  responseBytesMax: 55 * MIB,
  bytesMinMax: 1 * MIB,
  bytesInFlightMax: 128 * MIB,
  extentsPerRoundMax: 2_000,
  segmentsPerRoundMax: 64,
  attemptsMax: 4,
}
