import {
  type CommitDecision,
  type CommitState,
  decideCommit,
  type SegmentDecision,
} from '../../engine/commit/commit-decisions.js'
import { decodeOutcome, encodeOutcome } from '../../engine/commit/commit-outcome.js'
import { PartitionMap } from '../../engine/commit/partition-map.js'
import { NO_PRODUCER_ID, type PartitionRef, type SegmentId } from '../../engine/model.js'
import type { CommitLimits, CommitSegment, SegmentOutcome } from '../../engine/ports/catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { type Database, isDuplicateKey, type Session, StatementError } from './database.js'
import type { Dialect } from './dialect.js'
import { extentRow, insertExtents } from './extent-insert.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf, readPartition, slotOf, writePartition } from './partition-page.js'
import { lockPages, type PartitionPages, replacePages } from './partition-rows.js'
import { ProducerPage } from './producer-page.js'
import { ProducerPages, producerKeyLiteral, readProducerPages, replaceProducerPages } from './producer-rows.js'
import { SEGMENT_DEAD, SEGMENT_LIVE } from './schema.js'
import { blob, bytesOf, int, intOf, tuple, utf8Hex, uuid, uuidHex, uuidOf, within } from './sql-text.js'

/**
 * The commit transaction. Statements, whatever the number of partitions: begin, lock the partitions, read the clock and
 * earlier outcomes, read the producers; then write segments, extents, partitions and producers, and commit. Segments that
 * are committed already answer with their first outcome; those that came too late are left out; the rest is decided by
 * `decideCommit`.
 */
export async function commitSegments(
  database: Database,
  numbers: PartitionNumbers,
  segments: readonly CommitSegment[],
  limits: CommitLimits,
): Promise<SegmentOutcome[]> {
  if (segments.length === 0) return []
  // The same segment twice in one group is one segment.
  const bySegmentId = new Map(segments.map((segment) => [segment.segmentId, segment]))
  const outcomes = await database.change((session) =>
    commitOnce(database.dialect, session, numbers, [...bySegmentId.values()], limits),
  )
  return segments.map(({ segmentId }) => {
    const outcome = outcomes.get(segmentId)
    if (!outcome) throw new RangeError(`no outcome for segment ${segmentId}`)
    return outcome
  })
}

type Outcomes = Map<SegmentId, SegmentOutcome>

async function commitOnce(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  segments: readonly CommitSegment[],
  limits: CommitLimits,
): Promise<Outcomes> {
  const numberOf = await numbersOf(session, numbers, segments)
  const pages = await lockPages(dialect, session, pagesOf(numberOf))
  // Under the locks: an earlier attempt of the same commit, still at work on the server, has ended by now.
  const { nowMs, outcomes } = await readOutcomes(dialect, session, segments)
  const fresh: CommitSegment[] = []
  for (const segment of segments) {
    if (outcomes.has(segment.segmentId)) continue
    const { segmentId } = segment
    if (nowMs - segmentTimeMs(segmentId) > limits.commitAgeMaxMs) {
      outcomes.set(segmentId, { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' })
    } else fresh.push(segment)
  }
  if (fresh.length === 0) return outcomes

  const producers = await readProducersOf(dialect, session, fresh, numberOf)
  const decision = decideCommit(fresh, stateOf(numberOf, pages, producers))
  await insertSegments(dialect, session, fresh, decision.segments, nowMs)
  await insertAccepted(session, decision, numberOf)
  await replacePartitions(dialect, session, decision, numberOf, pages)
  await replaceProducers(dialect, session, decision, numberOf, producers, nowMs)
  for (const { segmentId, batches } of decision.segments) {
    outcomes.set(segmentId, { segmentId, committed: true, batches })
  }
  return outcomes
}

/** The numbers of those partitions that can exist. */
async function numbersOf(
  session: Session,
  numbers: PartitionNumbers,
  segments: readonly CommitSegment[],
): Promise<PartitionMap<number>> {
  const blocks = segments.length === 1 ? (segments[0]?.blocks ?? []) : segments.flatMap(({ blocks }) => blocks)
  const resolved = await numbers.resolve(session, blocks)
  const numberOf = new PartitionMap<number>()
  for (const [index, { topicId, partition }] of blocks.entries()) {
    const number = resolved[index]
    if (number !== undefined) numberOf.set(topicId, partition, number)
  }
  return numberOf
}

function pagesOf(numberOf: PartitionMap<number>): ReadonlySet<number> {
  const pageNos = new Set<number>()
  for (const number of numberOf.values()) pageNos.add(pageNumberOf(number))
  return pageNos
}

/** The database's clock, and the outcomes of those segments that an earlier commit has brought in. */
async function readOutcomes(
  dialect: Dialect,
  session: Session,
  segments: readonly CommitSegment[],
): Promise<{ readonly nowMs: number; readonly outcomes: Outcomes }> {
  const bySegmentId = new Map(segments.map((segment) => [segment.segmentId, segment]))
  const condition = within('s.segment_id', [...bySegmentId.keys()].map(uuid))
  const rows = await session.rows(
    `SELECT ${dialect.nowMs} AS now_ms, s.segment_id, s.outcome
     FROM cluster_state c LEFT JOIN segments s ON ${condition} WHERE c.singleton = 1`,
  )
  const outcomes: Outcomes = new Map()
  for (const row of rows) {
    if (row['segment_id'] === null) continue
    const segment = bySegmentId.get(uuidOf(row, 'segment_id'))
    if (!segment) continue
    const batches = decodeOutcome(bytesOf(row, 'outcome'), offsetCountsOf(segment))
    outcomes.set(segment.segmentId, { segmentId: segment.segmentId, committed: true, batches })
  }
  return { nowMs: intOf(rows[0] ?? {}, 'now_ms'), outcomes }
}

/** Of the producers of these batches, each in the pages that it writes to. */
function readProducersOf(
  dialect: Dialect,
  session: Session,
  segments: readonly CommitSegment[],
  numberOf: PartitionMap<number>,
): Promise<ProducerPages> {
  const literals = new Set<string>()
  let [lastPageNo, lastId] = [-1, NO_PRODUCER_ID]
  for (const { blocks } of segments) {
    for (const { topicId, partition, batches } of blocks) {
      const number = numberOf.get(topicId, partition)
      if (number === undefined) continue
      const pageNo = pageNumberOf(number)
      for (const { producerId } of batches) {
        if (producerId === NO_PRODUCER_ID || (producerId === lastId && pageNo === lastPageNo)) continue
        literals.add(producerKeyLiteral(pageNo, producerId))
        lastPageNo = pageNo
        lastId = producerId
      }
    }
  }
  return readProducerPages(dialect, session, [...literals])
}

/** What the rows say; a producer's state is taken apart when it is asked for. */
function stateOf(numberOf: PartitionMap<number>, pages: PartitionPages, producers: ProducerPages): CommitState {
  return {
    partition: (topicId, partition) => {
      const number = numberOf.get(topicId, partition)
      const page = number === undefined ? undefined : pages.get(pageNumberOf(number))
      return number !== undefined && page ? readPartition(page, slotOf(number)) : undefined
    },
    producer: (topicId, partition, producerId) => {
      const number = numberOf.get(topicId, partition)
      if (number === undefined) return undefined
      return producers.get(pageNumberOf(number), producerId)?.state(slotOf(number))
    },
  }
}

// ---- writing

export const SEGMENT_COLUMNS = [
  'segment_id',
  'object_key',
  'object_bytes',
  'level',
  'state',
  'live_extents',
  'committed_at_ms',
  'dead_at_ms',
  'outcome',
]

/** Also a segment of which nothing was accepted gets its row, dead from the start: a repeat must find its outcome. */
async function insertSegments(
  dialect: Dialect,
  session: Session,
  segments: readonly CommitSegment[],
  decisions: readonly SegmentDecision[],
  nowMs: number,
): Promise<void> {
  const tuples = segments.map((segment, index) => {
    const { batches, extents } = decisions[index] as SegmentDecision
    const live = extents.length > 0
    return tuple(
      uuid(segment.segmentId),
      dialect.textOfHex(utf8Hex(segment.objectKey)),
      int(segment.objectBytes),
      '0',
      int(live ? SEGMENT_LIVE : SEGMENT_DEAD),
      int(extents.length),
      int(nowMs),
      live ? 'NULL' : int(nowMs),
      blob(encodeOutcome(batches, offsetCountsOf(segment))),
    )
  })
  try {
    await session.run(`INSERT INTO segments (${SEGMENT_COLUMNS.join(', ')}) VALUES ${tuples.join(', ')}`)
  } catch (error) {
    // Another commit of the same segment got in between, which no partition lock kept out because it has no partition
    // that exists. The next attempt finds its row.
    if (isDuplicateKey(error)) throw new StatementError('conflict', 'the segment is being committed twice')
    throw error
  }
}

async function insertAccepted(
  session: Session,
  decision: CommitDecision,
  numberOf: PartitionMap<number>,
): Promise<void> {
  const rows = decision.segments.flatMap(({ segmentId, extents }) => {
    const segmentHex = uuidHex(segmentId)
    return extents.map((extent) =>
      extentRow(partitionNumberOf(numberOf, extent), segmentHex, extent, extent.runningMaxTimestampMs),
    )
  })
  await insertExtents(session, rows)
}

async function replacePartitions(
  dialect: Dialect,
  session: Session,
  decision: CommitDecision,
  numberOf: PartitionMap<number>,
  pages: PartitionPages,
): Promise<void> {
  const changed = new Map<number, Uint8Array>()
  for (const change of decision.partitions) {
    const number = partitionNumberOf(numberOf, change)
    const pageNo = pageNumberOf(number)
    const page = pages.get(pageNo)
    if (page === undefined) throw new RangeError(`partition ${number} is not locked`)
    writePartition(page, slotOf(number), change)
    changed.set(pageNo, page)
  }
  await replacePages(dialect, session, changed)
}

async function replaceProducers(
  dialect: Dialect,
  session: Session,
  decision: CommitDecision,
  numberOf: PartitionMap<number>,
  known: ProducerPages,
  nowMs: number,
): Promise<void> {
  const changed = new ProducerPages()
  for (const change of decision.producers) {
    const number = partitionNumberOf(numberOf, change)
    const [pageNo, { producerId }] = [pageNumberOf(number), change]
    const page = changed.get(pageNo, producerId) ?? known.get(pageNo, producerId) ?? new ProducerPage()
    page.set(slotOf(number), change, nowMs)
    changed.set(pageNo, producerId, page)
  }
  await replaceProducerPages(dialect, session, changed)
}

function partitionNumberOf(numberOf: PartitionMap<number>, { topicId, partition }: PartitionRef): number {
  return numberOf.get(topicId, partition) ?? Number.NaN
}

function offsetCountsOf({ blocks }: CommitSegment): number[] {
  return blocks.flatMap(({ batches }) => batches.map(({ offsetCount }) => offsetCount))
}
