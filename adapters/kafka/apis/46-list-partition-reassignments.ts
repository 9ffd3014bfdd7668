import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'
import { decodeNullablePartitionNumbers, type TopicPartitions } from './topic-partitions.js'

export interface ListPartitionReassignmentsRequest {
  readonly timeoutMs: number
  /** Null: all topics. */
  readonly topics: readonly TopicPartitions<number>[] | null
}

/** There are none under way, ever: a partition has no place to be moved from. */
export type ListPartitionReassignmentsResponse = ApiError

export const listPartitionReassignments: ApiCodec<
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse
> = {
  key: 46,
  name: 'ListPartitionReassignments',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): ListPartitionReassignmentsRequest {
  const timeoutMs = reader.i32()
  const topics = decodeNullablePartitionNumbers(reader)
  reader.tags()
  return { timeoutMs, topics }
}

function encodeResponse(writer: WireWriter, response: ListPartitionReassignmentsResponse): void {
  writer.i32(0)
  encodeApiError(writer, response)
  writer.array([], () => {})
  writer.tags()
}
