import type { DeleteRecordsResult, DeleteRecordsRequest as EngineRequest } from '../../../engine/broker.js'
import { isHeadraceError } from '../../../engine/errors.js'
import { hasCleanupPolicy } from '../../../engine/topics/topic-configs.js'
import {
  type DeleteRecordsPartition,
  type DeleteRecordsPartitionResponse,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  HIGH_WATERMARK,
} from '../apis/21-delete-records.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { failureOf, forgetUnknown, partitionFailure, type Resolved, resolveNames } from './resolve-topics.js'

export async function handleDeleteRecords(
  context: RequestContext,
  request: DeleteRecordsRequest,
): Promise<DeleteRecordsResponse> {
  const names = request.topics.map(({ name }) => name)
  const resolved = await resolveNames(context, names, { fresh: true })
  const deletions: EngineRequest[] = []
  const plan = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => planPartition(context, resolved.get(name)!, partition, deletions)),
  }))
  const results = await deleteRecords(context, deletions)
  const topics = plan.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((planned) => answer(context, planned, results)),
  }))
  return { topics }
}

type Planned =
  | { readonly partition: number; readonly deletion: number; readonly errorCode?: never }
  | { readonly partition: number; readonly errorCode: KafkaErrorCode; readonly deletion?: never }

function planPartition(
  context: RequestContext,
  { topic, failure }: Resolved,
  { partition, offset }: DeleteRecordsPartition,
  deletions: EngineRequest[],
): Planned {
  const refused = failure ?? partitionFailure(context, topic, partition)
  if (refused !== undefined) return { partition, errorCode: refused.errorCode }
  // What compaction keeps are the last values of all keys, and not what is young: Kafka refuses this too.
  if (!hasCleanupPolicy(topic!.configs, 'delete')) return { partition, errorCode: KafkaError.POLICY_VIOLATION }
  if (offset < HIGH_WATERMARK) return { partition, errorCode: KafkaError.OFFSET_OUT_OF_RANGE }
  const target = offset === HIGH_WATERMARK ? 'high-watermark' : offset
  deletions.push({ topicId: topic!.topicId, partition, offset: target })
  return { partition, deletion: deletions.length - 1 }
}

async function deleteRecords(
  context: RequestContext,
  deletions: readonly EngineRequest[],
): Promise<readonly DeleteRecordsResult[]> {
  try {
    const results = await context.broker.logs.deleteRecords(deletions)
    forgetUnknown(context, deletions, results)
    return results
  } catch (error) {
    if (!isHeadraceError(error)) throw error
    return deletions.map(() => ({ error }))
  }
}

function answer(
  context: RequestContext,
  planned: Planned,
  results: readonly DeleteRecordsResult[],
): DeleteRecordsPartitionResponse {
  const { partition } = planned
  if (planned.deletion === undefined) return { partition, lowWatermark: -1, errorCode: planned.errorCode }
  const { error, logStartOffset } = results[planned.deletion]!
  if (error !== undefined) return { partition, lowWatermark: -1, errorCode: failureOf(context, error).errorCode }
  return { partition, lowWatermark: logStartOffset, errorCode: KafkaError.NONE }
}
