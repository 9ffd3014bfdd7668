import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import { type ApiError, encodeApiError } from './api-error.js'

export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[]
  readonly timeoutMs: number
  readonly validateOnly: boolean
}

export interface CreatableTopic {
  readonly name: string
  /** -1: the cluster's default, or given by `assignments`. */
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly assignments: readonly PartitionAssignment[]
  readonly configs: readonly CreatableConfig[]
}

export interface PartitionAssignment {
  readonly partition: number
  readonly nodeIds: readonly number[]
}

export interface CreatableConfig {
  readonly name: string
  readonly value: string | null
}

export interface CreateTopicsResponse {
  readonly topics: readonly CreateTopicResponse[]
}

export interface CreateTopicResponse extends ApiError {
  readonly name: string
  readonly topicId: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** All of them, defaults included; null where the topic was not created. */
  readonly configs: readonly CreatedConfig[] | null
}

export interface CreatedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  /** `SOURCE_…` of `config-resource.ts` */
  readonly source: number
}

export const createTopics: ApiCodec<CreateTopicsRequest, CreateTopicsResponse> = {
  key: 19,
  name: 'CreateTopics',
  validVersions: { min: 2, max: 7 },
  flexibleFrom: 5,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): CreateTopicsRequest {
  const topics = reader.array(decodeTopic)
  const timeoutMs = reader.i32()
  const validateOnly = reader.boolean()
  reader.tags()
  return { topics, timeoutMs, validateOnly }
}

function decodeTopic(reader: WireReader): CreatableTopic {
  const name = reader.string()
  const partitionCount = reader.i32()
  const replicationFactor = reader.i16()
  const assignments = reader.array(decodeAssignment)
  const configs = reader.array(decodeConfig)
  reader.tags()
  return { name, partitionCount, replicationFactor, assignments, configs }
}

function decodeAssignment(reader: WireReader): PartitionAssignment {
  const partition = reader.i32()
  const nodeIds = reader.array(() => reader.i32())
  reader.tags()
  return { partition, nodeIds }
}

function decodeConfig(reader: WireReader): CreatableConfig {
  const name = reader.string()
  const value = reader.nullableString()
  reader.tags()
  return { name, value }
}

function encodeResponse(writer: WireWriter, response: CreateTopicsResponse, version: number): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    if (version >= 7) writer.uuid(topic.topicId)
    encodeApiError(writer, topic)
    if (version >= 5) {
      writer.i32(topic.partitionCount)
      writer.i16(topic.replicationFactor)
      writer.nullableArray(topic.configs, (config) => {
        writer.string(config.name)
        writer.nullableString(config.value)
        writer.boolean(config.readOnly)
        writer.i8(config.source)
        // None of them is a secret.
        writer.boolean(false)
        writer.tags()
      })
    }
    writer.tags()
  })
  writer.tags()
}
