/**
 * How an agent's memory budget is divided. A pure function, so that the sum can be tested: everything that holds
 * payload takes its bound from here.
 */
export interface MemoryPlan {
  /** Arenas of segments being filled, encoded, uploaded and committed. */
  readonly arenaBytes: number
  /** Encoded segments in the workers: as large as the arenas they come from, at worst. */
  readonly encodedBytes: number
  /** Requests that have arrived, in part or whole, and are not copied into an arena yet. */
  readonly frameBytes: number
  /** Chunks of segments for readers near the end of the log. */
  readonly cacheBytes: number
  /** The same for readers far behind, apart so that they cannot drive out the others. */
  readonly laggingCacheBytes: number
  /** Small segments this agent wrote a moment ago, for consumers at the end of the log; large ones stay in their arenas. */
  readonly recentBytes: number
  /** Answers to fetches near the end of the log, until their clients have taken them. */
  readonly answerBytes: number
  /** The same for readers far behind. */
  readonly laggingAnswerBytes: number
  /** Indexes of segments that are being read. */
  readonly indexCacheBytes: number
  /** What compaction has read and not written yet. */
  readonly compactionBytes: number
  /** What members of consumer groups bring and are assigned. */
  readonly groupBytes: number
}

export const MEMORY_BYTES_MIN = 64 * 1024 * 1024

export function planMemory(memoryBytes: number, segmentBytes: number): MemoryPlan {
  const share = (percent: number): number => Math.floor((memoryBytes * percent) / 100)
  const arenaBytes = Math.max(2 * segmentBytes, share(27))
  return {
    arenaBytes,
    encodedBytes: arenaBytes,
    frameBytes: share(13),
    cacheBytes: share(7),
    laggingCacheBytes: share(5),
    recentBytes: share(3),
    answerBytes: share(4),
    laggingAnswerBytes: share(4),
    indexCacheBytes: share(3),
    compactionBytes: share(5),
    groupBytes: share(2),
  }
}
