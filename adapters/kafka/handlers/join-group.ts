import type { JoinAnswer } from '../../../engine/groups/group-coordinator.js'
import type { JoinGroupRequest, JoinGroupResponse } from '../apis/11-join-group.js'
import type { RequestContext } from '../context.js'
import { KafkaError, type KafkaErrorCode } from '../errors.js'
import { groupFailureOf } from './group-failures.js'
import { unlessDeparting } from './unless-departing.js'

/** First version whose clients know MEMBER_ID_REQUIRED. */
const MEMBER_ID_REQUIRED_VERSION_MIN = 4
/** First version that can tell a leader to assign nothing. */
const SKIP_ASSIGNMENT_VERSION_MIN = 9

export async function handleJoinGroup(
  context: RequestContext,
  request: JoinGroupRequest,
  version: number,
): Promise<JoinGroupResponse> {
  const { clientId, remoteAddress } = context.client
  const { sessionTimeoutMs, rebalanceTimeoutMs, memberId } = request
  try {
    const answer = context.broker.groups.join({
      ...request,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      clientId: clientId ?? '',
      // As Kafka writes addresses where there is no host name.
      clientHost: `/${remoteAddress}`,
      memberIdRequiredKnown: version >= MEMBER_ID_REQUIRED_VERSION_MIN,
      skipAssignmentKnown: version >= SKIP_ASSIGNMENT_VERSION_MIN,
    })
    return describe(await unlessDeparting(context, answer))
  } catch (error) {
    return refuse(groupFailureOf(context, error).errorCode, memberId)
  }
}

function describe(answer: JoinAnswer): JoinGroupResponse {
  if (answer.kind === 'member-id-required') return refuse(KafkaError.MEMBER_ID_REQUIRED, answer.memberId)
  return { ...answer, errorCode: KafkaError.NONE }
}

function refuse(errorCode: KafkaErrorCode, memberId: string): JoinGroupResponse {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}
