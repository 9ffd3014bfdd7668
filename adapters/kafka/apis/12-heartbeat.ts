import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface HeartbeatRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface HeartbeatResponse {
  readonly errorCode: number
}

export const heartbeat: ApiCodec<HeartbeatRequest, HeartbeatResponse> = {
  key: 12,
  name: 'Heartbeat',
  validVersions: { min: 0, max: 4 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): HeartbeatRequest {
  const groupId = reader.string()
  const generationId = reader.i32()
  const memberId = reader.string()
  const groupInstanceId = version >= 3 ? reader.nullableString() : null
  reader.tags()
  return { groupId, generationId, memberId, groupInstanceId }
}

function encodeResponse(writer: WireWriter, response: HeartbeatResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  writer.i16(response.errorCode)
  writer.tags()
}
