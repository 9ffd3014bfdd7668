import type { PartitionRef, TopicId } from '../../engine/model.js'
import type { Session } from './database.js'
import { int, intOf, uuid, uuidOf, within } from './sql-text.js'

/**
 * Partitions by number. Each topic gets a number once, never reused; a partition's key is `topic_no * 2^20 + partition`.
 * One integer column makes every lookup by partition a plain range, which all databases plan alike, and its order is the
 * order in which partitions are locked everywhere.
 */
const PARTITIONS_PER_TOPIC_BITS = 20
const PARTITION_COUNT_MAX = 2 ** PARTITIONS_PER_TOPIC_BITS
/** Immutable facts, so the only reason to forget is memory. */
const CACHED_TOPICS_MAX = 100_000

export function partitionNumber(topicNo: number, partition: number): number {
  return topicNo * PARTITION_COUNT_MAX + partition
}

export function topicNumberOf(partitionNo: number): number {
  return Math.floor(partitionNo / PARTITION_COUNT_MAX)
}

export function partitionIndexOf(partitionNo: number): number {
  return partitionNo % PARTITION_COUNT_MAX
}

export function isPartitionIndex(partition: number): boolean {
  return Number.isInteger(partition) && partition >= 0 && partition < PARTITION_COUNT_MAX
}

export function partitionNumberMin(topicNo: number): number {
  return partitionNumber(topicNo, 0)
}

export function partitionNumberMax(topicNo: number): number {
  return partitionNumber(topicNo, PARTITION_COUNT_MAX - 1)
}

/** Condition: all partitions of the topic. */
export function partitionsOfTopic(topicNo: number): string {
  return `partition_no BETWEEN ${int(partitionNumberMin(topicNo))} AND ${int(partitionNumberMax(topicNo))}`
}

/** Remembers the numbers of topics, deleted ones included: a number is the same for ever, and means nothing more. */
export class PartitionNumbers {
  readonly #numbers = new Map<TopicId, number>()

  remember(topicId: TopicId, topicNo: number): void {
    if (this.#numbers.size >= CACHED_TOPICS_MAX) this.#numbers.clear()
    this.#numbers.set(topicId, topicNo)
  }

  /**
   * The number of each partition, in order; undefined where the topic was never there. That a partition has a number does
   * not say that it exists.
   */
  async resolve(session: Session, partitions: readonly PartitionRef[]): Promise<(number | undefined)[]> {
    const found = await this.#topics(session, new Set(partitions.map(({ topicId }) => topicId)))
    return partitions.map(({ topicId, partition }) => {
      const topicNo = found.get(topicId)
      return topicNo === undefined || !isPartitionIndex(partition) ? undefined : partitionNumber(topicNo, partition)
    })
  }

  async #topics(session: Session, topicIds: ReadonlySet<TopicId>): Promise<ReadonlyMap<TopicId, number>> {
    const found = new Map<TopicId, number>()
    const missing: TopicId[] = []
    for (const topicId of topicIds) {
      const topicNo = this.#numbers.get(topicId)
      if (topicNo === undefined) missing.push(topicId)
      else found.set(topicId, topicNo)
    }
    if (missing.length === 0) return found
    const rows = await session.rows(
      `SELECT topic_id, topic_no FROM topics WHERE ${within('topic_id', missing.map(uuid))}`,
    )
    for (const row of rows) {
      const [topicId, topicNo] = [uuidOf(row, 'topic_id'), intOf(row, 'topic_no')]
      found.set(topicId, topicNo)
      this.remember(topicId, topicNo)
    }
    return found
  }
}
