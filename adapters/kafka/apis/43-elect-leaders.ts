import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'
import { decodeNullablePartitionNumbers, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface ElectLeadersRequest {
  /** Null: all partitions. */
  readonly topics: readonly TopicPartitions<number>[] | null
  readonly timeoutMs: number
}

export interface ElectLeadersResponse {
  readonly errorCode: number
  readonly topics: readonly TopicPartitions<ElectionResult>[]
}

export interface ElectionResult extends ApiError {
  readonly partition: number
}

export const electLeaders: ApiCodec<ElectLeadersRequest, ElectLeadersResponse> = {
  key: 43,
  name: 'ElectLeaders',
  validVersions: { min: 0, max: 2 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): ElectLeadersRequest {
  // Preferred or unclean: neither has a meaning here.
  if (version >= 1) reader.i8()
  const topics = decodeNullablePartitionNumbers(reader)
  const timeoutMs = reader.i32()
  reader.tags()
  return { topics, timeoutMs }
}

function encodeResponse(writer: WireWriter, response: ElectLeadersResponse, version: number): void {
  writer.i32(0)
  if (version >= 1) writer.i16(response.errorCode)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i32(partition.partition)
    encodeApiError(writer, partition)
  })
  writer.tags()
}
