import type { PlacedBatch } from './extent-decoder.js'

/** A record's offset and timestamp. */
export interface RecordPlace {
  readonly offset: number
  readonly timestampMs: number
}

/** The batch's first record that is not older than `timestampMs` nor below `offsetMin`. */
export function firstRecordFrom(batch: PlacedBatch, timestampMs: number, offsetMin: number): RecordPlace | undefined {
  if (batch.header.maxTimestampMs < timestampMs || batch.endOffset <= offsetMin) return undefined
  return { offset: Math.max(batch.baseOffset, offsetMin), timestampMs: batch.header.maxTimestampMs }
}
