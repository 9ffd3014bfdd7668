import type { HeadraceError } from '../errors.js'
import type { GroupState, SyncRequest } from './group-coordinator.js'
import { groupFull, protocolInconsistent, rebalanceInProgress } from './group-errors.js'
import type { GroupLimits } from './group-limits.js'
import type { Member } from './group-members.js'

/** What the rules look at of a group. */
export interface SyncedGroup {
  readonly state: GroupState
  readonly protocolType: string
  readonly protocolName: string
  readonly leaderId: string
}

/** Why a member of this generation is not told what it may read. */
export function syncRefusal(
  group: SyncedGroup,
  member: Member,
  request: SyncRequest,
  { assignmentBytesMax }: GroupLimits,
): HeadraceError | undefined {
  const isOther = (asked: string | null, own: string) => asked !== null && asked !== own
  const isOtherType = isOther(request.protocolType, group.protocolType)
  if (isOtherType || isOther(request.protocolName, group.protocolName)) return protocolInconsistent()
  if (group.state === 'PreparingRebalance') return rebalanceInProgress()
  if (member.memberId !== group.leaderId || assignmentBytes(request) <= assignmentBytesMax) return undefined
  return groupFull(`the assignments of all members together exceed ${assignmentBytesMax} bytes`)
}

export function assignmentBytes({ assignments }: SyncRequest): number {
  return assignments.reduce((bytes, { assignment }) => bytes + assignment.byteLength, 0)
}
