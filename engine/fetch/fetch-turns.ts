import { type PartitionRef, partitionKey } from '../model.js'

/** A partition with data that this many answers in a row left out comes first in the next one. */
const PASSED_OVER_MAX = 8

/**
 * Keeps the reading of old segments first, which is what makes a consumer of many partitions read each segment once, from
 * starving partitions that are further on: remembers which partitions with data the last answers to one consumer left out.
 *
 * One per consumer connection; a connection's fetches do not overlap.
 */
export class FetchTurns {
  #passedOver = new Map<string, number>()

  /** Whether the partition has waited long enough. */
  isDue({ topicId, partition }: PartitionRef): boolean {
    return (this.#passedOver.get(partitionKey(topicId, partition)) ?? 0) >= PASSED_OVER_MAX
  }

  /** An answer leaves for the consumer, without records of these partitions although they have some. */
  answered(passedOver: readonly PartitionRef[]): void {
    // Made anew, so that it holds no more partitions than the last fetch asked for.
    const counts = new Map<string, number>()
    for (const { topicId, partition } of passedOver) {
      const key = partitionKey(topicId, partition)
      counts.set(key, (this.#passedOver.get(key) ?? 0) + 1)
    }
    this.#passedOver = counts
  }
}
