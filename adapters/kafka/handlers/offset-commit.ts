import type { OffsetToCommit } from '../../../engine/groups/group-coordinator.js'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../apis/08-offset-commit.js'
import type { RequestContext } from '../context.js'
import { groupErrorCode, groupLookupErrorCode } from './group-failures.js'
import { answerPlan, planPartitions } from './plan-partitions.js'
import { forgetUnknown } from './resolve-topics.js'

export async function handleOffsetCommit(
  context: RequestContext,
  request: OffsetCommitRequest,
): Promise<OffsetCommitResponse> {
  const plan = await planPartitions(context, request.topics, (ref, { offset, leaderEpoch, metadata }) => {
    // Kafka too keeps "nothing" as an empty text.
    return { ...ref, offset, leaderEpoch, metadata: metadata ?? '' }
  })
  const errorOf = await commit(context, request, plan.refs)
  const topics = answerPlan(
    plan,
    (partition, refusal) => ({ partition, errorCode: groupLookupErrorCode(refusal) }),
    (partition, place) => ({ partition, errorCode: groupErrorCode(context, errorOf(place)) }),
  )
  return { topics }
}

/** Also without an offset that could be committed: a member that was fenced must hear of it. */
async function commit(
  context: RequestContext,
  { groupId, generationId, memberId, groupInstanceId }: OffsetCommitRequest,
  offsets: readonly OffsetToCommit[],
): Promise<(place: number) => unknown> {
  try {
    const member = { groupId, generationId, memberId, groupInstanceId }
    const results = await context.broker.groups.commitOffsets({ ...member, offsets })
    forgetUnknown(
      context,
      offsets,
      results.map((error) => ({ error })),
    )
    return (place) => results[place]
  } catch (error) {
    return () => error
  }
}
