import type { PendingProduce, ProduceBatch, ProduceResult } from '../../../engine/broker.js'
import { isHeadraceError } from '../../../engine/errors.js'
import type { Topic } from '../../../engine/model.js'
import { hasCleanupPolicy, hasLogAppendTime } from '../../../engine/topics/topic-configs.js'
import {
  LOG_APPEND_TIME_NONE,
  type ProducePartition,
  type ProducePartitionResponse,
  type ProduceRequest,
  type ProduceResponse,
} from '../apis/00-produce.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaFailure, kafkaFailure } from '../errors.js'
import { failureOf, partitionFailure, type Resolved, resolveNames, unknownTopic } from './resolve-topics.js'

/**
 * Hands a request's batches to the intake. The promise settles as soon as their bytes are copied; the next request of
 * the connection must wait for that, which keeps a producer's order. What it settles to waits for the commit.
 *
 * Refused partitions are left out; the others go on, as in Kafka.
 */
export async function acceptProduce(
  context: RequestContext,
  request: ProduceRequest,
  version: number,
  chunks: readonly Uint8Array[],
): Promise<() => Promise<ProduceResponse>> {
  const refusal = requestRefusal(request)
  const resolved = refusal === undefined ? await resolveTopics(context, request) : new Map<string, Resolved>()
  const batches: ProduceBatch[] = []
  const plan = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition): Planned => {
      const { topic, failure } = resolved.get(name) ?? { failure: refusal ?? unknownTopic(name) }
      const refused = failure ?? partitionRefusal(context, topic, partition)
      if (refused !== undefined) return { partition: partition.partition, failure: refused }
      const { position, bytes } = partition.records!
      batches.push({
        topicId: topic!.topicId,
        partition: partition.partition,
        position,
        bytes,
        zstdAllowed: version >= ZSTD_VERSION_MIN,
        logAppendTime: hasLogAppendTime(topic!.configs),
        keysRequired: hasCleanupPolicy(topic!.configs, 'compact'),
      })
      return { partition: partition.partition, batch: batches.length - 1 }
    }),
  }))
  const pending = batches.length === 0 ? undefined : await append(context, chunks, batches)
  return async () => {
    const results = pending === undefined ? [] : await pending.results
    return {
      topics: plan.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((planned) => answer(context, planned, results)),
      })),
    }
  }
}

/** First version whose clients know what zstd is. */
const ZSTD_VERSION_MIN = 7

type Planned =
  | { readonly partition: number; readonly batch: number; readonly failure?: never }
  | { readonly partition: number; readonly failure: KafkaFailure; readonly batch?: never }

/** What refuses all of a request. */
function requestRefusal(request: ProduceRequest): KafkaFailure | undefined {
  if (request.acks < -1 || request.acks > 1) {
    return kafkaFailure(KafkaError.INVALID_REQUIRED_ACKS, `acks must be -1 (all), 0 or 1, and not ${request.acks}`)
  }
  if (request.transactionalId !== null) {
    return kafkaFailure(
      KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      'Transactions are not supported: produce without a transactional id',
    )
  }
  return undefined
}

/** Topics are cached as a rule; only a topic new to this agent makes the connection wait. */
async function resolveTopics(context: RequestContext, request: ProduceRequest): Promise<ReadonlyMap<string, Resolved>> {
  const resolved = new Map<string, Resolved>()
  const missing: string[] = []
  for (const { name } of request.topics) {
    const topic = context.broker.topics.cached(name)
    if (topic === undefined) missing.push(name)
    else resolved.set(name, { topic })
  }
  if (missing.length === 0) return resolved
  return new Map([...resolved, ...(await resolveNames(context, missing, { create: true }))])
}

/** What can be told without looking into the records, which only a worker does. */
function partitionRefusal(
  context: RequestContext,
  topic: Topic,
  { partition, records }: ProducePartition,
): KafkaFailure | undefined {
  const unknown = partitionFailure(context, topic, partition)
  if (unknown !== undefined) return unknown
  if (records === null || records.bytes === 0) {
    return kafkaFailure(KafkaError.INVALID_RECORD, `No record batch for partition ${partition} of ${topic.name}`)
  }
  const { bytes, batchBytes, magic } = records
  const bytesMax = messageBytesMax(context, topic)
  if (bytes > bytesMax) {
    return kafkaFailure(
      KafkaError.MESSAGE_TOO_LARGE,
      `A batch of ${bytes} bytes is larger than max.message.bytes = ${bytesMax} of ${topic.name}`,
    )
  }
  if (magic !== undefined && magic !== RECORD_BATCH_MAGIC) {
    return kafkaFailure(KafkaError.INVALID_RECORD, `Record batches must have magic 2, and not ${magic}`)
  }
  if (batchBytes === undefined || batchBytes > bytes || batchBytes < 0) {
    return kafkaFailure(
      KafkaError.CORRUPT_MESSAGE,
      `The batch for partition ${partition} of ${topic.name} is cut short`,
    )
  }
  if (batchBytes < bytes) {
    return kafkaFailure(KafkaError.INVALID_RECORD, `Exactly one record batch per partition is allowed`)
  }
  return undefined
}

const RECORD_BATCH_MAGIC = 2

function messageBytesMax(context: RequestContext, topic: Topic): number {
  const configured = topic.configs['max.message.bytes']
  return configured === undefined ? context.settings.messageBytesMax : Number(configured)
}

/** Wrapped, as a promise in a promise would be awaited with it. An agent that is closing refuses every batch. */
async function append(
  context: RequestContext,
  chunks: readonly Uint8Array[],
  batches: readonly ProduceBatch[],
): Promise<PendingProduce> {
  try {
    return await context.broker.intake.append({ chunks, batches })
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    return { results: Promise.resolve(batches.map((): ProduceResult => ({ ok: false, error }))) }
  }
}

function answer(
  context: RequestContext,
  planned: Planned,
  results: readonly ProduceResult[],
): ProducePartitionResponse {
  const { partition } = planned
  if (planned.failure !== undefined) return refused(partition, planned.failure, NO_RECORD_ERRORS)
  const result = results[planned.batch]!
  if (!result.ok) return refused(partition, failureOf(context, result.error), result.recordErrors ?? NO_RECORD_ERRORS)
  // Literals of one shape, no spread: spreading took a tenth of the main thread's time under small batches.
  return {
    partition,
    errorCode: KafkaError.NONE,
    errorMessage: null,
    baseOffset: result.baseOffset,
    logStartOffset: result.logStartOffset,
    logAppendTimeMs: result.logAppendTimeMs ?? LOG_APPEND_TIME_NONE,
    recordErrors: NO_RECORD_ERRORS,
  }
}

function refused(
  partition: number,
  { errorCode, errorMessage }: KafkaFailure,
  recordErrors: ProducePartitionResponse['recordErrors'],
): ProducePartitionResponse {
  return {
    partition,
    errorCode,
    errorMessage,
    baseOffset: -1,
    logStartOffset: -1,
    logAppendTimeMs: LOG_APPEND_TIME_NONE,
    recordErrors,
  }
}

const NO_RECORD_ERRORS: ProducePartitionResponse['recordErrors'] = []
