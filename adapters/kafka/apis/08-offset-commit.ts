import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodeTopics, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface OffsetCommitRequest {
  readonly groupId: string
  /** -1 from consumers that assign themselves. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly TopicPartitions<OffsetCommitPartition>[]
}

export interface OffsetCommitPartition {
  readonly partition: number
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface OffsetCommitResponse {
  readonly topics: readonly TopicPartitions<OffsetCommitPartitionResponse>[]
}

export interface OffsetCommitPartitionResponse {
  readonly partition: number
  readonly errorCode: number
}

export const offsetCommit: ApiCodec<OffsetCommitRequest, OffsetCommitResponse> = {
  key: 8,
  name: 'OffsetCommit',
  validVersions: { min: 2, max: 9 },
  flexibleFrom: 8,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): OffsetCommitRequest {
  const groupId = reader.string()
  const generationId = reader.i32()
  const memberId = reader.string()
  const groupInstanceId = version >= 7 ? reader.nullableString() : null
  // How long to keep the offset: newer versions leave that to the cluster, and so do we.
  if (version <= 4) reader.skip(8)
  const topics = decodeTopics(reader, () => decodePartition(reader, version))
  reader.tags()
  return { groupId, generationId, memberId, groupInstanceId, topics }
}

function decodePartition(reader: WireReader, version: number): OffsetCommitPartition {
  const partition = reader.i32()
  const offset = reader.i64()
  const leaderEpoch = version >= 6 ? reader.i32() : -1
  const metadata = reader.nullableString()
  return { partition, offset, leaderEpoch, metadata }
}

function encodeResponse(writer: WireWriter, response: OffsetCommitResponse, version: number): void {
  if (version >= 3) writer.i32(0)
  encodeTopics(writer, response.topics, ({ partition, errorCode }) => {
    writer.i32(partition)
    writer.i16(errorCode)
  })
  writer.tags()
}
