import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'
import { decodeTopics, encodeTopics, type TopicPartitions } from './topic-partitions.js'

export interface AlterPartitionReassignmentsRequest {
  readonly timeoutMs: number
  readonly topics: readonly TopicPartitions<ReassignablePartition>[]
}

export interface ReassignablePartition {
  readonly partition: number
  /** Null: cancel what is under way. */
  readonly nodeIds: readonly number[] | null
}

export interface AlterPartitionReassignmentsResponse extends ApiError {
  readonly topics: readonly TopicPartitions<ReassignedPartition>[]
}

export interface ReassignedPartition extends ApiError {
  readonly partition: number
}

export const alterPartitionReassignments: ApiCodec<
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse
> = {
  key: 45,
  name: 'AlterPartitionReassignments',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): AlterPartitionReassignmentsRequest {
  const timeoutMs = reader.i32()
  const topics = decodeTopics(reader, () => ({
    partition: reader.i32(),
    nodeIds: reader.nullableArray(() => reader.i32()),
  }))
  reader.tags()
  return { timeoutMs, topics }
}

function encodeResponse(writer: WireWriter, response: AlterPartitionReassignmentsResponse): void {
  writer.i32(0)
  encodeApiError(writer, response)
  encodeTopics(writer, response.topics, (partition) => {
    writer.i32(partition.partition)
    encodeApiError(writer, partition)
  })
  writer.tags()
}
