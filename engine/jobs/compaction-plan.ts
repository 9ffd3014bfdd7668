import { comparePartitions } from '../../format/index.js'
import type { LiveUse, OutputExtent, SegmentExtent, SegmentInfo } from '../ports/jobs-catalog.js'
import type { MergedExtent, MergeExtent, MergeObject } from '../ports/segment-merger.js'
import { segmentTimeMs } from '../segment-identity.js'

export interface CompactionLimits {
  /** Segments of one level that become one of the next. */
  readonly fanIn: number
  /** Size a merged segment should have: with this many bytes of inputs a merge does not wait for more of them. */
  readonly targetBytes: number
  /** Younger segments stay as they are: readers at the end of the log have them in memory. */
  readonly ageMinMs: number
  /** Batches of one merge: each takes a place in the index, in the memory of who writes and who reads it. */
  readonly batchCountMax: number
}

/** Below this share of its object that extents point at, a segment is written anew. */
const LIVE_SHARE_MIN = 0.5
/** Less is not worth the requests. */
const DEAD_BYTES_MIN = 64 * 1024
/** What a batch and a block take in the index of a segment (docs/format.md). */
const BATCH_ENTRY_BYTES = 44
const BLOCK_ENTRY_BYTES = 72

/** Whether a segment is as large as merging should make it. */
export function isFull({ objectBytes }: Pick<SegmentInfo, 'objectBytes'>, limits: CompactionLimits): boolean {
  return objectBytes * 2 > limits.targetBytes
}

/**
 * Which segments of a level to merge, the oldest first: as many as the fan-in, or as many as fill the target; undefined where there are
 * neither. `segments` are live segments of one level by id.
 */
export function planCompaction(
  segments: readonly SegmentInfo[],
  limits: CompactionLimits,
  nowMs: number,
): readonly SegmentInfo[] | undefined {
  const inputs: SegmentInfo[] = []
  let bytes = 0
  for (const segment of segments) {
    if (segmentTimeMs(segment.segmentId) > nowMs - limits.ageMinMs) break
    if (isFull(segment, limits)) continue
    // A target that would be passed by far is left as it is.
    if (inputs.length > 1 && bytes + segment.objectBytes > limits.targetBytes * 1.25) return inputs
    inputs.push(segment)
    bytes += segment.objectBytes
    if (inputs.length >= limits.fanIn || (inputs.length > 1 && bytes >= limits.targetBytes)) return inputs
  }
  return undefined
}

/** The size of an object with no more than this in it: what a rewrite would leave. */
export function objectBytesFor({ extentCount, bytes, batchCount }: LiveUse): number {
  return bytes + batchCount * BATCH_ENTRY_BYTES + extentCount * BLOCK_ENTRY_BYTES
}

/** Of merged segments, those worth writing anew because most of their bytes are dead; as many as fill one. */
export function planRewrite(
  segments: readonly SegmentInfo[],
  uses: readonly LiveUse[],
  limits: CompactionLimits,
): readonly SegmentInfo[] {
  const inputs: SegmentInfo[] = []
  let bytes = 0
  for (const [index, segment] of segments.entries()) {
    const use = uses[index]
    if (use === undefined) continue
    const live = objectBytesFor(use)
    if (live >= segment.objectBytes * LIVE_SHARE_MIN || segment.objectBytes - live < DEAD_BYTES_MIN) continue
    if (inputs.length >= limits.fanIn || (inputs.length > 0 && bytes + live > limits.targetBytes)) break
    inputs.push(segment)
    bytes += live
  }
  return inputs
}

/** What is merged of some segments. */
export interface MergePlan {
  readonly inputs: readonly SegmentInfo[]
  readonly objects: readonly MergeObject[]
  /** In output order; empty when nothing of the inputs is wanted. */
  readonly extents: readonly MergeExtent[]
  /** The catalog's rows behind `extents`, one each. */
  readonly rows: readonly SegmentExtent[]
}

/**
 * The merge of the first of these segments, as many as the limit of batches allows, and one at least. `rows` are all extents of all of
 * them; those that are not wanted any more are left out, and go with the swap.
 */
export function planMerge(
  segments: readonly SegmentInfo[],
  rows: readonly SegmentExtent[],
  limits: CompactionLimits,
): MergePlan {
  const wanted = rows.filter((row) => row.wanted)
  const batchesOf = new Map<string, number>()
  for (const { segmentId, batchCount } of wanted) {
    batchesOf.set(segmentId, (batchesOf.get(segmentId) ?? 0) + batchCount)
  }
  const inputs: SegmentInfo[] = []
  let batchCount = 0
  for (const segment of segments) {
    batchCount += batchesOf.get(segment.segmentId) ?? 0
    if (inputs.length > 0 && batchCount > limits.batchCountMax) break
    inputs.push(segment)
  }
  const taken = new Set(inputs.map(({ segmentId }) => segmentId))
  const sorted = wanted
    .filter(({ segmentId }) => taken.has(segmentId))
    .sort((a, b) => comparePartitions(a, b) || a.baseOffset - b.baseOffset)
  const used = new Set(sorted.map(({ segmentId }) => segmentId))
  const objects = inputs.filter(({ segmentId }) => used.has(segmentId))
  const numberOf = new Map(objects.map(({ segmentId }, number) => [segmentId, number]))
  return {
    inputs,
    objects: objects.map(({ segmentId, objectKey, objectBytes }) => ({ segmentId, objectKey, objectBytes })),
    extents: sorted.map((row) => mergeExtent(row, numberOf.get(row.segmentId) ?? -1)),
    rows: sorted,
  }
}

function mergeExtent(row: SegmentExtent, object: number): MergeExtent {
  const { topicId, partition, baseOffset, endOffset, level, position, bytes, batchSkipCount, batchCount } = row
  return { object, topicId, partition, baseOffset, endOffset, level, position, bytes, batchSkipCount, batchCount }
}

/** What the merge made, as the catalog wants to know it. */
export function outputExtents(plan: MergePlan, merged: readonly MergedExtent[]): OutputExtent[] {
  return merged.map(({ firstInput, inputCount, ...extent }) => ({
    ...extent,
    replaces: plan.rows
      .slice(firstInput, firstInput + inputCount)
      .map(({ topicId, partition, endOffset, segmentId }) => ({ topicId, partition, endOffset, segmentId })),
  }))
}
