import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'
import {
  decodeNullablePartitionNumbers,
  decodePartitionNumbers,
  encodeTopics,
  type TopicPartitions,
} from './topic-partitions.js'

export interface OffsetFetchRequest {
  /** One below version 8. */
  readonly groups: readonly OffsetFetchGroup[]
}

export interface OffsetFetchGroup {
  readonly groupId: string
  /** Null: every partition the group has committed, from version 2 on. */
  readonly topics: readonly TopicPartitions<number>[] | null
}

export interface OffsetFetchResponse {
  /** As many as were asked for: one below version 8. */
  readonly groups: readonly OffsetFetchGroupResponse[]
}

export interface OffsetFetchGroupResponse {
  readonly groupId: string
  /** Version 1 says it of each partition instead. */
  readonly errorCode: number
  readonly topics: readonly TopicPartitions<OffsetFetchPartitionResponse>[]
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
  const topics = version >= 2 ? decodeNullablePartitionNumbers(reader) : decodePartitionNumbers(reader)
  return { groupId, topics }
}

function decodeGroup(reader: WireReader, version: number): OffsetFetchGroup {
  const groupId = reader.string()
  if (version >= 9) {
    // Member id and epoch of the newer group protocol, which classic members leave empty.
    reader.nullableString()
    reader.i32()
  }
  const topics = decodeNullablePartitionNumbers(reader)
  reader.tags()
  return { groupId, topics }
}

function encodeResponse(writer: WireWriter, response: OffsetFetchResponse, version: number): void {
  if (version >= 3) writer.i32(0)
  if (version >= GROUPS_VERSION_MIN) {
    writer.array(response.groups, (group) => {
      writer.string(group.groupId)
      encodeOffsets(writer, group.topics, version)
      writer.i16(group.errorCode)
      writer.tags()
    })
  } else {
    const group = response.groups[0]!
    encodeOffsets(writer, group.topics, version)
    if (version >= 2) writer.i16(group.errorCode)
  }
  writer.tags()
}

function encodeOffsets(
  writer: WireWriter,
  topics: readonly TopicPartitions<OffsetFetchPartitionResponse>[],
  version: number,
): void {
  encodeTopics(writer, topics, (partition) => {
    writer.i32(partition.partition)
    writer.i64(partition.offset)
    if (version >= 5) writer.i32(partition.leaderEpoch)
    writer.nullableString(partition.metadata)
    writer.i16(partition.errorCode)
  })
}
