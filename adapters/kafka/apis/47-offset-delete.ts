import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface OffsetDeleteRequest {
  readonly groupId: string
  readonly topics: readonly OffsetDeleteTopic[]
}

export interface OffsetDeleteTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface OffsetDeleteResponse {
  readonly errorCode: number
  readonly topics: readonly OffsetDeleteTopicResponse[]
}

export interface OffsetDeleteTopicResponse {
  readonly name: string
  readonly partitions: readonly OffsetDeletePartitionResponse[]
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
  const topics = reader.array(() => ({ name: reader.string(), partitions: reader.array(() => reader.i32()) }))
  return { groupId, topics }
}

function encodeResponse(writer: WireWriter, response: OffsetDeleteResponse): void {
  writer.i16(response.errorCode)
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, ({ partition, errorCode }) => {
      writer.i32(partition)
      writer.i16(errorCode)
    })
  })
}
