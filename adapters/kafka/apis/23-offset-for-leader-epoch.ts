import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodeTopics, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface OffsetForLeaderEpochRequest {
  readonly topics: readonly TopicPartitions<LeaderEpochPartition>[]
}

export interface LeaderEpochPartition {
  readonly partition: number
  /** The epoch whose end the client asks for. */
  readonly leaderEpoch: number
}

export interface OffsetForLeaderEpochResponse {
  readonly topics: readonly TopicPartitions<LeaderEpochPartitionResponse>[]
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
  const topics = decodeTopics(reader, () => decodePartition(reader))
  reader.tags()
  return { topics }
}

function decodePartition(reader: WireReader): LeaderEpochPartition {
  const partition = reader.i32()
  // The epoch the client believes to be the current one: here all are the same.
  reader.i32()
  const leaderEpoch = reader.i32()
  return { partition, leaderEpoch }
}

function encodeResponse(writer: WireWriter, response: OffsetForLeaderEpochResponse): void {
  writer.i32(0)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i16(partition.errorCode)
    writer.i32(partition.partition)
    writer.i32(partition.leaderEpoch)
    writer.i64(partition.endOffset)
  })
  writer.tags()
}
