import type { OffsetToCommit } from '../../../engine/groups/group-coordinator.js'
import type { OffsetCommitRequest, OffsetCommitResponse } from '../apis/08-offset-commit.js'
import type { RequestContext } from '../context.js'
import { groupErrorCode } from './group-failures.js'
import { resolvePartitions } from './resolve-partitions.js'
import { forgetUnknown } from './resolve-topics.js'

export async function handleOffsetCommit(
  context: RequestContext,
  request: OffsetCommitRequest,
): Promise<OffsetCommitResponse> {
  const { refs, topics } = await resolvePartitions(
    context,
    request.topics,
    ({ partition }) => partition,
    // Kafka too keeps "nothing" as an empty text.
    (ref, { offset, leaderEpoch, metadata }) => ({ ...ref, offset, leaderEpoch, metadata: metadata ?? '' }),
  )
  const errorOf = await commit(context, request, refs)
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition, errorCode, place }) => ({
        partition,
        errorCode: errorCode ?? groupErrorCode(context, errorOf(place)),
      })),
    })),
  }
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
      results.map((error) => (error === undefined ? {} : { error })),
    )
    return (place) => results[place]
  } catch (error) {
    return () => error
  }
}
