import type { HeadraceError } from '../errors.js'
import { CONSUMER_PROTOCOL_TYPE, sameTopics, subscribedTopics } from './consumer-subscription.js'
import type { JoinAnswer, JoinRequest } from './group-coordinator.js'
import { groupFull, protocolInconsistent } from './group-errors.js'
import type { GroupLimits } from './group-limits.js'
import { type GroupMembers, type Member, protocolBytes } from './group-members.js'
import { metadataOf } from './protocol-selection.js'

/** What the rules look at of a group. */
export interface JoinedGroup {
  readonly members: GroupMembers
  readonly protocolType: string
  readonly protocolName: string
  readonly generationId: number
  readonly leaderId: string
}

/** Why a request to join cannot be taken, whoever makes it: it does not fit the other members, or it is too large. */
export function joinRefusal(group: JoinedGroup, request: JoinRequest, limits: GroupLimits): HeadraceError | undefined {
  const { members } = group
  const { memberId, groupInstanceId, protocols, protocolType } = request
  const self = members.get(memberId) ?? (groupInstanceId === null ? undefined : members.ofInstance(groupInstanceId))
  const isOtherType = members.size > 0 && protocolType !== group.protocolType
  const isKnownToAll = ({ name }: { readonly name: string }) => members.knowAllBut(self, name)
  if (protocolType === '' || isOtherType || !protocols.some(isKnownToAll)) return protocolInconsistent()
  if (protocols.length > limits.protocolCountMax) {
    return groupFull(`a member may bring ${limits.protocolCountMax} protocols at most`)
  }
  const othersBytes = members.metadataBytes - protocolBytes(self?.protocols ?? [])
  if (othersBytes + protocolBytes(protocols) <= limits.metadataBytesMax) return undefined
  return groupFull(
    `the subscriptions of all members together exceed ${limits.metadataBytesMax} bytes: use fewer topics or members`,
  )
}

export function isMemberCountReached(members: GroupMembers, limits: GroupLimits): boolean {
  return members.size + members.pendingCount >= limits.memberCountMax
}

export function memberCountReached({ memberCountMax }: GroupLimits): HeadraceError {
  return groupFull(`the group has ${memberCountMax} members, which is the limit`)
}

/**
 * Whether a static member that was started again reads what it read before. Only the topics count: of what assignors add to
 * them, such as the partitions it had, a new process knows nothing. Unknown protocols are left to the choice of protocol.
 */
export function hasSameSubscription(group: JoinedGroup, member: Member, request: JoinRequest): boolean {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return true
  const before = subscribedTopics(metadataOf(member, group.protocolName))
  const after = subscribedTopics(metadataOf(request, group.protocolName))
  return before === undefined || after === undefined || sameTopics(before, after)
}

export function joinedAnswer(group: JoinedGroup, member: Member): Extract<JoinAnswer, { kind: 'joined' }> {
  const { generationId, protocolType, protocolName, leaderId } = group
  const isLeader = member.memberId === leaderId
  const members = [...(isLeader ? group.members : [])].map((joined) => {
    const { memberId, groupInstanceId } = joined
    return { memberId, groupInstanceId, metadata: metadataOf(joined, protocolName) }
  })
  const { memberId } = member
  const isSkipped = { skipAssignment: false }
  return { kind: 'joined', memberId, generationId, protocolType, protocolName, leaderId, ...isSkipped, members }
}
