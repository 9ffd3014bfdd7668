import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../apis/45-alter-partition-reassignments.js'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../apis/46-list-partition-reassignments.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'
import { partitionFailure, resolveNames } from './resolve-topics.js'

const cannotMove = kafkaFailure(
  KafkaError.INVALID_REPLICA_ASSIGNMENT,
  'Partitions are not on agents, which could be changed: they are in the object store, and every agent serves them all',
)

const nothingToCancel = kafkaFailure(KafkaError.NO_REASSIGNMENT_IN_PROGRESS, 'No reassignment is in progress')

export async function handleAlterPartitionReassignments(
  context: RequestContext,
  request: AlterPartitionReassignmentsRequest,
): Promise<AlterPartitionReassignmentsResponse> {
  const resolved = await resolveNames(
    context,
    request.topics.map(({ name }) => name),
  )
  const topics = request.topics.map(({ name, partitions }) => {
    const { topic, failure } = resolved.get(name)!
    return {
      name,
      partitions: partitions.map(({ partition, nodeIds }) => ({
        partition,
        ...(failure ??
          partitionFailure(context, topic, partition) ??
          (nodeIds === null ? nothingToCancel : cannotMove)),
      })),
    }
  })
  return { errorCode: KafkaError.NONE, errorMessage: null, topics }
}

export async function handleListPartitionReassignments(
  _context: RequestContext,
  _request: ListPartitionReassignmentsRequest,
): Promise<ListPartitionReassignmentsResponse> {
  return { errorCode: KafkaError.NONE, errorMessage: null }
}
