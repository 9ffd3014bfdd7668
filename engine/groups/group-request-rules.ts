import { HeadraceError } from '../errors.js'
import { protocolInconsistent } from './group-errors.js'
import type { GroupLimits } from './group-limits.js'

/** What requests must keep to, whatever the group they name is like. */

export const TEXT_CHARS_MAX = 255
const PROTOCOL_TYPE_BYTES_MAX = 255

/** Members need a group with a name. */
export function checkMemberGroupId(groupId: string): void {
  checkGroupId(groupId)
  if (groupId === '') throw groupIdInvalid('a consumer group needs a name: set group.id')
}

/** Consumers that assign themselves may commit under the empty name, as in Kafka. */
export function checkGroupId(groupId: string): void {
  if (groupId.length > TEXT_CHARS_MAX) throw groupIdInvalid(`a group id has ${TEXT_CHARS_MAX} characters at most`)
}

export function checkInstanceId(groupInstanceId: string | null): void {
  if ((groupInstanceId?.length ?? 0) <= TEXT_CHARS_MAX) return
  throw groupIdInvalid(`a group instance id has ${TEXT_CHARS_MAX} characters at most`)
}

export function checkSessionTimeout(sessionTimeoutMs: number, limits: GroupLimits): void {
  const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = limits
  if (sessionTimeoutMs >= sessionTimeoutMinMs && sessionTimeoutMs <= sessionTimeoutMaxMs) return
  throw new HeadraceError(
    'SESSION_TIMEOUT_INVALID',
    'never',
    `a session timeout of ${sessionTimeoutMs} ms is outside of ${sessionTimeoutMinMs} to ${sessionTimeoutMaxMs} ms`,
  )
}

export function checkProtocolType(protocolType: string): void {
  if (utf8.encode(protocolType).byteLength > PROTOCOL_TYPE_BYTES_MAX) throw protocolInconsistent()
}

const utf8 = new TextEncoder()

function groupIdInvalid(text: string): HeadraceError {
  return new HeadraceError('GROUP_ID_INVALID', 'never', text)
}
