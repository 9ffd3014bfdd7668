import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface ListTransactionsRequest {
  readonly states: readonly string[]
  readonly producerIds: readonly number[]
  /** Only those that have been going on for longer; -1 for all. */
  readonly durationMs: number
}

/** There are no transactions to list. */
export interface ListTransactionsResponse {
  readonly errorCode: number
  readonly unknownStates: readonly string[]
}

export const listTransactions: ApiCodec<ListTransactionsRequest, ListTransactionsResponse> = {
  key: 66,
  name: 'ListTransactions',
  validVersions: { min: 0, max: 1 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): ListTransactionsRequest {
  const states = reader.array(() => reader.string())
  const producerIds = reader.array(() => reader.i64())
  const durationMs = version >= 1 ? reader.i64() : -1
  reader.tags()
  return { states, producerIds, durationMs }
}

function encodeResponse(writer: WireWriter, response: ListTransactionsResponse): void {
  writer.i32(0)
  writer.i16(response.errorCode)
  writer.array(response.unknownStates, (state) => writer.string(state))
  writer.array([], () => {})
  writer.tags()
}
