import type { OffsetDeleteRequest, OffsetDeleteResponse } from '../apis/47-offset-delete.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupErrorCode, groupFailureOf, groupLookupErrorCode } from './group-failures.js'
import { answerPlan, planPartitions } from './plan-partitions.js'

export async function handleOffsetDelete(
  context: RequestContext,
  request: OffsetDeleteRequest,
): Promise<OffsetDeleteResponse> {
  const plan = await planPartitions(context, request.topics, (ref, _partition, { name }) => ({
    ...ref,
    topicName: name,
  }))
  try {
    const results = await context.broker.groups.deleteOffsets(request.groupId, plan.refs)
    const topics = answerPlan(
      plan,
      (partition, refusal) => ({ partition, errorCode: groupLookupErrorCode(refusal) }),
      (partition, place) => ({ partition, errorCode: groupErrorCode(context, results[place]) }),
    )
    return { errorCode: KafkaError.NONE, topics }
  } catch (error) {
    return { errorCode: groupFailureOf(context, error).errorCode, topics: [] }
  }
}
