import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

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
  readonly topics: readonly ListOffsetsTopic[]
}

export interface ListOffsetsTopic {
  readonly name: string
  readonly partitions: readonly ListOffsetsPartition[]
}

export interface ListOffsetsPartition {
  readonly partition: number
  readonly timestamp: number
}

export interface ListOffsetsResponse {
  readonly topics: readonly ListOffsetsTopicResponse[]
}

export interface ListOffsetsTopicResponse {
  readonly name: string
  readonly partitions: readonly ListOffsetsPartitionResponse[]
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
  const topics = reader.array(() => decodeTopic(reader, version))
  if (version >= 10) reader.i32()
  reader.tags()
  return { isolationLevel, topics }
}

function decodeTopic(reader: WireReader, version: number): ListOffsetsTopic {
  const name = reader.string()
  const partitions = reader.array(() => decodePartition(reader, version))
  reader.tags()
  return { name, partitions }
}

function decodePartition(reader: WireReader, version: number): ListOffsetsPartition {
  const partition = reader.i32()
  if (version >= 4) reader.i32()
  const timestamp = reader.i64()
  reader.tags()
  return { partition, timestamp }
}

function encodeResponse(writer: WireWriter, response: ListOffsetsResponse, version: number): void {
  if (version >= 2) writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => {
      writer.i32(partition.partition)
      writer.i16(partition.errorCode)
      writer.i64(partition.timestampMs)
      writer.i64(partition.offset)
      if (version >= 4) writer.i32(partition.leaderEpoch)
      writer.tags()
    })
    writer.tags()
  })
  writer.tags()
}
