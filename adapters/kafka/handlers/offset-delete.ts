import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../apis/47-offset-delete.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupErrorCode, groupFailureOf } from './group-failures.js'
import { resolvePartitions } from './resolve-partitions.js'

export async function handleOffsetDelete(
  context: RequestContext,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponse> {
  const { refs, topics } = await resolvePartitions(
    context,
    request.topics,
    (partition) => partition,
    (ref, _partition, topicName) => ({ ...ref, topicName }),
  )
  try {
    const results = await context.broker.groups.deleteOffsets(request.groupId, refs)
    return {
      errorCode: KafkaError.NONE,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partition, errorCode, place }) => ({
          partition,
          errorCode: errorCode ?? groupErrorCode(context, results[place]),
        })),
      })),
    }
  } catch (error) {
    return { errorCode: groupFailureOf(context, error).errorCode, topics: [] }
  }
}
