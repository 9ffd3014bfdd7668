import type { PartitionRef } from '../../engine/model.js'
import type { Extent, TimestampRequest } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { extentOf, type LogQuery, readLogs } from './log-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { readPartitions } from './partition-rows.js'
import { narrowByTimestamp, type TimestampSearch } from './timestamp-search.js'

/**
 * Finding extents by time: a search narrows down where the running maximum reaches the timestamp, then one statement reads on from
 * there to the first extent that does by itself. The two differ only where retention has removed the extent
 * that brought the maximum; then what is left of the partition is read through.
 */
interface Search extends TimestampSearch {
  readonly index: number
  readonly partition: PartitionRef
}

export async function findExtentsByTimestamp(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly TimestampRequest[],
): Promise<(Extent | undefined)[]> {
  const searches = await searchesOf(session, numbers, requests, ({ timestampMs }) => timestampMs)
  const answers: (Extent | undefined)[] = new Array(requests.length).fill(undefined)
  await findFirstReaching(dialect, session, searches, answers)
  return answers
}

/** The extent that brought the partition to its greatest timestamp is the first one that reaches it. */
export async function findExtentsByMaxTimestamp(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(Extent | undefined)[]> {
  const searches = await searchesOf(session, numbers, partitions, (_, greatestMs) => greatestMs)
  const answers: (Extent | undefined)[] = new Array(partitions.length).fill(undefined)
  const unanswered = await findFirstReaching(dialect, session, searches, answers)
  await answer(dialect, session, unanswered, unanswered.map(greatestQueryOf), answers)
  return answers
}

/** Of those partitions that can have an extent that reaches it. */
async function searchesOf<Ref extends PartitionRef>(
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly Ref[],
  timestampOf: (partition: Ref, greatestMs: number) => number,
): Promise<Search[]> {
  const resolved = await numbers.resolve(session, partitions)
  const states = await readPartitions(session, resolved)
  return partitions.flatMap((partition, index): Search[] => {
    const partitionNo = resolved[index]
    const state = partitionNo === undefined ? undefined : states.get(partitionNo)
    if (partitionNo === undefined || state === undefined) return []
    const { logStartOffset, highWatermark, maxTimestampMs } = state
    const timestampMs = timestampOf(partition, maxTimestampMs)
    if (highWatermark <= logStartOffset || timestampMs > maxTimestampMs) return []
    return [{ index, partition, partitionNo, timestampMs, logStartOffset, highWatermark }]
  })
}

/** Fills in answers. Left over is where no extent reaches the timestamp any more, with the log start of now. */
async function findFirstReaching(
  dialect: Dialect,
  session: Session,
  searches: readonly Search[],
  answers: (Extent | undefined)[],
): Promise<readonly Search[]> {
  const froms = await narrowByTimestamp(dialect, session, searches)
  const queries = searches.map((search, place) => queryOf(search, froms[place] ?? search.logStartOffset))
  const unanswered: Search[] = []
  const overtaken: Search[] = []
  for (const [place, log] of (await readLogs(dialect, session, queries)).entries()) {
    const search = searches[place]
    if (!search || !log) continue
    const now: Search = { ...search, logStartOffset: log.logStartOffset }
    const [first] = log.extents
    if (!first) {
      unanswered.push(now)
      continue
    }
    const extent = extentOf(search.partition, first)
    if (extent.endOffset > log.logStartOffset) answers[search.index] = extent
    else overtaken.push(now)
  }
  // The log start has moved past what was found: what reaches the timestamp now is looked for from there.
  const again = overtaken.map((search) => queryOf(search, search.logStartOffset))
  await answer(dialect, session, overtaken, again, answers)
  return unanswered
}

function queryOf({ partitionNo, timestampMs }: Search, from: number): LogQuery {
  return { partitionNo, after: from, timestampMinMs: timestampMs, order: 'offset', limit: 1 }
}

/** The earliest of those with the greatest timestamp that is left. */
function greatestQueryOf({ partitionNo, logStartOffset }: Search): LogQuery {
  return { partitionNo, after: logStartOffset, order: 'greatest timestamp', limit: 1 }
}

async function answer(
  dialect: Dialect,
  session: Session,
  searches: readonly Search[],
  queries: readonly LogQuery[],
  answers: (Extent | undefined)[],
): Promise<void> {
  for (const [place, log] of (await readLogs(dialect, session, queries)).entries()) {
    const search = searches[place]
    const extent = log?.extents[0]
    if (search && extent) answers[search.index] = extentOf(search.partition, extent)
  }
}
