import type { BulkInsert, BulkValue, Hex } from './sql-text.js'

/** A row of `extents` as commit and compaction write it. */
export interface NewExtent {
  readonly baseOffset: number
  readonly endOffset: number
  readonly position: number
  readonly bytes: number
  readonly batchSkipCount: number
  readonly batchCount: number
  readonly maxTimestampMs: number
}

const COLUMNS = [
  'partition_no',
  'end_offset',
  'base_offset',
  'segment_id',
  'position',
  'bytes',
  'batch_skip_count',
  'batch_count',
  'max_timestamp_ms',
  'running_max_timestamp_ms',
]

/** The segment comes as hex digits, because many rows share them. */
export function extentRow(
  partitionNo: number,
  segmentHex: Hex,
  extent: NewExtent,
  runningMaxTimestampMs: number,
): BulkValue[] {
  return [
    partitionNo,
    extent.endOffset,
    extent.baseOffset,
    segmentHex,
    extent.position,
    extent.bytes,
    extent.batchSkipCount,
    extent.batchCount,
    extent.maxTimestampMs,
    runningMaxTimestampMs,
  ]
}

export function extentsInsert(rows: readonly (readonly BulkValue[])[]): BulkInsert {
  return { table: 'extents', columns: COLUMNS, rows, suffix: '' }
}
