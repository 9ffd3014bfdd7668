import type { PartitionRef } from '../../engine/model.js'
import type { Extent } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { pageNumberOf, readPartition, slotOf } from './partition-page.js'
import { blob, bytesOf, inChunks, int, intOf, type Row, textOf, uuidOf, within } from './sql-text.js'

/**
 * One statement that reads, for many partitions, the partition's row and some of its extents: a UNION ALL of an index range
 * per partition, each with its own limit, beside the rows that hold the partitions. So the cost is that of the rows answered,
 * and because it is one statement, offsets and extents are one picture.
 */
export interface LogQuery {
  readonly partitionNo: number
  /** Which extents, in which order, how many: follows `WHERE partition_no = … AND`. */
  readonly condition: string
  readonly orderBy: string
  readonly limit: number
}

export interface LogRows {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly maxTimestampMs: number
  /** Ascending by end offset. */
  readonly extents: readonly LogExtent[]
}

/** An extent's row, and its segment's. */
export interface LogExtent {
  readonly row: Row
  readonly segment: Row
}

const QUERIES_PER_STATEMENT = 200
const SEGMENTS_PER_STATEMENT = 1000
const PICTURES_MAX = 5

const EXTENT_COLUMNS =
  'end_offset, base_offset, segment_id, position, bytes, batch_skip_count, batch_count, max_timestamp_ms'

/** One answer per query, in order; undefined where the partition does not exist. */
export async function readLogs(
  dialect: Dialect,
  session: Session,
  queries: readonly LogQuery[],
): Promise<(LogRows | undefined)[]> {
  const answers: (LogRows | undefined)[] = []
  for (const chunk of inChunks(queries, QUERIES_PER_STATEMENT))
    answers.push(...(await readPicture(dialect, session, chunk)))
  return answers
}

/**
 * Segments come second, each once: joined to every extent they cost as much as the extents. A segment that is gone by then
 * was replaced by compaction and forgotten meanwhile, so the picture has aged and a new one is taken.
 */
async function readPicture(
  dialect: Dialect,
  session: Session,
  queries: readonly LogQuery[],
): Promise<(LogRows | undefined)[]> {
  for (let attempt = 1; ; attempt++) {
    const rows = await session.rows(statementOf(dialect, queries))
    const wanted = new Set<string>()
    for (const row of rows) if (row['segment_id'] !== null) wanted.add(blob(bytesOf(row, 'segment_id')))
    const segments = await readSegments(session, [...wanted])
    if (segments.size === wanted.size) return answersOf(queries, rows, segments)
    if (attempt === PICTURES_MAX) throw new RangeError('extents in the catalog name a segment that has no row')
  }
}

/** By the literal of their id. */
async function readSegments(session: Session, literals: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const segments = new Map<string, Row>()
  for (const chunk of inChunks(literals, SEGMENTS_PER_STATEMENT)) {
    const condition = within('segment_id', chunk)
    const rows = await session.rows(
      `SELECT segment_id, object_key, object_bytes, level FROM segments WHERE ${condition}`,
    )
    for (const row of rows) segments.set(blob(bytesOf(row, 'segment_id')), row)
  }
  return segments
}

function statementOf(dialect: Dialect, queries: readonly LogQuery[]): string {
  const pageNos = [...new Set(queries.map(({ partitionNo }) => pageNumberOf(partitionNo)))].map(int)
  const parts = [
    `SELECT -1 AS request, page_no AS partition_no, 0 AS end_offset, 0 AS base_offset, NULL AS segment_id,
     0 AS position, 0 AS bytes, 0 AS batch_skip_count, 0 AS batch_count, 0 AS max_timestamp_ms, partitions
     FROM partition_pages WHERE ${within('page_no', pageNos)}`,
    ...queries.map(({ partitionNo, condition, orderBy, limit }, index) =>
      dialect.unionPart(
        `SELECT ${int(index)} AS request, partition_no, ${EXTENT_COLUMNS}, NULL AS partitions FROM extents
         WHERE partition_no = ${int(partitionNo)} AND ${condition} ORDER BY ${orderBy} LIMIT ${int(limit)}`,
      ),
    ),
  ]
  return parts.join(' UNION ALL ')
}

function answersOf(
  queries: readonly LogQuery[],
  rows: readonly Row[],
  segments: ReadonlyMap<string, Row>,
): (LogRows | undefined)[] {
  const pages = new Map<number, Uint8Array>()
  const extents = queries.map((): LogExtent[] => [])
  for (const row of rows) {
    const request = intOf(row, 'request')
    if (request < 0) pages.set(intOf(row, 'partition_no'), bytesOf(row, 'partitions'))
    else extents[request]?.push({ row, segment: segments.get(blob(bytesOf(row, 'segment_id'))) ?? {} })
  }
  return queries.map(({ partitionNo }, index) => {
    const page = pages.get(pageNumberOf(partitionNo))
    const state = page && readPartition(page, slotOf(partitionNo))
    if (!state) return undefined
    return {
      logStartOffset: state.logStartOffset,
      highWatermark: state.highWatermark,
      maxTimestampMs: state.maxTimestampMs,
      // A union promises no order.
      extents: (extents[index] ?? []).sort((a, b) => intOf(a.row, 'end_offset') - intOf(b.row, 'end_offset')),
    }
  })
}

export function extentOf({ topicId, partition }: PartitionRef, { row, segment }: LogExtent): Extent {
  return {
    topicId,
    partition,
    baseOffset: intOf(row, 'base_offset'),
    endOffset: intOf(row, 'end_offset'),
    segmentId: uuidOf(row, 'segment_id'),
    objectKey: textOf(segment, 'object_key'),
    objectBytes: intOf(segment, 'object_bytes'),
    level: intOf(segment, 'level'),
    position: intOf(row, 'position'),
    bytes: intOf(row, 'bytes'),
    batchSkipCount: intOf(row, 'batch_skip_count'),
    batchCount: intOf(row, 'batch_count'),
    maxTimestampMs: intOf(row, 'max_timestamp_ms'),
  }
}
