import type { Extent } from '../ports/catalog.js'
import type { OutputExtent } from '../ports/jobs-catalog.js'
import type { MergedExtent } from '../ports/segment-merger.js'
import { segmentTimeMs } from '../segment-identity.js'
import { numericConfig } from '../topics/topic-configs.js'

/**
 * The level of segments that compaction by key writes. Each holds a stretch of one partition from its log start on, in which no key comes
 * twice; merging by size leaves them alone.
 */
export const KEY_COMPACTED_LEVEL = 100

export interface KeyCompactionPolicy {
  /** Records younger than this stay as they are. */
  readonly lagMinMs: number
  /** Share of a partition's bytes that must be new before it is compacted again. */
  readonly dirtyRatioMin: number
  /** Tombstones stay this long. */
  readonly tombstoneRetentionMs: number
}

export function keyCompactionPolicyOf(configs: Readonly<Record<string, string>>): KeyCompactionPolicy {
  return {
    lagMinMs: numericConfig(configs, 'min.compaction.lag.ms', 0),
    dirtyRatioMin: numericConfig(configs, 'min.cleanable.dirty.ratio', 0.5),
    tombstoneRetentionMs: numericConfig(configs, 'delete.retention.ms', 86_400_000),
  }
}

export interface KeyCompactionPlan {
  /** From the log start on, adjacent. */
  readonly extents: readonly Extent[]
  /** The first of them that has not been compacted by key. */
  readonly firstDirty: number
}

/**
 * What of a partition to compact by key: everything from its log start to the first segment that is still young; undefined when too little
 * of that is new. `extents` are the partition's oldest, adjacent.
 */
export function planKeyCompaction(
  extents: readonly Extent[],
  policy: KeyCompactionPolicy,
  limits: { readonly ageMinMs: number; readonly bytesMax: number; readonly nowMs: number },
): KeyCompactionPlan | undefined {
  const { nowMs } = limits
  const settled: Extent[] = []
  let bytes = 0
  let cleanBytes = 0
  let firstDirty = 0
  for (const extent of extents) {
    const isClean = extent.level === KEY_COMPACTED_LEVEL
    const isYoung = segmentTimeMs(extent.segmentId) > nowMs - limits.ageMinMs
    if (!isClean && (isYoung || extent.maxTimestampMs > nowMs - policy.lagMinMs)) break
    bytes += extent.bytes
    if (bytes > limits.bytesMax) break
    settled.push(extent)
    if (isClean) {
      firstDirty = settled.length
      cleanBytes = bytes
    }
  }
  const isDirtyEnough = firstDirty < settled.length && bytes - cleanBytes >= policy.dirtyRatioMin * bytes
  return isDirtyEnough ? { extents: settled, firstDirty } : undefined
}

/** The output's extents with the input extents that each overlaps: what went has moved the bounds between them. */
export function overlapping(inputs: readonly Extent[], merged: readonly MergedExtent[]): OutputExtent[] {
  return merged.map(({ firstInput: _, inputCount: __, ...extent }) => ({
    ...extent,
    replaces: inputs
      .filter(({ baseOffset, endOffset }) => baseOffset < extent.endOffset && endOffset > extent.baseOffset)
      .map(({ topicId, partition, endOffset, segmentId }) => ({ topicId, partition, endOffset, segmentId })),
  }))
}
