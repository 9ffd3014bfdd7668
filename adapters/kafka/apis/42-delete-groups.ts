import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface DeleteGroupsRequest {
  readonly groupIds: readonly string[]
}

export interface DeleteGroupsResponse {
  readonly results: readonly DeleteGroupResult[]
}

export interface DeleteGroupResult {
  readonly groupId: string
  readonly errorCode: number
}

export const deleteGroups: ApiCodec<DeleteGroupsRequest, DeleteGroupsResponse> = {
  key: 42,
  name: 'DeleteGroups',
  validVersions: { min: 0, max: 2 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DeleteGroupsRequest {
  const groupIds = reader.array(() => reader.string())
  reader.tags()
  return { groupIds }
}

function encodeResponse(writer: WireWriter, response: DeleteGroupsResponse): void {
  writer.i32(0)
  writer.array(response.results, ({ groupId, errorCode }) => {
    writer.string(groupId)
    writer.i16(errorCode)
    writer.tags()
  })
  writer.tags()
}
