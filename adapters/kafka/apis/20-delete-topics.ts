import type { WireReader } from '../wire/reader.js'
import { ZERO_UUID } from '../wire/uuid.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface DeleteTopicsRequest {
  readonly topics: readonly DeletableTopic[]
  readonly timeoutMs: number
}

/** By name; from version 6 on by name or by id, the other being null or the zero id. */
export interface DeletableTopic {
  readonly name: string | null
  readonly topicId: string
}

export interface DeleteTopicsResponse {
  readonly topics: readonly DeleteTopicResponse[]
}

export interface DeleteTopicResponse {
  /** Null only for an unknown id, from version 6 on. */
  readonly name: string | null
  readonly topicId: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const deleteTopics: ApiCodec<DeleteTopicsRequest, DeleteTopicsResponse> = {
  key: 20,
  name: 'DeleteTopics',
  validVersions: { min: 1, max: 6 },
  flexibleFrom: 4,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): DeleteTopicsRequest {
  const topics = reader.array(() => decodeTopic(reader, version))
  const timeoutMs = reader.i32()
  reader.tags()
  return { topics, timeoutMs }
}

function decodeTopic(reader: WireReader, version: number): DeletableTopic {
  if (version < 6) return { name: reader.string(), topicId: ZERO_UUID }
  const name = reader.nullableString()
  const topicId = reader.uuid()
  reader.tags()
  return { name, topicId }
}

function encodeResponse(writer: WireWriter, response: DeleteTopicsResponse, version: number): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    if (version >= 6) {
      writer.nullableString(topic.name)
      writer.uuid(topic.topicId)
    } else {
      writer.string(topic.name ?? '')
    }
    writer.i16(topic.errorCode)
    if (version >= 5) writer.nullableString(topic.errorMessage)
    writer.tags()
  })
  writer.tags()
}
