import type { WireReader } from '../../../adapters/kafka/wire/reader.js'
import { ZERO_UUID } from '../../../adapters/kafka/wire/uuid.js'
import type { WireWriter } from '../../../adapters/kafka/wire/writer.js'
import { adminClientCodecs } from './admin-client-codec.js'
import { groupClientCodecs } from './group-client-codec.js'
import { securityClientCodecs } from './security-client-codec.js'
import { readError, readStructs, readTopics, type TopicsOf, writeStructs, writeTopics } from './structs.js'

/**
 * The client's half of the codecs: requests are written, responses read. Tests drive every version with it; that it
 * agrees with the world is shown by the golden bytes of real clients, which both halves are checked against.
 */
export interface ClientCodec {
  readonly key: number
  readonly flexibleFrom: number
  readonly responseHeaderFlexible: boolean
  // biome-ignore lint/suspicious/noExplicitAny: requests are literals in tests, shaped by the API at hand
  encodeRequest(writer: WireWriter, request: any, version: number): void
  decodeResponse(reader: WireReader, version: number): unknown
}

const base = { responseHeaderFlexible: true }

const produce: ClientCodec = {
  ...base,
  key: 0,
  flexibleFrom: 9,
  encodeRequest(writer, request) {
    writer.nullableString(request.transactionalId ?? null)
    writer.i16(request.acks)
    writer.i32(request.timeoutMs ?? 1500)
    writeTopics(writer, request.topics as TopicsOf<{ partition: number; records: Uint8Array }>, (partition) => {
      writer.i32(partition.partition)
      writer.records([partition.records], partition.records.byteLength)
    })
    writer.tags()
  },
  decodeResponse(reader, version) {
    const topics = readTopics(reader, () => {
      const partition = reader.i32()
      const errorCode = reader.i16()
      const baseOffset = reader.i64()
      const logAppendTimeMs = version >= 2 ? reader.i64() : undefined
      const logStartOffset = version >= 5 ? reader.i64() : undefined
      let errorMessage: string | null | undefined
      let recordErrors: object[] | undefined
      if (version >= 8) {
        recordErrors = readStructs(reader, () => ({ record: reader.i32(), message: reader.nullableString() }))
        errorMessage = reader.nullableString()
      }
      return { partition, errorCode, baseOffset, logAppendTimeMs, logStartOffset, errorMessage, recordErrors }
    })
    if (version >= 1) reader.i32()
    reader.tags()
    return { topics }
  },
}

const fetch: ClientCodec = {
  ...base,
  key: 1,
  flexibleFrom: 12,
  encodeRequest(writer, request, version) {
    if (version <= 14) writer.i32(-1)
    writer.i32(request.waitMaxMs)
    writer.i32(request.bytesMin)
    writer.i32(request.bytesMax)
    writer.i8(request.isolationLevel)
    if (version >= 7) {
      writer.i32(request.sessionId)
      writer.i32(request.sessionEpoch)
    }
    type Partition = { partition: number; fetchOffset: number; bytesMax: number }
    writeStructs(writer, request.topics as { name: string; topicId: string; partitions: Partition[] }[], (topic) => {
      if (version <= 12) writer.string(topic.name)
      else writer.uuid(topic.topicId)
      writeStructs(writer, topic.partitions, (partition) => {
        writer.i32(partition.partition)
        if (version >= 9) writer.i32(0)
        writer.i64(partition.fetchOffset)
        if (version >= 12) writer.i32(-1)
        if (version >= 5) writer.i64(-1)
        writer.i32(partition.bytesMax)
      })
    })
    if (version >= 7) writer.array([], () => {})
    if (version >= 11) writer.string(request.rackId)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const errorCode = version >= 7 ? reader.i16() : 0
    const sessionId = version >= 7 ? reader.i32() : 0
    const topics = readStructs(reader, () => {
      const name = version <= 12 ? reader.string() : ''
      const topicId = version >= 13 ? reader.uuid() : ZERO_UUID
      const partitions = readStructs(reader, () => {
        const partition = reader.i32()
        const partitionError = reader.i16()
        const highWatermark = reader.i64()
        const lastStableOffset = reader.i64()
        const logStartOffset = version >= 5 ? reader.i64() : undefined
        const abortedTransactions = reader.nullableArray(() => [reader.i64(), reader.i64(), reader.tags()])
        if (version >= 11) reader.i32()
        const records = reader.records()
        return {
          partition,
          errorCode: partitionError,
          highWatermark,
          lastStableOffset,
          logStartOffset,
          abortedTransactions,
          records,
        }
      })
      return { name, topicId, partitions }
    })
    reader.tags()
    return { errorCode, sessionId, topics }
  },
}

const listOffsets: ClientCodec = {
  ...base,
  key: 2,
  flexibleFrom: 6,
  encodeRequest(writer, request, version) {
    writer.i32(-1)
    if (version >= 2) writer.i8(request.isolationLevel)
    writeTopics(writer, request.topics as TopicsOf<{ partition: number; timestamp: number }>, (partition) => {
      writer.i32(partition.partition)
      if (version >= 4) writer.i32(-1)
      writer.i64(partition.timestamp)
    })
    if (version >= 10) writer.i32(1500)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 2) reader.i32()
    const topics = readTopics(reader, () => {
      const partition = reader.i32()
      const errorCode = reader.i16()
      const timestampMs = reader.i64()
      const offset = reader.i64()
      const leaderEpoch = version >= 4 ? reader.i32() : -1
      return { partition, errorCode, timestampMs, offset, leaderEpoch }
    })
    reader.tags()
    return { topics }
  },
}

const metadata: ClientCodec = {
  ...base,
  key: 3,
  flexibleFrom: 9,
  encodeRequest(writer, request, version) {
    const topics = request.topics as { name: string | null; topicId: string }[] | null
    writeStructs(writer, version === 0 && topics === null ? [] : topics, (topic) => {
      if (version >= 10) writer.uuid(topic.topicId)
      if (version >= 10) writer.nullableString(topic.name)
      else writer.string(topic.name ?? '')
    })
    if (version >= 4) writer.boolean(request.allowAutoTopicCreation)
    if (version >= 8 && version <= 10) writer.boolean(false)
    if (version >= 8) writer.boolean(false)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 3) reader.i32()
    const brokers = readStructs(reader, () => ({
      nodeId: reader.i32(),
      host: reader.string(),
      port: reader.i32(),
      rack: version >= 1 ? reader.nullableString() : null,
    }))
    const clusterId = version >= 2 ? reader.nullableString() : undefined
    const controllerId = version >= 1 ? reader.i32() : undefined
    const topics = readStructs(reader, () => {
      const errorCode = reader.i16()
      const name = version >= 12 ? reader.nullableString() : reader.string()
      const topicId = version >= 10 ? reader.uuid() : undefined
      if (version >= 1) reader.boolean()
      const partitions = readStructs(reader, () => {
        const partition = { errorCode: reader.i16(), partition: reader.i32(), leaderId: reader.i32() }
        const leaderEpoch = version >= 7 ? reader.i32() : undefined
        const replicas = reader.array(() => reader.i32())
        const inSyncReplicas = reader.array(() => reader.i32())
        const offline = version >= 5 ? reader.array(() => reader.i32()) : undefined
        return { ...partition, leaderEpoch, replicas, inSyncReplicas, offline }
      })
      if (version >= 8) reader.i32()
      return { errorCode, name, topicId, partitions }
    })
    if (version >= 8 && version <= 10) reader.i32()
    const errorCode = version >= 13 ? reader.i16() : 0
    reader.tags()
    return { errorCode, brokers, clusterId, controllerId, topics }
  },
}

const apiVersions: ClientCodec = {
  key: 18,
  flexibleFrom: 3,
  responseHeaderFlexible: false,
  encodeRequest(writer, request, version) {
    if (version < 3) return
    writer.string(request.clientSoftwareName)
    writer.string(request.clientSoftwareVersion)
    writer.tags()
  },
  decodeResponse(reader, version) {
    const errorCode = reader.i16()
    const apis = readStructs(reader, () => ({ key: reader.i16(), min: reader.i16(), max: reader.i16() }))
    if (version >= 1) reader.i32()
    reader.tags()
    return { errorCode, apis }
  },
}

const createTopics: ClientCodec = {
  ...base,
  key: 19,
  flexibleFrom: 5,
  encodeRequest(writer, request) {
    type Assignment = { partition: number; nodeIds: number[] }
    type Topic = {
      name: string
      partitionCount: number
      replicationFactor: number
      assignments: Assignment[]
      configs: { name: string; value: string | null }[]
    }
    writeStructs(writer, request.topics as Topic[], (topic) => {
      writer.string(topic.name)
      writer.i32(topic.partitionCount)
      writer.i16(topic.replicationFactor)
      writeStructs(writer, topic.assignments, (assignment) => {
        writer.i32(assignment.partition)
        writer.array(assignment.nodeIds, (nodeId) => writer.i32(nodeId))
      })
      writeStructs(writer, topic.configs, (config) => {
        writer.string(config.name)
        writer.nullableString(config.value)
      })
    })
    writer.i32(request.timeoutMs)
    writer.boolean(request.validateOnly)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const topics = readStructs(reader, () => {
      const name = reader.string()
      const topicId = version >= 7 ? reader.uuid() : undefined
      const error = readError(reader)
      const partitionCount = version >= 5 ? reader.i32() : undefined
      const replicationFactor = version >= 5 ? reader.i16() : undefined
      let configs: object[] | null | undefined
      if (version >= 5) {
        configs = reader.nullableArray(() => {
          const config = {
            name: reader.string(),
            value: reader.nullableString(),
            readOnly: reader.boolean(),
            source: reader.i8(),
          }
          reader.boolean()
          reader.tags()
          return config
        })
      }
      return { name, topicId, ...error, partitionCount, replicationFactor, configs }
    })
    reader.tags()
    return { topics }
  },
}

const deleteTopics: ClientCodec = {
  ...base,
  key: 20,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    writer.array(request.topics as { name: string | null; topicId: string }[], (topic) => {
      if (version < 6) {
        writer.string(topic.name ?? '')
        return
      }
      writer.nullableString(topic.name)
      writer.uuid(topic.topicId)
      writer.tags()
    })
    writer.i32(request.timeoutMs)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const topics = readStructs(reader, () => {
      const name = version >= 6 ? reader.nullableString() : reader.string()
      const topicId = version >= 6 ? reader.uuid() : undefined
      const errorCode = reader.i16()
      const errorMessage = version >= 5 ? reader.nullableString() : undefined
      return { name, topicId, errorCode, errorMessage }
    })
    reader.tags()
    return { topics }
  },
}

const initProducerId: ClientCodec = {
  ...base,
  key: 22,
  flexibleFrom: 2,
  encodeRequest(writer, request, version) {
    writer.nullableString(request.transactionalId)
    writer.i32(request.transactionTimeoutMs)
    if (version >= 3) {
      writer.i64(request.producerId)
      writer.i16(request.producerEpoch)
    }
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const response = { errorCode: reader.i16(), producerId: reader.i64(), producerEpoch: reader.i16() }
    reader.tags()
    return response
  },
}

export const clientCodecs = {
  produce,
  fetch,
  listOffsets,
  metadata,
  apiVersions,
  createTopics,
  deleteTopics,
  initProducerId,
  ...adminClientCodecs,
  ...groupClientCodecs,
  ...securityClientCodecs,
} as const

export type ApiName = keyof typeof clientCodecs
