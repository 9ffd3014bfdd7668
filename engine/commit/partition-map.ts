import type { TopicId } from '../model.js'

/**
 * Values by topic and partition. Two lookups, by an id whose hash is known and by a small number, cost a fraction of making a
 * key of both and hashing it, which a commit would do a dozen times for each partition.
 */
export class PartitionMap<Value> {
  readonly #topics = new Map<TopicId, Map<number, Value>>()

  get(topicId: TopicId, partition: number): Value | undefined {
    return this.#topics.get(topicId)?.get(partition)
  }

  set(topicId: TopicId, partition: number, value: Value): void {
    const partitions = this.#topics.get(topicId)
    if (partitions) partitions.set(partition, value)
    else this.#topics.set(topicId, new Map([[partition, value]]))
  }

  *values(): Generator<Value> {
    for (const partitions of this.#topics.values()) yield* partitions.values()
  }
}
