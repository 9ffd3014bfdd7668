import type { PartitionRef } from '../../../engine/model.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { partitionFailure, resolveNames } from './resolve-topics.js'

/** A partition of a request: one of ours, by its place in the list of those, or why it is none. */
export type ResolvedPartition =
  | { readonly partition: number; readonly place: number; readonly errorCode?: never }
  | { readonly partition: number; readonly errorCode: KafkaErrorCode; readonly place?: never }

export interface ResolvedPartitions<Ref> {
  readonly refs: readonly Ref[]
  /** Topics and partitions as the request has them. */
  readonly topics: readonly { readonly name: string; readonly partitions: readonly ResolvedPartition[] }[]
}

/** Topics and partitions of a group request, by name, as the engine knows them. Never rejects. */
export async function resolvePartitions<Asked, Ref>(
  context: RequestContext,
  topics: readonly { readonly name: string; readonly partitions: readonly Asked[] }[],
  partitionOf: (asked: Asked) => number,
  refOf: (ref: PartitionRef, asked: Asked, topicName: string) => Ref,
): Promise<ResolvedPartitions<Ref>> {
  const resolved = await resolveNames(
    context,
    topics.map(({ name }) => name),
  )
  const refs: Ref[] = []
  const planned = topics.map(({ name, partitions }) => {
    const { topic, failure } = resolved.get(name)!
    return {
      name,
      partitions: partitions.map((asked): ResolvedPartition => {
        const partition = partitionOf(asked)
        const refused = failure ?? partitionFailure(context, topic, partition)
        if (refused !== undefined) return { partition, errorCode: inGroupTerms(refused.errorCode) }
        refs.push(refOf({ topicId: topic!.topicId, partition }, asked, name))
        return { partition, place: refs.length - 1 }
      }),
    }
  })
  return { refs, topics: planned }
}

/** What group APIs know of the ways a lookup of topics can fail. */
function inGroupTerms(errorCode: KafkaErrorCode): KafkaErrorCode {
  switch (errorCode) {
    case KafkaError.INVALID_TOPIC_EXCEPTION:
      return KafkaError.UNKNOWN_TOPIC_OR_PARTITION
    case KafkaError.KAFKA_STORAGE_ERROR:
    case KafkaError.REQUEST_TIMED_OUT:
    case KafkaError.NOT_LEADER_OR_FOLLOWER:
      return KafkaError.COORDINATOR_NOT_AVAILABLE
    default:
      return errorCode
  }
}
