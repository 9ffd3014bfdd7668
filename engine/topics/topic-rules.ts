import { HeadraceError } from '../errors.js'
import type { ReplicaAssignment, Topic } from '../model.js'

/** Kafka's rules for topics, as its clients and tools know them. */
const NAME_PATTERN = /^[a-zA-Z0-9._-]{1,249}$/

/** More partitions than one topic may have: the commit's statements and every Metadata answer grow with them. */
export const PARTITION_COUNT_MAX = 10_000

export function isTopicNameValid(name: string): boolean {
  return NAME_PATTERN.test(name) && name !== '.' && name !== '..'
}

/** @throws TOPIC_NAME_INVALID */
export function checkTopicName(name: string): void {
  if (isTopicNameValid(name)) return
  throw new HeadraceError(
    'TOPIC_NAME_INVALID',
    'never',
    `topic name ${JSON.stringify(name.slice(0, 300))} is not legal: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-', and not '.' or '..'`,
  )
}

/** @throws PARTITION_COUNT_INVALID */
export function checkPartitionCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= PARTITION_COUNT_MAX) return
  throw new HeadraceError(
    'PARTITION_COUNT_INVALID',
    'never',
    `a topic has 1 to ${PARTITION_COUNT_MAX} partitions, not ${count}`,
  )
}

/** @throws PARTITION_COUNT_INVALID: partitions are only ever added */
export function checkPartitionsAdded(name: string, countBefore: number, count: number): void {
  if (count > countBefore) return
  throw new HeadraceError(
    'PARTITION_COUNT_INVALID',
    'never',
    `topic ${name} has ${countBefore} partitions already; ask for more than that, as partitions cannot be removed`,
  )
}

/** The topic's assignment once partitions with `added` have come to it; undefined where nobody ever assigned any. */
export function grownAssignment(topic: Topic, added: ReplicaAssignment | undefined): ReplicaAssignment | undefined {
  if (added === undefined) return topic.assignment
  const before = Array.from({ length: topic.partitionCount }, (_, partition) => topic.assignment?.[partition] ?? [])
  return [...before, ...added]
}
