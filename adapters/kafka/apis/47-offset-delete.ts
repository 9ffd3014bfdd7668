import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodePartitionNumbers, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface OffsetDeleteRequest {
  readonly groupId: string
  readonly topics: readonly TopicPartitions<number>[]
}

export interface OffsetDeleteResponse {
  readonly errorCode: number
  readonly topics: readonly TopicPartitions<OffsetDeletePartitionResponse>[]
}

export interface OffsetDeletePartitionResponse {
  readonly partition: number
  readonly errorCode: number
}

export const offsetDelete: ApiCodec<OffsetDeleteRequest, OffsetDeleteResponse> = {
  key: 47,
  name: 'OffsetDelete',
  validVersions: { min: 0, max: 0 },
  // It never became flexible.
  flexibleFrom: Number.POSITIVE_INFINITY,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): OffsetDeleteRequest {
  const groupId = reader.string()
  const topics = decodePartitionNumbers(reader)
  return { groupId, topics }
}

function encodeResponse(writer: WireWriter, response: OffsetDeleteResponse): void {
  writer.i16(response.errorCode)
  writer.i32(0)
  encodeTopics(writer, response.topics, ({ partition, errorCode }) => {
    writer.i32(partition)
    writer.i16(errorCode)
  })
}
