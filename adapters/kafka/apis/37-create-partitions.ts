import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface CreatePartitionsRequest {
  readonly topics: readonly CreatePartitionsTopic[]
  readonly timeoutMs: number
  readonly validateOnly: boolean
}

export interface CreatePartitionsTopic {
  readonly name: string
  /** In all, those that are there included. */
  readonly partitionCount: number
  /** Nodes of each new partition; null: the cluster chooses. */
  readonly assignments: readonly (readonly number[])[] | null
}

export interface CreatePartitionsResponse {
  readonly topics: readonly CreatePartitionsResult[]
}

export interface CreatePartitionsResult extends ApiError {
  readonly name: string
}

export const createPartitions: ApiCodec<CreatePartitionsRequest, CreatePartitionsResponse> = {
  key: 37,
  name: 'CreatePartitions',
  validVersions: { min: 0, max: 3 },
  flexibleFrom: 2,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): CreatePartitionsRequest {
  const topics = reader.array(() => {
    const name = reader.string()
    const partitionCount = reader.i32()
    const assignments = reader.nullableArray(() => {
      const nodeIds = reader.array(() => reader.i32())
      reader.tags()
      return nodeIds
    })
    reader.tags()
    return { name, partitionCount, assignments }
  })
  const timeoutMs = reader.i32()
  const validateOnly = reader.boolean()
  reader.tags()
  return { topics, timeoutMs, validateOnly }
}

function encodeResponse(writer: WireWriter, response: CreatePartitionsResponse): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    encodeApiError(writer, topic)
    writer.tags()
  })
  writer.tags()
}
