import type { Session } from './database.js'
import { int, tuple } from './sql-text.js'

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

/** The row's literals; partition and segment come as literals, because many rows share them. */
export function extentTuple(
  partitionLiteral: string,
  segmentLiteral: string,
  extent: NewExtent,
  runningMaxTimestampMs: number,
): string {
  return tuple(
    partitionLiteral,
    int(extent.endOffset),
    int(extent.baseOffset),
    segmentLiteral,
    int(extent.position),
    int(extent.bytes),
    int(extent.batchSkipCount),
    int(extent.batchCount),
    int(extent.maxTimestampMs),
    int(runningMaxTimestampMs),
  )
}

export function insertExtents(session: Session, tuples: readonly string[]): Promise<void> {
  return session.insert('extents', COLUMNS, tuples)
}
