import { type HeadraceError, isHeadraceError } from '../../../engine/errors.js'
import type { PartitionRef, Topic, TopicId } from '../../../engine/model.js'
import { isTopicNameValid } from '../../../engine/topics/topic-rules.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure, kafkaFailureOf } from '../errors.js'
import { ZERO_UUID } from '../wire/uuid.js'

/** A topic, or why there is none. */
export type Resolved =
  | { readonly topic: Topic; readonly failure?: never }
  | { readonly topic?: never; readonly failure: KafkaFailure }

export interface ResolveOptions {
  /** Create what is missing, where that is allowed. */
  readonly create?: boolean
  /** From the catalog: what another agent has just created, changed or deleted must show. */
  readonly fresh?: boolean
}

/** Looks topics up by name. Never rejects: each name has its answer. */
export async function resolveNames(
  context: RequestContext,
  names: readonly string[],
  { create = false, fresh = false }: ResolveOptions = {},
): Promise<ReadonlyMap<string, Resolved>> {
  const { topics } = context.broker
  const resolved = new Map<string, Resolved>()
  const legal: string[] = []
  for (const name of names) {
    if (isTopicNameValid(name)) legal.push(name)
    else resolved.set(name, { failure: invalidName(name) })
  }
  try {
    const found = await (fresh ? topics.refresh(legal) : topics.byName(legal))
    // One by one: a request that names thousands of new topics must not start thousands of transactions.
    for (const name of legal) {
      const topic = found.get(name)
      if (topic !== undefined) resolved.set(name, { topic })
      else if (create && topics.autoCreate) resolved.set(name, await ensureTopic(context, name))
      else resolved.set(name, { failure: unknownTopic(name) })
    }
  } catch (error) {
    const failure = failureOf(context, error)
    for (const name of legal) if (!resolved.has(name)) resolved.set(name, { failure })
  }
  return resolved
}

/** Looks topics up by id. Never rejects. */
export async function resolveIds(
  context: RequestContext,
  topicIds: readonly TopicId[],
): Promise<ReadonlyMap<TopicId, Resolved>> {
  const resolved = new Map<TopicId, Resolved>()
  try {
    const found = await context.broker.topics.byId(topicIds.filter((topicId) => topicId !== ZERO_UUID))
    for (const topicId of topicIds) {
      const topic = found.get(topicId)
      resolved.set(topicId, topic === undefined ? { failure: unknownTopicId(topicId) } : { topic })
    }
  } catch (error) {
    const failure = failureOf(context, error)
    for (const topicId of topicIds) resolved.set(topicId, { failure })
  }
  return resolved
}

async function ensureTopic(context: RequestContext, name: string): Promise<Resolved> {
  try {
    return { topic: await context.broker.topics.ensure(name) }
  } catch (error) {
    return { failure: failureOf(context, error) }
  }
}

/** The error in Kafka's terms; one that we did not expect is logged, as its text is not for clients. */
export function failureOf(context: RequestContext, error: unknown): KafkaFailure {
  const failure = kafkaFailureOf(error)
  if (failure.errorCode === KafkaError.UNKNOWN_SERVER_ERROR) {
    context.logger.error({ err: error }, 'A Kafka request failed in a way nobody foresaw; please report it')
  }
  return failure
}

/**
 * Why `partition` is not one of the topic's, if so. It may be one of those that another agent has added since the topic was
 * looked up; then the client's next try finds it.
 */
export function partitionFailure(context: RequestContext, topic: Topic, partition: number): KafkaFailure | undefined {
  if (partition >= 0 && partition < topic.partitionCount) return undefined
  context.broker.topics.forget(topic.topicId)
  return kafkaFailure(
    KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
    `Topic ${topic.name} has partitions 0 to ${topic.partitionCount - 1}, and not ${partition}`,
  )
}

/** Where the catalog does not know a partition, its topic was deleted, and perhaps created again under another id. */
export function forgetUnknown(
  context: RequestContext,
  partitions: readonly PartitionRef[],
  results: readonly { readonly error?: HeadraceError | undefined }[],
): void {
  for (const [number, { error }] of results.entries()) {
    const gone = isHeadraceError(error, 'PARTITION_UNKNOWN') || isHeadraceError(error, 'TOPIC_UNKNOWN')
    const partition = partitions[number]
    if (gone && partition !== undefined) context.broker.topics.forget(partition.topicId)
  }
}

export function invalidName(name: string): KafkaFailure {
  return kafkaFailure(
    KafkaError.INVALID_TOPIC_EXCEPTION,
    `Topic name "${name.slice(0, 249)}" is not legal: 1 to 249 letters, digits, '.', '_' or '-', but not '.' or '..'`,
  )
}

export function unknownTopic(name: string): KafkaFailure {
  return kafkaFailure(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, `There is no topic ${name}`)
}

export function unknownTopicId(topicId: TopicId): KafkaFailure {
  return kafkaFailure(KafkaError.UNKNOWN_TOPIC_ID, `There is no topic with id ${topicId}`)
}
