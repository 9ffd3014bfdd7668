import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface ListGroupsRequest {
  /** Empty: groups in any state. */
  readonly states: readonly string[]
  /** Empty: groups of any type. */
  readonly types: readonly string[]
}

export interface ListGroupsResponse {
  readonly errorCode: number
  readonly groups: readonly ListedGroup[]
}

export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
  readonly type: string
}

export const listGroups: ApiCodec<ListGroupsRequest, ListGroupsResponse> = {
  key: 16,
  name: 'ListGroups',
  validVersions: { min: 0, max: 5 },
  flexibleFrom: 3,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): ListGroupsRequest {
  const states = version >= 4 ? reader.array(() => reader.string()) : []
  const types = version >= 5 ? reader.array(() => reader.string()) : []
  reader.tags()
  return { states, types }
}

function encodeResponse(writer: WireWriter, response: ListGroupsResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  writer.i16(response.errorCode)
  writer.array(response.groups, (group) => {
    writer.string(group.groupId)
    writer.string(group.protocolType)
    if (version >= 4) writer.string(group.state)
    if (version >= 5) writer.string(group.type)
    writer.tags()
  })
  writer.tags()
}
