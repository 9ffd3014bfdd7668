import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface SyncGroupRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Null below version 5. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** Of the leader; others send none. */
  readonly assignments: readonly SyncGroupAssignment[]
}

export interface SyncGroupAssignment {
  readonly memberId: string
  readonly assignment: Uint8Array
}

export interface SyncGroupResponse {
  readonly errorCode: number
  /** Null in an answer that is an error. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export const syncGroup: ApiCodec<SyncGroupRequest, SyncGroupResponse> = {
  key: 14,
  name: 'SyncGroup',
  validVersions: { min: 0, max: 5 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): SyncGroupRequest {
  const groupId = reader.string()
  const generationId = reader.i32()
  const memberId = reader.string()
  const groupInstanceId = version >= 3 ? reader.nullableString() : null
  const protocolType = version >= 5 ? reader.nullableString() : null
  const protocolName = version >= 5 ? reader.nullableString() : null
  const assignments = reader.array(decodeAssignment)
  reader.tags()
  return { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments }
}

function decodeAssignment(reader: WireReader): SyncGroupAssignment {
  const memberId = reader.string()
  const assignment = reader.bytes()
  reader.tags()
  return { memberId, assignment }
}

function encodeResponse(writer: WireWriter, response: SyncGroupResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  writer.i16(response.errorCode)
  if (version >= 5) {
    writer.nullableString(response.protocolType)
    writer.nullableString(response.protocolName)
  }
  writer.bytes(response.assignment)
  writer.tags()
}
