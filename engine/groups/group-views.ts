import { HeadraceError } from '../errors.js'
import { CONSUMER_PROTOCOL_TYPE, subscribedTopics } from './consumer-subscription.js'
import type { GroupDescription } from './group-coordinator.js'
import type { GroupMachine } from './group-machine.js'
import { NO_BYTES } from './group-members.js'
import { metadataOf } from './protocol-selection.js'

/** As Kafka shows a group: what the members brought and got only while it is stable. */
export function describeGroup(groupId: string, machine: GroupMachine): GroupDescription {
  const { protocolType, state } = machine
  const isStable = state === 'Stable'
  const protocolName = isStable ? machine.protocolName : ''
  const members = [...machine.members].map((member) => {
    const { memberId, groupInstanceId, clientId, clientHost } = member
    const metadata = isStable ? metadataOf(member, protocolName) : NO_BYTES
    return {
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      metadata,
      assignment: isStable ? member.assignment : NO_BYTES,
    }
  })
  return { groupId, protocolType, state, protocolName, members }
}

/** Topics that any member subscribes to; undefined where members are no consumers, or say it in a way of their own. */
export function topicsRead(machine: GroupMachine): ReadonlySet<string> | undefined {
  if (machine.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
  const all = new Set<string>()
  for (const { protocols } of machine.members) {
    for (const { metadata } of protocols) {
      const topics = subscribedTopics(metadata)
      if (topics === undefined) return undefined
      for (const topic of topics) all.add(topic)
    }
  }
  return all
}

/** Why the group's offsets of a topic may not be deleted now. */
export function deletionRefusal(machine: GroupMachine, topicName: string): HeadraceError | undefined {
  if (machine.members.size === 0) return undefined
  const isRead = topicsRead(machine)?.has(topicName) ?? true
  if (!isRead) return undefined
  return new HeadraceError(
    'GROUP_SUBSCRIBED',
    'never',
    `members of the group read the topic ${topicName}: stop them before its offsets are deleted`,
  )
}
