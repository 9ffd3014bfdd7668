import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodeNullablePartitionNumbers, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface DescribeLogDirsRequest {
  /** Null: all topics. */
  readonly topics: readonly TopicPartitions<number>[] | null
}

export interface DescribeLogDirsResponse {
  readonly errorCode: number
  readonly directories: readonly LogDirectory[]
}

export interface LogDirectory {
  readonly errorCode: number
  readonly name: string
  readonly topics: readonly TopicPartitions<LogDirectoryPartition>[]
}

export interface LogDirectoryPartition {
  readonly partition: number
  readonly bytes: number
}

export const describeLogDirs: ApiCodec<DescribeLogDirsRequest, DescribeLogDirsResponse> = {
  key: 35,
  name: 'DescribeLogDirs',
  validVersions: { min: 1, max: 4 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeLogDirsRequest {
  const topics = decodeNullablePartitionNumbers(reader)
  reader.tags()
  return { topics }
}

/** Nothing is lagging: a record that can be read is stored. */
const OFFSET_LAG = 0
/** An object store has no size of its own. */
const VOLUME_BYTES_UNKNOWN = -1

function encodeResponse(writer: WireWriter, response: DescribeLogDirsResponse, version: number): void {
  writer.i32(0)
  if (version >= 3) writer.i16(response.errorCode)
  writer.array(response.directories, (directory) => {
    writer.i16(directory.errorCode)
    writer.string(directory.name)
    encodeTopics(writer, directory.topics, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.bytes)
      writer.i64(OFFSET_LAG)
      writer.boolean(false)
    })
    if (version >= 4) {
      writer.i64(VOLUME_BYTES_UNKNOWN)
      writer.i64(VOLUME_BYTES_UNKNOWN)
    }
    writer.tags()
  })
  writer.tags()
}
