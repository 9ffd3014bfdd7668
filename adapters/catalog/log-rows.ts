import type { PartitionRef } from '../../engine/model.js'
import type { Extent } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { inChunks, int, intOf, type Row, textOf, uuidOf, within } from './sql-text.js'

/**
 * One statement that reads, for many partitions, the partition's row and some of its extents: a UNION ALL of an index range
 * per partition, each with its own limit, beside the rows of the partitions. So the cost is that of the rows answered,
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
  readonly extents: readonly Row[]
}

const QUERIES_PER_STATEMENT = 200

const EXTENT_COLUMNS =
  'end_offset, base_offset, segment_id, position, bytes, batch_skip_count, batch_count, max_timestamp_ms'

/** One answer per query, in order; undefined where the partition does not exist. */
export async function readLogs(
  dialect: Dialect,
  session: Session,
  queries: readonly LogQuery[],
): Promise<(LogRows | undefined)[]> {
  const answers: (LogRows | undefined)[] = []
  for (const chunk of inChunks(queries, QUERIES_PER_STATEMENT)) {
    answers.push(...answersOf(chunk, await session.rows(statementOf(dialect, chunk))))
  }
  return answers
}

function statementOf(dialect: Dialect, queries: readonly LogQuery[]): string {
  const partitionNos = [...new Set(queries.map(({ partitionNo }) => partitionNo))].map(int)
  const parts = [
    `SELECT -1 AS request, partition_no, high_watermark AS end_offset, log_start_offset AS base_offset, NULL AS segment_id,
     0 AS position, 0 AS bytes, 0 AS batch_skip_count, 0 AS batch_count, max_timestamp_ms
     FROM partitions WHERE ${within('partition_no', partitionNos)}`,
    ...queries.map(({ partitionNo, condition, orderBy, limit }, index) =>
      dialect.unionPart(
        `SELECT ${int(index)} AS request, partition_no, ${EXTENT_COLUMNS} FROM extents
         WHERE partition_no = ${int(partitionNo)} AND ${condition} ORDER BY ${orderBy} LIMIT ${int(limit)}`,
      ),
    ),
  ]
  return `SELECT u.*, s.object_key, s.object_bytes, s.level FROM (${parts.join(' UNION ALL ')}) u
    LEFT JOIN segments s ON s.segment_id = u.segment_id`
}

function answersOf(queries: readonly LogQuery[], rows: readonly Row[]): (LogRows | undefined)[] {
  const partitions = new Map<number, Row>()
  const extents = queries.map((): Row[] => [])
  for (const row of rows) {
    const request = intOf(row, 'request')
    if (request < 0) partitions.set(intOf(row, 'partition_no'), row)
    else extents[request]?.push(row)
  }
  return queries.map(({ partitionNo }, index) => {
    const partition = partitions.get(partitionNo)
    if (!partition) return undefined
    return {
      logStartOffset: intOf(partition, 'base_offset'),
      highWatermark: intOf(partition, 'end_offset'),
      maxTimestampMs: intOf(partition, 'max_timestamp_ms'),
      // A union promises no order.
      extents: (extents[index] ?? []).sort((a, b) => intOf(a, 'end_offset') - intOf(b, 'end_offset')),
    }
  })
}

export function extentOf({ topicId, partition }: PartitionRef, row: Row): Extent {
  return {
    topicId,
    partition,
    baseOffset: intOf(row, 'base_offset'),
    endOffset: intOf(row, 'end_offset'),
    segmentId: uuidOf(row, 'segment_id'),
    objectKey: textOf(row, 'object_key'),
    objectBytes: intOf(row, 'object_bytes'),
    level: intOf(row, 'level'),
    position: intOf(row, 'position'),
    bytes: intOf(row, 'bytes'),
    batchSkipCount: intOf(row, 'batch_skip_count'),
    batchCount: intOf(row, 'batch_count'),
    maxTimestampMs: intOf(row, 'max_timestamp_ms'),
  }
}
