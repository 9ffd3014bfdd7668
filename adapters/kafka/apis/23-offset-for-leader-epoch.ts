import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface OffsetForLeaderEpochRequest {
  readonly topics: readonly LeaderEpochTopic[]
}

export interface LeaderEpochTopic {
  readonly name: string
  readonly partitions: readonly LeaderEpochPartition[]
}

export interface LeaderEpochPartition {
  readonly partition: number
  /** The epoch whose end the client asks for. */
  readonly leaderEpoch: number
}

export interface OffsetForLeaderEpochResponse {
  readonly topics: readonly LeaderEpochTopicResponse[]
}

export interface LeaderEpochTopicResponse {
  readonly name: string
  readonly partitions: readonly LeaderEpochPartitionResponse[]
}

export interface LeaderEpochPartitionResponse {
  readonly partition: number
  readonly errorCode: number
  /** -1, as the offset: not known. */
  readonly leaderEpoch: number
  readonly endOffset: number
}

export const offsetForLeaderEpoch: ApiCodec<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  validVersions: { min: 2, max: 4 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): OffsetForLeaderEpochRequest {
  if (version >= 3) reader.i32()
  const topics = reader.array(decodeTopic)
  reader.tags()
  return { topics }
}

function decodeTopic(reader: WireReader): LeaderEpochTopic {
  const name = reader.string()
  const partitions = reader.array(decodePartition)
  reader.tags()
  return { name, partitions }
}

function decodePartition(reader: WireReader): LeaderEpochPartition {
  const partition = reader.i32()
  // The epoch the client believes to be the current one: here all are the same.
  reader.i32()
  const leaderEpoch = reader.i32()
  reader.tags()
  return { partition, leaderEpoch }
}

function encodeResponse(writer: WireWriter, response: OffsetForLeaderEpochResponse): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => {
      writer.i16(partition.errorCode)
      writer.i32(partition.partition)
      writer.i32(partition.leaderEpoch)
      writer.i64(partition.endOffset)
      writer.tags()
    })
    writer.tags()
  })
  writer.tags()
}
