import type { ExtentPlace } from '../../engine/ports/catalog.js'
import type { BulkInsert, BulkValue, Hex } from './sql-text.js'

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

/** A row of `extents` as commit and compaction write it. The segment comes as hex digits, because many rows share them. */
export function extentRow(
  partitionNo: number,
  segmentHex: Hex,
  extent: ExtentPlace,
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
