import type { PartitionRef } from '../../engine/model.js'
import type { Extent, TimestampRequest } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { extentOf, type LogQuery, type LogRows, readLogs } from './log-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { inChunks, int, intOf, within } from './sql-text.js'

/**
 * Finding extents by time. The running maximum grows with the offsets, so it leads to the first extent that reaches a
 * timestamp in one index step. It may have inherited that maximum from an extent that retention has removed since; only then a
 * second look is needed, which walks the partition's extents.
 */
const PARTITIONS_PER_STATEMENT = 5000

interface Search {
  readonly index: number
  readonly partition: PartitionRef
  readonly partitionNo: number
  readonly timestampMs: number
}

/** What the second look searches for, where the running maximum has led to no extent of its own. */
type SecondLook = (search: Search, log: LogRows) => Pick<LogQuery, 'condition' | 'orderBy'>

export async function findExtentsByTimestamp(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly TimestampRequest[],
): Promise<(Extent | undefined)[]> {
  const resolved = await numbers.resolve(session, requests)
  const searches: Search[] = []
  for (const [index, request] of requests.entries()) {
    const partitionNo = resolved[index]
    const { timestampMs } = request
    if (partitionNo !== undefined) searches.push({ index, partition: request, partitionNo, timestampMs })
  }
  return findFirstReaching(dialect, session, searches, requests.length, ({ timestampMs }, { logStartOffset }) => ({
    condition: `end_offset > ${int(logStartOffset)} AND max_timestamp_ms >= ${int(timestampMs)}`,
    orderBy: 'end_offset',
  }))
}

/** The extent that brought the partition to its greatest timestamp is the first one that reaches it. */
export async function findExtentsByMaxTimestamp(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(Extent | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const maxima = await readMaxima(session, resolved)
  const searches: Search[] = []
  for (const [index, partition] of partitions.entries()) {
    const partitionNo = resolved[index]
    const timestampMs = partitionNo === undefined ? undefined : maxima.get(partitionNo)
    if (partitionNo !== undefined && timestampMs !== undefined) {
      searches.push({ index, partition, partitionNo, timestampMs })
    }
  }
  return findFirstReaching(dialect, session, searches, partitions.length, (_, { logStartOffset }) => ({
    condition: `end_offset > ${int(logStartOffset)}`,
    orderBy: 'max_timestamp_ms DESC, end_offset',
  }))
}

async function readMaxima(
  session: Session,
  resolved: readonly (number | undefined)[],
): Promise<ReadonlyMap<number, number>> {
  const maxima = new Map<number, number>()
  const wanted = [...new Set(resolved.filter((number) => number !== undefined))]
  for (const chunk of inChunks(wanted, PARTITIONS_PER_STATEMENT)) {
    const condition = within('partition_no', chunk.map(int))
    const rows = await session.rows(`SELECT partition_no, max_timestamp_ms FROM partitions WHERE ${condition}`)
    for (const row of rows) maxima.set(intOf(row, 'partition_no'), intOf(row, 'max_timestamp_ms'))
  }
  return maxima
}

async function findFirstReaching(
  dialect: Dialect,
  session: Session,
  searches: readonly Search[],
  answerCount: number,
  secondLook: SecondLook,
): Promise<(Extent | undefined)[]> {
  const answers: (Extent | undefined)[] = new Array(answerCount).fill(undefined)
  const firstQueries = searches.map(({ partitionNo, timestampMs }) => ({
    partitionNo,
    condition: `running_max_timestamp_ms >= ${int(timestampMs)}`,
    orderBy: 'running_max_timestamp_ms, end_offset',
    limit: 1,
  }))
  const inherited: { readonly search: Search; readonly query: LogQuery }[] = []
  for (const [place, log] of (await readLogs(dialect, session, firstQueries)).entries()) {
    const search = searches[place]
    const first = log?.extents[0]
    if (!search || !log || !first) continue
    const extent = extentOf(search.partition, first)
    if (extent.maxTimestampMs >= search.timestampMs && extent.endOffset > log.logStartOffset) {
      answers[search.index] = extent
    } else {
      inherited.push({ search, query: { partitionNo: search.partitionNo, limit: 1, ...secondLook(search, log) } })
    }
  }
  const logs = await readLogs(
    dialect,
    session,
    inherited.map(({ query }) => query),
  )
  for (const [place, { search }] of inherited.entries()) {
    const extent = logs[place]?.extents[0]
    if (extent) answers[search.index] = extentOf(search.partition, extent)
  }
  return answers
}
