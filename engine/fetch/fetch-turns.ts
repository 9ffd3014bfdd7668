import { type PartitionRef, partitionKey } from '../model.js'

/** Of the partitions with data that this many answers in a row left out one comes first in the next. */
const PASSED_OVER_MAX = 8

/** Where a partition that is due would cost more loads it still comes first in each answer with this number. */
const FORCED_EVERY = 32

/**
 * Keeps the reading of old segments first, which is what makes a consumer of many partitions read each segment once, from
 * starving partitions that are further on: remembers which partitions with data the last answers to one consumer left out.
 *
 * One per consumer connection; a connection's fetches do not overlap.
 */
export class FetchTurns {
  #answerCount = 0
  #passedOver = new Map<string, number>()

  /** How many answers have passed the partition over if it has waited long enough, 0 before. */
  dueCount({ topicId, partition }: PartitionRef): number {
    const count = this.#passedOver.get(partitionKey(topicId, partition)) ?? 0
    return count >= PASSED_OVER_MAX ? count : 0
  }

  /** Whether a partition that is due comes first now whatever it costs. */
  get isDueForced(): boolean {
    return this.#answerCount % FORCED_EVERY === FORCED_EVERY - 1
  }

  /** An answer leaves for the consumer, without records of these partitions although they have some. */
  answered(passedOver: readonly PartitionRef[]): void {
    this.#answerCount += 1
    // Made anew, so that it holds no more partitions than the last fetch asked for.
    const counts = new Map<string, number>()
    for (const { topicId, partition } of passedOver) {
      const key = partitionKey(topicId, partition)
      counts.set(key, (this.#passedOver.get(key) ?? 0) + 1)
    }
    this.#passedOver = counts
  }
}
