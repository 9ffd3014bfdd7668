import type { Extent } from '../../engine/ports/catalog.js'

export const EXTENT_TOPIC_ID = '5bd1f5b2-7a2e-4d0c-9d53-1234567890ab'

/** A row of partition 0 whose segment is named after its first offset. */
export function extentOf(baseOffset: number, endOffset: number, rest: Partial<Extent> = {}): Extent {
  return {
    topicId: EXTENT_TOPIC_ID,
    partition: 0,
    baseOffset,
    endOffset,
    segmentId: `segment-${baseOffset}`,
    objectKey: `segments/${baseOffset}`,
    objectBytes: 10_000,
    level: 0,
    position: 100,
    bytes: 1000,
    batchSkipCount: 0,
    batchCount: 1,
    maxTimestampMs: 0,
    ...rest,
  }
}
