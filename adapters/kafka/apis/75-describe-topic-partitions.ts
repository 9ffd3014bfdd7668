import type { WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import { LEADER_EPOCH, type MetadataPartition } from './03-metadata.js'
import type { ApiCodec } from './api.js'

export interface DescribeTopicPartitionsRequest {
  readonly topics: readonly string[]
  /** Partitions of all topics together that one answer may hold. */
  readonly partitionCountMax: number
  /** Where to go on; null from the start. */
  readonly cursor: TopicPartitionCursor | null
}

export interface TopicPartitionCursor {
  readonly topic: string
  readonly partition: number
}

export interface DescribeTopicPartitionsResponse {
  readonly topics: readonly DescribedTopic[]
  /** Where the next request goes on; null when this was all. */
  readonly nextCursor: TopicPartitionCursor | null
}

export interface DescribedTopic {
  readonly errorCode: number
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly MetadataPartition[]
}

export const describeTopicPartitions: ApiCodec<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> = {
  key: 75,
  name: 'DescribeTopicPartitions',
  validVersions: { min: 0, max: 0 },
  flexibleFrom: 0,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): DescribeTopicPartitionsRequest {
  const topics = reader.array(() => {
    const name = reader.string()
    reader.tags()
    return name
  })
  const partitionCountMax = reader.i32()
  const cursor = decodeCursor(reader)
  reader.tags()
  return { topics, partitionCountMax, cursor }
}

/** What stands before a structure that may be null. */
const NULL_STRUCTURE = -1
const STRUCTURE = 1

function decodeCursor(reader: WireReader): TopicPartitionCursor | null {
  if (reader.i8() === NULL_STRUCTURE) return null
  const cursor = { topic: reader.string(), partition: reader.i32() }
  reader.tags()
  return cursor
}

const AUTHORIZED_OPERATIONS_UNKNOWN = -2147483648

function encodeResponse(writer: WireWriter, response: DescribeTopicPartitionsResponse): void {
  writer.i32(0)
  writer.array(response.topics, (topic) => {
    writer.i16(topic.errorCode)
    writer.nullableString(topic.name)
    writer.uuid(topic.topicId)
    writer.boolean(false)
    writer.array(topic.partitions, (partition) => {
      writer.i16(0)
      writer.i32(partition.partition)
      writer.i32(partition.leaderId)
      writer.i32(LEADER_EPOCH)
      writer.array(partition.replicaIds, (nodeId) => writer.i32(nodeId))
      writer.array(partition.inSyncIds, (nodeId) => writer.i32(nodeId))
      // Eligible leaders, now and last: empty and never null, which the schema allows and the AdminClient of Java does not expect.
      for (let list = 0; list < 2; list++) writer.array([], () => {})
      writer.array(partition.offlineIds, (nodeId) => writer.i32(nodeId))
      writer.tags()
    })
    writer.i32(AUTHORIZED_OPERATIONS_UNKNOWN)
    writer.tags()
  })
  encodeCursor(writer, response.nextCursor)
  writer.tags()
}

function encodeCursor(writer: WireWriter, cursor: TopicPartitionCursor | null): void {
  writer.i8(cursor === null ? NULL_STRUCTURE : STRUCTURE)
  if (cursor === null) return
  writer.string(cursor.topic)
  writer.i32(cursor.partition)
  writer.tags()
}
