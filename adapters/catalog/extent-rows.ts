import type { SegmentId } from '../../engine/model.js'
import type { ExtentPlace } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { decodeExtents, encodeExtents, type PackedExtent } from './extent-pack.js'
import { PARTITIONS_PER_PAGE, pageNumberOf, slotOf } from './partition-page.js'
import { type BulkInsert, type BulkValue, bytesOf, type Hex, intOf, type Row, uuidOf } from './sql-text.js'

/**
 * Rows with extents: those of `extents` hold one each; those of `recent_extents` what a commit brought to the partitions of one page, until it
 * is filed into `extents` (`extent-filing.ts`). A union reads both in one picture, in which an extent is at one place exactly.
 */
export interface StoredExtent extends ExtentPlace {
  readonly partitionNo: number
  readonly segmentId: SegmentId
}

const PLACE_COLUMNS =
  'end_offset, base_offset, segment_id, position, bytes, batch_skip_count, batch_count, max_timestamp_ms'

/** Columns of a part of a union that reads `extents`, and of one that reads `recent_extents` beside it. */
export const EXTENT_COLUMNS = `partition_no, ${PLACE_COLUMNS}, NULL AS packed`
export const RECENT_COLUMNS = packedColumns('segment_id', 'extents')

/** The same columns of a row that belongs to a page and holds something packed. */
export function packedColumns(segmentId: string, packed: string): string {
  return `page_no AS partition_no, 0 AS end_offset, 0 AS base_offset, ${segmentId} AS segment_id, 0 AS position, 0 AS bytes,
    0 AS batch_skip_count, 0 AS batch_count, 0 AS max_timestamp_ms, ${packed} AS packed`
}

/** The extents of a row of such a union. */
export function storedExtentsOf(row: Row): StoredExtent[] {
  return row['packed'] === null ? [storedExtentOf(row)] : recentExtentsOf(row)
}

function storedExtentOf(row: Row): StoredExtent {
  return {
    partitionNo: intOf(row, 'partition_no'),
    segmentId: uuidOf(row, 'segment_id'),
    baseOffset: intOf(row, 'base_offset'),
    endOffset: intOf(row, 'end_offset'),
    position: intOf(row, 'position'),
    bytes: intOf(row, 'bytes'),
    batchSkipCount: intOf(row, 'batch_skip_count'),
    batchCount: intOf(row, 'batch_count'),
    maxTimestampMs: intOf(row, 'max_timestamp_ms'),
  }
}

export interface RecentExtent extends StoredExtent {
  readonly runningMaxTimestampMs: number
}

/** Of a row with the columns of `RECENT_COLUMNS`. */
export function recentExtentsOf(row: Row): RecentExtent[] {
  const firstNo = intOf(row, 'partition_no') * PARTITIONS_PER_PAGE
  const segmentId = uuidOf(row, 'segment_id')
  return decodeExtents(bytesOf(row, 'packed')).map((extent) => ({
    partitionNo: firstNo + extent.slot,
    segmentId,
    baseOffset: extent.baseOffset,
    endOffset: extent.endOffset,
    position: extent.position,
    bytes: extent.bytes,
    batchSkipCount: extent.batchSkipCount,
    batchCount: extent.batchCount,
    maxTimestampMs: extent.maxTimestampMs,
    runningMaxTimestampMs: extent.runningMaxTimestampMs,
  }))
}

/** All extents of the segments that the condition on `segment_id` names. */
export async function readExtentsOfSegments(
  dialect: Dialect,
  session: Session,
  where: string,
): Promise<StoredExtent[]> {
  const parts = [
    `SELECT ${EXTENT_COLUMNS} FROM extents WHERE ${where}`,
    `SELECT ${RECENT_COLUMNS} FROM recent_extents WHERE ${where}`,
  ]
  const rows = await session.rows(parts.map((part) => dialect.unionPart(part)).join(' UNION ALL '))
  return rows.flatMap(storedExtentsOf)
}

// ---- writing

/** A row of `extents`, its key first. */
export type ExtentRow = readonly [partitionNo: number, endOffset: number, ...BulkValue[]]

/** The segment comes as hex digits, because many rows share them. */
export function extentRow(
  partitionNo: number,
  segmentHex: Hex,
  extent: ExtentPlace,
  runningMaxTimestampMs: number,
): ExtentRow {
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

const INSERT_COLUMNS = ['partition_no', ...PLACE_COLUMNS.split(', '), 'running_max_timestamp_ms']

export function extentsInsert(rows: readonly (readonly BulkValue[])[]): BulkInsert {
  return { table: 'extents', columns: INSERT_COLUMNS, rows, suffix: '' }
}

/** What one segment brings, packed by page. */
export class RecentExtents {
  readonly #pages = new Map<number, PackedExtent[]>()

  add(partitionNo: number, place: ExtentPlace, runningMaxTimestampMs: number): void {
    const extent: PackedExtent = {
      slot: slotOf(partitionNo),
      baseOffset: place.baseOffset,
      endOffset: place.endOffset,
      position: place.position,
      bytes: place.bytes,
      batchSkipCount: place.batchSkipCount,
      batchCount: place.batchCount,
      maxTimestampMs: place.maxTimestampMs,
      runningMaxTimestampMs,
    }
    const pageNo = pageNumberOf(partitionNo)
    const page = this.#pages.get(pageNo)
    if (page) page.push(extent)
    else this.#pages.set(pageNo, [extent])
  }

  rows(segmentHex: Hex): BulkValue[][] {
    return [...this.#pages].map(([pageNo, extents]) => [pageNo, segmentHex, encodeExtents(extents)])
  }
}

export function recentExtentsInsert(rows: readonly (readonly BulkValue[])[]): BulkInsert {
  return { table: 'recent_extents', columns: ['page_no', 'segment_id', 'extents'], rows, suffix: '' }
}
