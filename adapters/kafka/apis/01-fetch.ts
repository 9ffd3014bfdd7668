import type { WireReader } from '../wire/reader.js'
import { ZERO_UUID } from '../wire/uuid.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface FetchRequest {
  readonly waitMaxMs: number
  readonly bytesMin: number
  readonly bytesMax: number
  readonly isolationLevel: number
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly FetchTopic[]
  readonly rackId: string
}

/** Named up to version 12, by id from 13 on; the other is '' or the zero id. */
export interface FetchTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly FetchPartition[]
}

export interface FetchPartition {
  readonly partition: number
  readonly fetchOffset: number
  readonly bytesMax: number
}

export interface FetchResponse {
  readonly errorCode: number
  readonly isolationLevel: number
  readonly topics: readonly FetchTopicResponse[]
}

export interface FetchTopicResponse {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly FetchPartitionResponse[]
}

export interface FetchPartitionResponse {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  /** Whole batches when put together; passed on as they are. */
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
}

export const fetch: ApiCodec<FetchRequest, FetchResponse> = {
  key: 1,
  name: 'Fetch',
  validVersions: { min: 4, max: 17 },
  flexibleFrom: 12,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): FetchRequest {
  // From 15 on the replica id is a tag, which only brokers send.
  if (version <= 14) reader.i32()
  const waitMaxMs = reader.i32()
  const bytesMin = reader.i32()
  const bytesMax = reader.i32()
  const isolationLevel = reader.i8()
  const sessionId = version >= 7 ? reader.i32() : 0
  const sessionEpoch = version >= 7 ? reader.i32() : -1
  const topics = reader.array(() => decodeTopic(reader, version))
  if (version >= 7) reader.array(() => skipForgottenTopic(reader, version))
  const rackId = version >= 11 ? reader.string() : ''
  reader.tags()
  return { waitMaxMs, bytesMin, bytesMax, isolationLevel, sessionId, sessionEpoch, topics, rackId }
}

function decodeTopic(reader: WireReader, version: number): FetchTopic {
  const name = version <= 12 ? reader.string() : ''
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID
  const partitions = reader.array(() => decodePartition(reader, version))
  reader.tags()
  return { name, topicId, partitions }
}

function decodePartition(reader: WireReader, version: number): FetchPartition {
  const partition = reader.i32()
  // Leader epochs are one constant here: there is none a client could be ahead of or behind.
  if (version >= 9) reader.i32()
  const fetchOffset = reader.i64()
  if (version >= 12) reader.i32()
  if (version >= 5) reader.i64()
  const bytesMax = reader.i32()
  reader.tags()
  return { partition, fetchOffset, bytesMax }
}

/** Forgetting partitions is for fetch sessions, which are never granted. */
function skipForgottenTopic(reader: WireReader, version: number): void {
  if (version <= 12) reader.string()
  else reader.uuid()
  reader.array(() => reader.i32())
  reader.tags()
}

const NO_SESSION_ID = 0
const NO_PREFERRED_REPLICA = -1
const ISOLATION_READ_COMMITTED = 1

function encodeResponse(writer: WireWriter, response: FetchResponse, version: number): void {
  writer.i32(0)
  if (version >= 7) {
    writer.i16(response.errorCode)
    writer.i32(NO_SESSION_ID)
  }
  // As Kafka does it: a list for who asked for committed records only, none for others.
  const abortedTransactions = response.isolationLevel === ISOLATION_READ_COMMITTED ? [] : null
  writer.array(response.topics, (topic) => {
    if (version <= 12) writer.string(topic.name)
    else writer.uuid(topic.topicId)
    writer.array(topic.partitions, (partition) => {
      writer.i32(partition.partition)
      writer.i16(partition.errorCode)
      writer.i64(partition.highWatermark)
      // Last stable offset: without transactions everything committed is stable.
      writer.i64(partition.highWatermark)
      if (version >= 5) writer.i64(partition.logStartOffset)
      writer.nullableArray(abortedTransactions, () => {})
      if (version >= 11) writer.i32(NO_PREFERRED_REPLICA)
      writer.records(partition.chunks, partition.bytes)
      writer.tags()
    })
    writer.tags()
  })
  writer.tags()
}
