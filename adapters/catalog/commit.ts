import {
  type CommitDecision,
  decideCommit,
  type PartitionState,
  producerKey,
  type SegmentDecision,
} from '../../engine/commit/commit-decisions.js'
import { decodeOutcome, encodeOutcome } from '../../engine/commit/commit-outcome.js'
import { PartitionMap } from '../../engine/commit/partition-map.js'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { NO_PRODUCER_ID, type PartitionRef, partitionKey, type SegmentId } from '../../engine/model.js'
import type { CommitLimits, CommitSegment, SegmentOutcome } from '../../engine/ports/catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { type Database, isDuplicateKey, type Session, StatementError } from './database.js'
import type { Dialect } from './dialect.js'
import { extentRow, insertExtents } from './extent-insert.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { decodeProducer, encodeProducer } from './producer-blob.js'
import { minuteOf, producerKeyHex, producerKeyLiteral, producerOfKey } from './producers.js'
import { SEGMENT_DEAD, SEGMENT_LIVE } from './schema.js'
import { blob, bytesOf, int, intOf, tuple, uuid, uuidHex, uuidOf, within } from './sql-text.js'

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
  const numberOf = await partitionNumbersOf(session, numbers, segments)
  const partitions = await lockPartitions(dialect, session, numberOf)
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

  const producers = await readProducers(dialect, session, fresh, numberOf)
  const decision = decideCommit(fresh, { partitions, producers })
  await insertSegments(session, fresh, decision.segments, nowMs)
  await insertAccepted(session, decision, numberOf)
  await replacePartitions(dialect, session, decision, numberOf)
  await replaceProducers(dialect, session, decision, numberOf, nowMs)
  for (const { segmentId, batches } of decision.segments) {
    outcomes.set(segmentId, { segmentId, committed: true, batches })
  }
  return outcomes
}

/** Both ways, of those partitions that can exist. */
interface NumberOf {
  readonly numbers: PartitionMap<number>
  readonly partitions: ReadonlyMap<number, PartitionRef>
}

async function partitionNumbersOf(
  session: Session,
  numbers: PartitionNumbers,
  segments: readonly CommitSegment[],
): Promise<NumberOf> {
  const blocks = segments.length === 1 ? (segments[0]?.blocks ?? []) : segments.flatMap(({ blocks }) => blocks)
  const resolved = await numbers.resolve(session, blocks)
  const numberOf = { numbers: new PartitionMap<number>(), partitions: new Map<number, PartitionRef>() }
  for (const [index, block] of blocks.entries()) {
    const number = resolved[index]
    if (number === undefined || numberOf.partitions.has(number)) continue
    numberOf.numbers.set(block.topicId, block.partition, number)
    numberOf.partitions.set(number, block)
  }
  return numberOf
}

/** In one statement and in the order of the numbers, so that commits wait for each other but never in a circle. */
async function lockPartitions(
  dialect: Dialect,
  session: Session,
  numberOf: NumberOf,
): Promise<Map<string, PartitionState>> {
  const states = new Map<string, PartitionState>()
  if (numberOf.partitions.size === 0) return states
  const literals = [...numberOf.partitions.keys()].sort((a, b) => a - b).map(int)
  const rows = await session.rows(
    `SELECT partition_no, log_start_offset, high_watermark, max_timestamp_ms FROM partitions${dialect.onPrimaryKey}
     WHERE ${within('partition_no', literals)} ORDER BY partition_no${dialect.lockRows}`,
  )
  for (const row of rows) {
    const found = numberOf.partitions.get(intOf(row, 'partition_no'))
    if (!found) continue
    states.set(partitionKey(found.topicId, found.partition), {
      logStartOffset: intOf(row, 'log_start_offset'),
      highWatermark: intOf(row, 'high_watermark'),
      maxTimestampMs: intOf(row, 'max_timestamp_ms'),
    })
  }
  return states
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

async function readProducers(
  dialect: Dialect,
  session: Session,
  segments: readonly CommitSegment[],
  numberOf: NumberOf,
): Promise<Map<string, ProducerState>> {
  const literals = new Set<string>()
  for (const { blocks } of segments) {
    for (const { topicId, partition, batches } of blocks) {
      const number = numberOf.numbers.get(topicId, partition)
      if (number === undefined) continue
      let lastId = NO_PRODUCER_ID
      for (const { producerId } of batches) {
        if (producerId === NO_PRODUCER_ID || producerId === lastId) continue
        literals.add(producerKeyLiteral(number, producerId))
        lastId = producerId
      }
    }
  }
  const states = new Map<string, ProducerState>()
  if (literals.size === 0) return states
  const rows = await session.rows(
    `SELECT producer_key, epoch, batches FROM producers${dialect.onPrimaryKey}
     WHERE ${within('producer_key', [...literals])}`,
  )
  for (const row of rows) {
    const { partitionNo, producerId } = producerOfKey(bytesOf(row, 'producer_key'))
    const found = numberOf.partitions.get(partitionNo)
    if (!found) continue
    const key = producerKey(found.topicId, found.partition, producerId)
    states.set(key, decodeProducer(intOf(row, 'epoch'), bytesOf(row, 'batches')))
  }
  return states
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
  session: Session,
  segments: readonly CommitSegment[],
  decisions: readonly SegmentDecision[],
  nowMs: number,
): Promise<void> {
  const keys: string[] = []
  const tuples = segments.map((segment, index) => {
    const { batches, extents } = decisions[index] as SegmentDecision
    const live = extents.length > 0
    keys.push(segment.objectKey)
    return tuple(
      uuid(segment.segmentId),
      '?',
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
    await session.run(`INSERT INTO segments (${SEGMENT_COLUMNS.join(', ')}) VALUES ${tuples.join(', ')}`, keys)
  } catch (error) {
    // Another commit of the same segment got in between, which no partition lock kept out because it has no partition
    // that exists. The next attempt finds its row.
    if (isDuplicateKey(error)) throw new StatementError('conflict', 'the segment is being committed twice')
    throw error
  }
}

async function insertAccepted(session: Session, decision: CommitDecision, numberOf: NumberOf): Promise<void> {
  const rows = decision.segments.flatMap(({ segmentId, extents }) => {
    const segmentHex = uuidHex(segmentId)
    return extents.map((extent) =>
      extentRow(partitionNumberOf(numberOf, extent), segmentHex, extent, extent.runningMaxTimestampMs),
    )
  })
  await insertExtents(session, rows)
}

/** The rows are there and locked, so the insert always ends in its update: the one bulk update that all databases know. */
async function replacePartitions(
  dialect: Dialect,
  session: Session,
  decision: CommitDecision,
  numberOf: NumberOf,
): Promise<void> {
  const rows = decision.partitions.map((partition) => [
    partitionNumberOf(numberOf, partition),
    partition.logStartOffset,
    partition.highWatermark,
    partition.maxTimestampMs,
  ])
  const columns = ['partition_no', 'log_start_offset', 'high_watermark', 'max_timestamp_ms']
  const suffix = dialect.onConflictReplace(['partition_no'], ['high_watermark', 'max_timestamp_ms'])
  await session.insertRows({ table: 'partitions', columns, rows, suffix })
}

async function replaceProducers(
  dialect: Dialect,
  session: Session,
  decision: CommitDecision,
  numberOf: NumberOf,
  nowMs: number,
): Promise<void> {
  const minute = minuteOf(nowMs)
  const rows = decision.producers.map((producer) => [
    producerKeyHex(partitionNumberOf(numberOf, producer), producer.producerId),
    producer.epoch,
    encodeProducer(producer),
    nowMs,
    minute,
  ])
  const columns = ['producer_key', 'epoch', 'batches', 'updated_at_ms', 'updated_minute']
  const suffix = dialect.onConflictReplace(['producer_key'], columns.slice(1))
  await session.insertRows({ table: 'producers', columns, rows, suffix })
}

function partitionNumberOf({ numbers }: NumberOf, { topicId, partition }: PartitionRef): number {
  return numbers.get(topicId, partition) ?? Number.NaN
}

function offsetCountsOf({ blocks }: CommitSegment): number[] {
  return blocks.flatMap(({ batches }) => batches.map(({ offsetCount }) => offsetCount))
}
