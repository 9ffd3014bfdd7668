/**
 * The nouns every part of the engine shares. Log offsets, producer ids and timestamps are `number`s that are safe
 * integers (docs/adr/0002); a wire value outside that range is refused where it enters.
 */

/** Random UUID of a topic, lower-case canonical text. Never reused: a topic created again has another id. */
export type TopicId = string

/** UUIDv7 of a segment, lower-case canonical text. Its first 48 bits are the agent's clock at sealing, in ms. */
export type SegmentId = string

export interface PartitionRef {
  readonly topicId: TopicId
  readonly partition: number
}

export interface Topic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitionCount: number
  /** Only the configs set on this topic, by Kafka's names; defaults are the cluster's. */
  readonly configs: Readonly<Record<string, string>>
  readonly assignment?: ReplicaAssignment
}

/**
 * Nodes that an administrator named for each partition, none for those left out. Shown to clients as replicas, and nothing else:
 * every agent serves every partition.
 */
export type ReplicaAssignment = readonly (readonly number[])[]

/** Map key of a partition. */
export function partitionKey(topicId: TopicId, partition: number): string {
  return `${topicId}/${partition}`
}

/** Producer id, epoch and sequence of a batch that has none. */
export const NO_PRODUCER_ID = -1
