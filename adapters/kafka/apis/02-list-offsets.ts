import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodeTopics, encodeTopics, type TopicPartitions } from './topic-partitions.js'

/** Timestamps that mean a place in the log. */
export const LATEST_TIMESTAMP = -1
export const EARLIEST_TIMESTAMP = -2
/** From version 7. */
export const MAX_TIMESTAMP = -3
/** From version 8: earliest offset on the broker's own disk. */
export const EARLIEST_LOCAL_TIMESTAMP = -4
/** From version 9: last offset in tiered storage. */
export const LATEST_TIERED_TIMESTAMP = -5

export interface ListOffsetsRequest {
  readonly isolationLevel: number
  readonly topics: readonly TopicPartitions<ListOffsetsPartition>[]
}

export interface ListOffsetsPartition {
  readonly partition: number
  readonly timestamp: number
}

export interface ListOffsetsResponse {
  readonly topics: readonly TopicPartitions<ListOffsetsPartitionResponse>[]
}

export interface ListOffsetsPartitionResponse {
  readonly partition: number
  readonly errorCode: number
  readonly timestampMs: number
  readonly offset: number
  readonly leaderEpoch: number
}

export const listOffsets: ApiCodec<ListOffsetsRequest, ListOffsetsResponse> = {
  key: 2,
  name: 'ListOffsets',
  validVersions: { min: 1, max: 10 },
  flexibleFrom: 6,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): ListOffsetsRequest {
  reader.i32()
  const isolationLevel = version >= 2 ? reader.i8() : 0
  const topics = decodeTopics(reader, () => decodePartition(reader, version))
  if (version >= 10) reader.i32()
  reader.tags()
  return { isolationLevel, topics }
}

function decodePartition(reader: WireReader, version: number): ListOffsetsPartition {
  const partition = reader.i32()
  if (version >= 4) reader.i32()
  const timestamp = reader.i64()
  return { partition, timestamp }
}

function encodeResponse(writer: WireWriter, response: ListOffsetsResponse, version: number): void {
  if (version >= 2) writer.i32(0)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i32(partition.partition)
    writer.i16(partition.errorCode)
    writer.i64(partition.timestampMs)
    writer.i64(partition.offset)
    if (version >= 4) writer.i32(partition.leaderEpoch)
  })
  writer.tags()
}
