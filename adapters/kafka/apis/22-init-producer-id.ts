import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface InitProducerIdRequest {
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  /** -1 below version 3, or where the producer has none yet. */
  readonly producerId: number
  readonly producerEpoch: number
}

export interface InitProducerIdResponse {
  readonly errorCode: number
  readonly producerId: number
  readonly producerEpoch: number
}

export const initProducerId: ApiCodec<InitProducerIdRequest, InitProducerIdResponse> = {
  key: 22,
  name: 'InitProducerId',
  validVersions: { min: 0, max: 5 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): InitProducerIdRequest {
  const transactionalId = reader.nullableString()
  const transactionTimeoutMs = reader.i32()
  const producerId = version >= 3 ? reader.i64() : -1
  const producerEpoch = version >= 3 ? reader.i16() : -1
  reader.tags()
  return { transactionalId, transactionTimeoutMs, producerId, producerEpoch }
}

function encodeResponse(writer: WireWriter, response: InitProducerIdResponse): void {
  writer.i32(0)
  writer.i16(response.errorCode)
  writer.i64(response.producerId)
  writer.i16(response.producerEpoch)
  writer.tags()
}
