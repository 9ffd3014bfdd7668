import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface DeleteRecordsRequest {
  readonly topics: readonly DeleteRecordsTopic[]
  readonly timeoutMs: number
}

export interface DeleteRecordsTopic {
  readonly name: string
  readonly partitions: readonly DeleteRecordsPartition[]
}

export interface DeleteRecordsPartition {
  readonly partition: number
  /** First offset that stays; `HIGH_WATERMARK`: none of those that are there. */
  readonly offset: number
}

export const HIGH_WATERMARK = -1

export interface DeleteRecordsResponse {
  readonly topics: readonly DeleteRecordsTopicResponse[]
}

export interface DeleteRecordsTopicResponse {
  readonly name: string
  readonly partitions: readonly DeleteRecordsPartitionResponse[]
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
  const topics = reader.array(() => {
    const name = reader.string()
    const partitions = reader.array(() => {
      const partition = { partition: reader.i32(), offset: reader.i64() }
      reader.tags()
      return partition
    })
    reader.tags()
    return { name, partitions }
  })
  const timeoutMs = reader.i32()
  reader.tags()
  return { topics, timeoutMs }
}

function encodeResponse(writer: WireWriter, response: DeleteRecordsResponse): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.lowWatermark)
      writer.i16(partition.errorCode)
      writer.tags()
    })
    writer.tags()
  })
  writer.tags()
}
