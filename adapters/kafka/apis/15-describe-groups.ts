import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface DescribeGroupsRequest {
  readonly groupIds: readonly string[]
  readonly includeAuthorizedOperations: boolean
}

export interface DescribeGroupsResponse {
  readonly groups: readonly DescribedGroup[]
}

export interface DescribedGroup {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocolName: string
  readonly members: readonly DescribedGroupMember[]
  readonly authorizedOperations: number
}

export interface DescribedGroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Uint8Array
  readonly assignment: Uint8Array
}

export const describeGroups: ApiCodec<DescribeGroupsRequest, DescribeGroupsResponse> = {
  key: 15,
  name: 'DescribeGroups',
  validVersions: { min: 0, max: 6 },
  flexibleFrom: 5,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): DescribeGroupsRequest {
  const groupIds = reader.array(() => reader.string())
  const includeAuthorizedOperations = version >= 3 ? reader.boolean() : false
  reader.tags()
  return { groupIds, includeAuthorizedOperations }
}

function encodeResponse(writer: WireWriter, response: DescribeGroupsResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  writer.array(response.groups, (group) => {
    writer.i16(group.errorCode)
    if (version >= 6) writer.nullableString(group.errorMessage)
    writer.string(group.groupId)
    writer.string(group.state)
    writer.string(group.protocolType)
    writer.string(group.protocolName)
    writer.array(group.members, (member) => encodeMember(writer, member, version))
    if (version >= 3) writer.i32(group.authorizedOperations)
    writer.tags()
  })
  writer.tags()
}

function encodeMember(writer: WireWriter, member: DescribedGroupMember, version: number): void {
  writer.string(member.memberId)
  if (version >= 4) writer.nullableString(member.groupInstanceId)
  writer.string(member.clientId)
  writer.string(member.clientHost)
  writer.bytes(member.metadata)
  writer.bytes(member.assignment)
  writer.tags()
}
