import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface LeaveGroupRequest {
  readonly groupId: string
  /** One below version 3. */
  readonly members: readonly LeavingGroupMember[]
}

export interface LeavingGroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface LeaveGroupResponse {
  /** Below version 3 it is also the error of the one member. */
  readonly errorCode: number
  readonly members: readonly LeaveGroupMemberResponse[]
}

export interface LeaveGroupMemberResponse extends LeavingGroupMember {
  readonly errorCode: number
}

export const leaveGroup: ApiCodec<LeaveGroupRequest, LeaveGroupResponse> = {
  key: 13,
  name: 'LeaveGroup',
  validVersions: { min: 0, max: 5 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

/** First version in which several members can leave at once. */
export const MEMBERS_VERSION_MIN = 3

function decodeRequest(reader: WireReader, version: number): LeaveGroupRequest {
  const groupId = reader.string()
  const members =
    version >= MEMBERS_VERSION_MIN
      ? reader.array(() => decodeMember(reader, version))
      : [{ memberId: reader.string(), groupInstanceId: null }]
  reader.tags()
  return { groupId, members }
}

function decodeMember(reader: WireReader, version: number): LeavingGroupMember {
  const memberId = reader.string()
  const groupInstanceId = reader.nullableString()
  // Why it leaves, in its own words.
  if (version >= 5) reader.nullableString()
  reader.tags()
  return { memberId, groupInstanceId }
}

function encodeResponse(writer: WireWriter, response: LeaveGroupResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  writer.i16(response.errorCode)
  if (version >= MEMBERS_VERSION_MIN) {
    writer.array(response.members, (member) => {
      writer.string(member.memberId)
      writer.nullableString(member.groupInstanceId)
      writer.i16(member.errorCode)
      writer.tags()
    })
  }
  writer.tags()
}
