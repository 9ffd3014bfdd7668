import type { PartitionRef, SegmentId } from '../../engine/model.js'
import type { Extent } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { EXTENT_COLUMNS, packedColumns, RECENT_COLUMNS, type StoredExtent, storedExtentsOf } from './extent-rows.js'
import { pageNumberOf, readPartition, slotOf } from './partition-page.js'
import { bytesOf, inChunks, int, intOf, type Row, textOf, uuid, uuidOf, within } from './sql-text.js'

/**
 * One statement that reads, for many partitions, the partition's row and some of its extents: a UNION ALL of an index range
 * per partition, each with its own limit, beside the rows that hold the partitions and their recent extents. So the cost is that
 * of the rows answered, and because it is one statement, offsets and extents are one picture.
 */
export interface LogQuery {
  readonly partitionNo: number
  /** Extents that end after this offset, */
  readonly after: number
  /** and have a timestamp as late as this; absent: whatever they have. */
  readonly timestampMinMs?: number
  /** By offset, or those with the greatest timestamps first. */
  readonly order: 'offset' | 'greatest timestamp'
  readonly limit: number
}

export interface LogRows {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly maxTimestampMs: number
  /** In the order asked for. */
  readonly extents: readonly LogExtent[]
}

/** An extent, and its segment's row. */
export interface LogExtent {
  readonly stored: StoredExtent
  readonly segment: Row
}

const QUERIES_PER_STATEMENT = 200
const SEGMENTS_PER_STATEMENT = 1000
const PICTURES_MAX = 5

/** In place of a query's number: rows of pages, and of their recent extents. */
const PAGE = -1
const RECENT = -2

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
    const logs = logsOf(queries, await session.rows(statementOf(dialect, queries)))
    const wanted = new Set(logs.flatMap((log) => log?.extents.map(({ segmentId }) => segmentId) ?? []))
    const segments = await readSegments(session, [...wanted])
    if (segments.size === wanted.size) {
      return logs.map((log) => log && { ...log, extents: log.extents.map((stored) => withSegment(stored, segments)) })
    }
    if (attempt === PICTURES_MAX) throw new RangeError('extents in the catalog name a segment that has no row')
  }
}

function withSegment(stored: StoredExtent, segments: ReadonlyMap<SegmentId, Row>): LogExtent {
  return { stored, segment: segments.get(stored.segmentId) ?? {} }
}

export async function readSegments(
  session: Session,
  segmentIds: readonly SegmentId[],
): Promise<ReadonlyMap<SegmentId, Row>> {
  const segments = new Map<SegmentId, Row>()
  for (const chunk of inChunks(segmentIds, SEGMENTS_PER_STATEMENT)) {
    const condition = within('segment_id', chunk.map(uuid))
    const rows = await session.rows(
      `SELECT segment_id, object_key, object_bytes, level FROM segments WHERE ${condition}`,
    )
    for (const row of rows) segments.set(uuidOf(row, 'segment_id'), row)
  }
  return segments
}

function statementOf(dialect: Dialect, queries: readonly LogQuery[]): string {
  const pageNos = [...new Set(queries.map(({ partitionNo }) => pageNumberOf(partitionNo)))].map(int)
  const ofPages = within('page_no', pageNos)
  const parts = [
    `SELECT ${PAGE} AS request, ${packedColumns('NULL', 'partitions')} FROM partition_pages WHERE ${ofPages}`,
    `SELECT ${RECENT} AS request, ${RECENT_COLUMNS} FROM recent_extents WHERE ${ofPages}`,
    ...queries.map((query, index) => dialect.unionPart(`SELECT ${int(index)} AS request, ${selectOf(query)}`)),
  ]
  return parts.join(' UNION ALL ')
}

function selectOf({ partitionNo, after, timestampMinMs, order, limit }: LogQuery): string {
  const timestamps = timestampMinMs === undefined ? '' : ` AND max_timestamp_ms >= ${int(timestampMinMs)}`
  return `${EXTENT_COLUMNS} FROM extents
    WHERE partition_no = ${int(partitionNo)} AND end_offset > ${int(after)}${timestamps}
    ORDER BY ${order === 'offset' ? '' : 'max_timestamp_ms DESC, '}end_offset LIMIT ${int(limit)}`
}

type StoredLog = Omit<LogRows, 'extents'> & { readonly extents: readonly StoredExtent[] }

function logsOf(queries: readonly LogQuery[], rows: readonly Row[]): (StoredLog | undefined)[] {
  const pages = new Map<number, Uint8Array>()
  const recent = new Map<number, StoredExtent[]>(queries.map(({ partitionNo }) => [partitionNo, []]))
  const extents = queries.map((): StoredExtent[] => [])
  for (const row of rows) {
    const request = intOf(row, 'request')
    if (request === PAGE) pages.set(intOf(row, 'partition_no'), bytesOf(row, 'packed'))
    else if (request === RECENT) {
      for (const extent of storedExtentsOf(row)) recent.get(extent.partitionNo)?.push(extent)
    } else extents[request]?.push(...storedExtentsOf(row))
  }
  return queries.map((query, index) => {
    const page = pages.get(pageNumberOf(query.partitionNo))
    const state = page && readPartition(page, slotOf(query.partitionNo))
    if (!state) return undefined
    const { logStartOffset, highWatermark, maxTimestampMs } = state
    const found = [...(extents[index] ?? []), ...(recent.get(query.partitionNo) ?? []).filter(matches(query))]
    // A union promises no order.
    return { logStartOffset, highWatermark, maxTimestampMs, extents: found.sort(orderOf(query)).slice(0, query.limit) }
  })
}

/** What the condition in `selectOf` says, of recent extents. */
function matches({ after, timestampMinMs = Number.NEGATIVE_INFINITY }: LogQuery): (extent: StoredExtent) => boolean {
  return ({ endOffset, maxTimestampMs }) => endOffset > after && maxTimestampMs >= timestampMinMs
}

function orderOf({ order }: LogQuery): (a: StoredExtent, b: StoredExtent) => number {
  if (order === 'offset') return (a, b) => a.endOffset - b.endOffset
  return (a, b) => b.maxTimestampMs - a.maxTimestampMs || a.endOffset - b.endOffset
}

export function extentOf({ topicId, partition }: PartitionRef, { stored, segment }: LogExtent): Extent {
  return {
    topicId,
    partition,
    baseOffset: stored.baseOffset,
    endOffset: stored.endOffset,
    segmentId: stored.segmentId,
    objectKey: textOf(segment, 'object_key'),
    objectBytes: intOf(segment, 'object_bytes'),
    level: intOf(segment, 'level'),
    position: stored.position,
    bytes: stored.bytes,
    batchSkipCount: stored.batchSkipCount,
    batchCount: stored.batchCount,
    maxTimestampMs: stored.maxTimestampMs,
  }
}
