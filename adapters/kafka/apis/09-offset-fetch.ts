import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface OffsetFetchRequest {
  /** One below version 8. */
  readonly groups: readonly OffsetFetchGroup[]
}

export interface OffsetFetchGroup {
  readonly groupId: string
  /** Null: every partition the group has committed, from version 2 on. */
  readonly topics: readonly OffsetFetchTopic[] | null
}

export interface OffsetFetchTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface OffsetFetchResponse {
  /** As many as were asked for: one below version 8. */
  readonly groups: readonly OffsetFetchGroupResponse[]
}

export interface OffsetFetchGroupResponse {
  readonly groupId: string
  /** Version 1 says it of each partition instead. */
  readonly errorCode: number
  readonly topics: readonly OffsetFetchTopicResponse[]
}

export interface OffsetFetchTopicResponse {
  readonly name: string
  readonly partitions: readonly OffsetFetchPartitionResponse[]
}

export interface OffsetFetchPartitionResponse {
  readonly partition: number
  readonly errorCode: number
  /** -1: nothing committed. */
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

export const offsetFetch: ApiCodec<OffsetFetchRequest, OffsetFetchResponse> = {
  key: 9,
  name: 'OffsetFetch',
  validVersions: { min: 1, max: 9 },
  flexibleFrom: 6,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

/** First version that asks for several groups at once. */
const GROUPS_VERSION_MIN = 8

function decodeRequest(reader: WireReader, version: number): OffsetFetchRequest {
  const groups =
    version >= GROUPS_VERSION_MIN ? reader.array(() => decodeGroup(reader, version)) : [one(reader, version)]
  // Whether to wait for pending transactional commits: there are none.
  if (version >= 7) reader.boolean()
  reader.tags()
  return { groups }
}

function one(reader: WireReader, version: number): OffsetFetchGroup {
  const groupId = reader.string()
  const topics = version >= 2 ? reader.nullableArray(decodeTopic) : reader.array(decodeTopic)
  return { groupId, topics }
}

function decodeGroup(reader: WireReader, version: number): OffsetFetchGroup {
  const groupId = reader.string()
  if (version >= 9) {
    // Member id and epoch of the newer group protocol, which classic members leave empty.
    reader.nullableString()
    reader.i32()
  }
  const topics = reader.nullableArray(decodeTopic)
  reader.tags()
  return { groupId, topics }
}

function decodeTopic(reader: WireReader): OffsetFetchTopic {
  const name = reader.string()
  const partitions = reader.array(() => reader.i32())
  reader.tags()
  return { name, partitions }
}

function encodeResponse(writer: WireWriter, response: OffsetFetchResponse, version: number): void {
  if (version >= 3) writer.i32(0)
  if (version >= GROUPS_VERSION_MIN) {
    writer.array(response.groups, (group) => {
      writer.string(group.groupId)
      encodeTopics(writer, group.topics, version)
      writer.i16(group.errorCode)
      writer.tags()
    })
  } else {
    const group = response.groups[0]!
    encodeTopics(writer, group.topics, version)
    if (version >= 2) writer.i16(group.errorCode)
  }
  writer.tags()
}

function encodeTopics(writer: WireWriter, topics: readonly OffsetFetchTopicResponse[], version: number): void {
  writer.array(topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.offset)
      if (version >= 5) writer.i32(partition.leaderEpoch)
      writer.nullableString(partition.metadata)
      writer.i16(partition.errorCode)
      writer.tags()
    })
    writer.tags()
  })
}
