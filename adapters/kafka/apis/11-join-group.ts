import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface JoinGroupRequest {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** -1 in version 0, where it is the session time-out. */
  readonly rebalanceTimeoutMs: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly protocols: readonly JoinGroupProtocol[]
}

export interface JoinGroupProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface JoinGroupResponse {
  readonly errorCode: number
  readonly generationId: number
  /** Null in an answer that is an error. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly JoinGroupMember[]
}

export interface JoinGroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Uint8Array
}

export const joinGroup: ApiCodec<JoinGroupRequest, JoinGroupResponse> = {
  key: 11,
  name: 'JoinGroup',
  validVersions: { min: 0, max: 9 },
  flexibleFrom: 6,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): JoinGroupRequest {
  const groupId = reader.string()
  const sessionTimeoutMs = reader.i32()
  const rebalanceTimeoutMs = version >= 1 ? reader.i32() : -1
  const memberId = reader.string()
  const groupInstanceId = version >= 5 ? reader.nullableString() : null
  const protocolType = reader.string()
  const protocols = reader.array(decodeProtocol)
  // Why it joins, in its own words.
  if (version >= 8) reader.nullableString()
  reader.tags()
  return { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, groupInstanceId, protocolType, protocols }
}

function decodeProtocol(reader: WireReader): JoinGroupProtocol {
  const name = reader.string()
  const metadata = reader.bytes()
  reader.tags()
  return { name, metadata }
}

function encodeResponse(writer: WireWriter, response: JoinGroupResponse, version: number): void {
  if (version >= 2) writer.i32(0)
  writer.i16(response.errorCode)
  writer.i32(response.generationId)
  if (version >= 7) {
    writer.nullableString(response.protocolType)
    writer.nullableString(response.protocolName)
  } else {
    writer.string(response.protocolName ?? '')
  }
  writer.string(response.leaderId)
  if (version >= 9) writer.boolean(response.skipAssignment)
  writer.string(response.memberId)
  writer.array(response.members, (member) => {
    writer.string(member.memberId)
    if (version >= 5) writer.nullableString(member.groupInstanceId)
    writer.bytes(member.metadata)
    writer.tags()
  })
  writer.tags()
}
