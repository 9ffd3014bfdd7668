import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export const GROUP_KEY_TYPE = 0
export const TRANSACTION_KEY_TYPE = 1

export interface FindCoordinatorRequest {
  readonly keyType: number
  /** One below version 4. */
  readonly keys: readonly string[]
}

export interface FindCoordinatorResponse {
  /** As many as keys were asked for: one below version 4. */
  readonly coordinators: readonly Coordinator[]
}

export interface Coordinator extends ApiError {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export const findCoordinator: ApiCodec<FindCoordinatorRequest, FindCoordinatorResponse> = {
  key: 10,
  name: 'FindCoordinator',
  validVersions: { min: 0, max: 5 },
  flexibleFrom: 3,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

/** First version that asks for several keys at once. */
const KEYS_VERSION_MIN = 4

function decodeRequest(reader: WireReader, version: number): FindCoordinatorRequest {
  const key = version < KEYS_VERSION_MIN ? reader.string() : undefined
  const keyType = version >= 1 ? reader.i8() : GROUP_KEY_TYPE
  const keys = key === undefined ? reader.array(() => reader.string()) : [key]
  reader.tags()
  return { keyType, keys }
}

function encodeResponse(writer: WireWriter, response: FindCoordinatorResponse, version: number): void {
  if (version >= 1) writer.i32(0)
  if (version >= KEYS_VERSION_MIN) {
    writer.array(response.coordinators, (coordinator) => {
      writer.string(coordinator.key)
      encodeNode(writer, coordinator)
      encodeApiError(writer, coordinator)
      writer.tags()
    })
  } else {
    const coordinator = response.coordinators[0]!
    writer.i16(coordinator.errorCode)
    if (version >= 1) writer.nullableString(coordinator.errorMessage)
    encodeNode(writer, coordinator)
  }
  writer.tags()
}

function encodeNode(writer: WireWriter, { nodeId, host, port }: Coordinator): void {
  writer.i32(nodeId)
  writer.string(host)
  writer.i32(port)
}
