import { type LeaveGroupRequest, type LeaveGroupResponse, MEMBERS_VERSION_MIN } from '../apis/13-leave-group.js'
import type { RequestContext } from '../context.js'
import { KafkaError } from '../errors.js'
import { groupErrorCode, groupFailureOf } from './group-failures.js'

export async function handleLeaveGroup(
  context: RequestContext,
  { groupId, members }: LeaveGroupRequest,
  version: number,
): Promise<LeaveGroupResponse> {
  try {
    const results = await context.broker.groups.leave(groupId, members)
    const left = members.map((member, place) => ({ ...member, errorCode: groupErrorCode(context, results[place]) }))
    const errorCode = version < MEMBERS_VERSION_MIN ? left[0]!.errorCode : KafkaError.NONE
    return { errorCode, members: left }
  } catch (error) {
    return { errorCode: groupFailureOf(context, error).errorCode, members: [] }
  }
}
