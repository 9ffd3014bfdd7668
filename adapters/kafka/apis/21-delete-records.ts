import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { decodeTopics, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface DeleteRecordsRequest {
  readonly topics: readonly TopicPartitions<DeleteRecordsPartition>[]
  readonly timeoutMs: number
}

export interface DeleteRecordsPartition {
  readonly partition: number
  /** First offset that stays; `HIGH_WATERMARK`: none of those that are there. */
  readonly offset: number
}

export const HIGH_WATERMARK = -1

export interface DeleteRecordsResponse {
  readonly topics: readonly TopicPartitions<DeleteRecordsPartitionResponse>[]
}

export interface DeleteRecordsPartitionResponse {
  readonly partition: number
  /** First offset of the log now; -1 with an error. */
  readonly lowWatermark: number
  readonly errorCode: number
}

export const deleteRecords: ApiCodec<DeleteRecordsRequest, DeleteRecordsResponse> = {
  key: 21,
  name: 'DeleteRecords',
  validVersions: { min: 0, max: 2 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DeleteRecordsRequest {
  const topics = decodeTopics(reader, () => ({ partition: reader.i32(), offset: reader.i64() }))
  const timeoutMs = reader.i32()
  reader.tags()
  return { topics, timeoutMs }
}

function encodeResponse(writer: WireWriter, response: DeleteRecordsResponse): void {
  writer.i32(0)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i32(partition.partition)
    writer.i64(partition.lowWatermark)
    writer.i16(partition.errorCode)
  })
  writer.tags()
}
