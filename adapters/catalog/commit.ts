import { type CommitState, decideCommit } from '../../engine/commit/commit-decisions.js'
import { decodeOutcome, offsetCountsOf } from '../../engine/commit/commit-outcome.js'
import { PartitionMap } from '../../engine/commit/partition-map.js'
import { NO_PRODUCER_ID, type SegmentId } from '../../engine/model.js'
import type { CommitLimits, CommitSegment, SegmentOutcome } from '../../engine/ports/catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { acceptedRows, changedPages, changedProducers, segmentsInsert } from './commit-changes.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import type { ExtentFiling } from './extent-filing.js'
import { recentExtentsInsert } from './extent-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf, readPartition, slotOf } from './partition-page.js'
import { lockPagesQuery, type PartitionPages, pagesOf, pagesReplacement } from './partition-rows.js'
import {
  type ProducerPages,
  producerKeyLiteral,
  producerPagesOf,
  producerPagesQuery,
  producerPagesReplacement,
} from './producer-rows.js'
import { bytesOf, intOf, type Row, uuid, uuidOf, within } from './sql-text.js'
import { isDuplicateKey, StatementError } from './statement-errors.js'

/**
 * The commit transaction. Statements, whatever the number of partitions: begin, lock the partitions, read the clock and
 * earlier outcomes, read the producers; then write segments, recent extents, partitions and producers, and commit. Where statements
 * can travel together these are three messages: to and including the reads, the writes, COMMIT. Segments that
 * are committed already answer with their first outcome; those that came too late are left out; the rest is decided by
 * `decideCommit`.
 */
export async function commitSegments(
  database: Database,
  numbers: PartitionNumbers,
  filing: ExtentFiling,
  segments: readonly CommitSegment[],
  limits: CommitLimits,
): Promise<SegmentOutcome[]> {
  if (segments.length === 0) return []
  // The same segment twice in one group is one segment.
  const bySegmentId = new Map(segments.map((segment) => [segment.segmentId, segment]))
  await filing.keptUp()
  const { outcomes, pageNos } = await database.change((session) =>
    commitOnce(database.dialect, session, numbers, [...bySegmentId.values()], limits),
  )
  filing.committed(pageNos)
  return segments.map(({ segmentId }) => {
    const outcome = outcomes.get(segmentId)
    if (!outcome) throw new RangeError(`no outcome for segment ${segmentId}`)
    return outcome
  })
}

type Outcomes = Map<SegmentId, SegmentOutcome>

interface Committed {
  readonly outcomes: Outcomes
  /** Of the pages of partitions that extents came to. */
  readonly pageNos: Iterable<number>
}

async function commitOnce(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  segments: readonly CommitSegment[],
  limits: CommitLimits,
): Promise<Committed> {
  const numberOf = await numbersOf(session, numbers, segments)
  // What the locks are for is read under them: an earlier attempt of the same commit, still at work on the server, has ended by then.
  const [pageRows = [], outcomeRows = [], producerRows = []] = await session.rowsOfEach([
    lockPagesQuery(dialect, pageNumbersOf(numberOf)),
    outcomesQuery(dialect, segments),
    producerPagesQuery(dialect, producerLiteralsOf(segments, numberOf)),
  ])
  const { nowMs, outcomes } = outcomesOf(outcomeRows, segments)
  const fresh: CommitSegment[] = []
  for (const segment of segments) {
    if (outcomes.has(segment.segmentId)) continue
    const { segmentId } = segment
    if (nowMs - segmentTimeMs(segmentId) > limits.commitAgeMaxMs) {
      outcomes.set(segmentId, { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' })
    } else fresh.push(segment)
  }
  if (fresh.length === 0) return { outcomes, pageNos: [] }

  const pages = pagesOf(pageRows)
  const producers = producerPagesOf(producerRows)
  const decision = decideCommit(fresh, stateOf(numberOf, pages, producers))
  const pagesAfter = changedPages(decision, numberOf, pages)
  const changes = [
    segmentsInsert(dialect, fresh, decision.segments, nowMs),
    recentExtentsInsert(acceptedRows(decision, numberOf)),
    pagesReplacement(dialect, pagesAfter),
    producerPagesReplacement(dialect, changedProducers(decision, numberOf, producers, nowMs)),
  ]
  try {
    await session.runEach(changes)
  } catch (error) {
    // Another commit of the same segment got in between, which no partition lock kept out because it has no partition
    // that exists. The next attempt finds its row.
    if (isDuplicateKey(error)) throw new StatementError('conflict', 'the segment is being committed twice')
    throw error
  }
  for (const { segmentId, batches } of decision.segments) {
    outcomes.set(segmentId, { segmentId, committed: true, batches })
  }
  return { outcomes, pageNos: pagesAfter.keys() }
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

function pageNumbersOf(numberOf: PartitionMap<number>): ReadonlySet<number> {
  const pageNos = new Set<number>()
  for (const number of numberOf.values()) pageNos.add(pageNumberOf(number))
  return pageNos
}

/** The database's clock, and the outcomes of those segments that an earlier commit has brought in. */
function outcomesQuery(dialect: Dialect, segments: readonly CommitSegment[]): string {
  const condition = within(
    's.segment_id',
    segments.map(({ segmentId }) => uuid(segmentId)),
  )
  return `SELECT ${dialect.nowMs} AS now_ms, s.segment_id, s.outcome
    FROM cluster_state c LEFT JOIN segments s ON ${condition} WHERE c.singleton = 1`
}

function outcomesOf(
  rows: readonly Row[],
  segments: readonly CommitSegment[],
): { readonly nowMs: number; readonly outcomes: Outcomes } {
  const bySegmentId = new Map(segments.map((segment) => [segment.segmentId, segment]))
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

/** The producers of these batches, each in the pages that it writes to. */
function producerLiteralsOf(segments: readonly CommitSegment[], numberOf: PartitionMap<number>): string[] {
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
  return [...literals]
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
