import type { DeleteRecordsRequest as EngineRequest } from '../../../engine/broker.js'
import type { PartitionRef, Topic } from '../../../engine/model.js'
import { hasCleanupPolicy } from '../../../engine/topics/topic-configs.js'
import {
  type DeleteRecordsPartition,
  type DeleteRecordsPartitionResponse,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  HIGH_WATERMARK,
} from '../apis/21-delete-records.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { lookUpPlanned, planPartitions, type Refusal } from './plan-partitions.js'

export async function handleDeleteRecords(
  context: RequestContext,
  request: DeleteRecordsRequest,
): Promise<DeleteRecordsResponse> {
  const plan = await planPartitions(context, request.topics, deletionOf, { fresh: true })
  const topics = await lookUpPlanned(context, plan, {
    ask: (refs) => context.broker.logs.deleteRecords(refs),
    found: (partition, { logStartOffset }): DeleteRecordsPartitionResponse => ({
      partition,
      lowWatermark: logStartOffset,
      errorCode: KafkaError.NONE,
    }),
    refused: (partition, { errorCode }) => ({ partition, lowWatermark: -1, errorCode }),
  })
  return { topics }
}

function deletionOf(ref: PartitionRef, { offset }: DeleteRecordsPartition, topic: Topic): EngineRequest | Refusal {
  // What compaction keeps are the last values of all keys, and not what is young: Kafka refuses this too.
  if (!hasCleanupPolicy(topic.configs, 'delete')) return { errorCode: KafkaError.POLICY_VIOLATION }
  if (offset < HIGH_WATERMARK) return { errorCode: KafkaError.OFFSET_OUT_OF_RANGE }
  return { ...ref, offset: offset === HIGH_WATERMARK ? 'high-watermark' : offset }
}
