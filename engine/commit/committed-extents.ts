import type { CommittedSegment } from '../intake/segments.js'
import type { Extent } from '../ports/catalog.js'
import { ExtentCollector } from './extent-collector.js'

/** The extents that a commit has made, as the catalog would name them. */
export function committedExtents({ uploaded, outcome }: CommittedSegment): Extent[] {
  if (!outcome.committed) return []
  const { sealed, output, index } = uploaded
  const collector = new ExtentCollector()
  let number = 0
  for (const block of index.blocks) {
    for (const [place, { lastOffsetDelta, maxTimestampMs }] of block.batches.entries()) {
      const batch = outcome.batches[number++]
      if (batch?.kind !== 'accepted') continue
      const { baseOffset } = batch
      // The partition's running maximum is the catalog's own; an extent does not tell it.
      collector.add(block, place, baseOffset, baseOffset + lastOffsetDelta + 1, maxTimestampMs, maxTimestampMs)
    }
  }
  return collector.extents.map((draft) => ({
    topicId: draft.topicId,
    partition: draft.partition,
    baseOffset: draft.baseOffset,
    endOffset: draft.endOffset,
    segmentId: sealed.segmentId,
    objectKey: sealed.input.objectKey,
    objectBytes: output.objectBytes,
    level: 0,
    position: draft.position,
    bytes: draft.bytes,
    batchSkipCount: draft.batchSkipCount,
    batchCount: draft.batchCount,
    maxTimestampMs: draft.maxTimestampMs,
  }))
}
