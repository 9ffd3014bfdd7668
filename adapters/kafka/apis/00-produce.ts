import type { RecordsField, WireReader } from '../wire/reader.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface ProduceRequest {
  readonly transactionalId: string | null
  readonly acks: number
  readonly timeoutMs: number
  readonly topics: readonly ProduceTopic[]
}

export interface ProduceTopic {
  readonly name: string
  readonly partitions: readonly ProducePartition[]
}

export interface ProducePartition {
  readonly partition: number
  readonly records: RecordsField | null
}

export interface ProduceResponse {
  readonly topics: readonly ProduceTopicResponse[]
}

export interface ProduceTopicResponse {
  readonly name: string
  readonly partitions: readonly ProducePartitionResponse[]
}

export interface ProducePartitionResponse {
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly baseOffset: number
  readonly logStartOffset: number
  /** `LOG_APPEND_TIME_NONE` where the timestamps are the producer's. */
  readonly logAppendTimeMs: number
  /** Records for which the batch was refused. */
  readonly recordErrors: readonly { readonly record: number; readonly message: string }[]
}

/**
 * Versions 0-2 are advertised though they are refused: librdkafka up to 2.11 tests for its compression codecs by
 * them and would silently stop compressing (KAFKA-18659). No client sends them with v2 record batches.
 */
export const produce: ApiCodec<ProduceRequest, ProduceResponse> = {
  key: 0,
  name: 'Produce',
  validVersions: { min: 3, max: 11 },
  advertisedVersions: { min: 0, max: 11 },
  flexibleFrom: 9,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader): ProduceRequest {
  const transactionalId = reader.nullableString()
  const acks = reader.i16()
  const timeoutMs = reader.i32()
  const topics = reader.array(decodeTopic)
  reader.tags()
  return { transactionalId, acks, timeoutMs, topics }
}

function decodeTopic(reader: WireReader): ProduceTopic {
  const name = reader.string()
  const partitions = reader.array(decodePartition)
  reader.tags()
  return { name, partitions }
}

function decodePartition(reader: WireReader): ProducePartition {
  const partition = reader.i32()
  const records = reader.records()
  reader.tags()
  return { partition, records }
}

export const LOG_APPEND_TIME_NONE = -1

function encodeResponse(writer: WireWriter, response: ProduceResponse, version: number): void {
  writer.array(response.topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => {
      writer.i32(partition.partition)
      writer.i16(partition.errorCode)
      writer.i64(partition.baseOffset)
      writer.i64(partition.logAppendTimeMs)
      if (version >= 5) writer.i64(partition.logStartOffset)
      if (version >= 8) {
        writer.array(partition.recordErrors, ({ record, message }) => {
          writer.i32(record)
          writer.nullableString(message)
          writer.tags()
        })
        writer.nullableString(partition.errorMessage)
      }
      writer.tags()
    })
    writer.tags()
  })
  writer.i32(0)
  writer.tags()
}
