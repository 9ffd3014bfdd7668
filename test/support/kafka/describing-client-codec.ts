import type { ClientCodec } from './client-codec.js'
import { readError, readStructs, readTopics, writePartitions, writeStructs } from './structs.js'

/** The client's half of the APIs that only look: at the cluster, topics, producers, transactions; see `client-codec.ts`. */

const base = { responseHeaderFlexible: true, flexibleFrom: 0 }

const describeCluster: ClientCodec = {
  ...base,
  key: 60,
  encodeRequest(writer, request, version) {
    writer.boolean(true)
    if (version >= 1) writer.i8(request.endpointType)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const failure = readError(reader)
    const endpointType = version >= 1 ? reader.i8() : undefined
    const cluster = { clusterId: reader.string(), controllerId: reader.i32() }
    const brokers = readStructs(reader, () => ({
      nodeId: reader.i32(),
      host: reader.string(),
      port: reader.i32(),
      rack: reader.nullableString(),
    }))
    const operations = reader.i32()
    reader.tags()
    return { ...failure, endpointType, ...cluster, brokers, operations }
  },
}

const describeProducers: ClientCodec = {
  ...base,
  key: 61,
  encodeRequest(writer, request) {
    writePartitions(writer, request.topics)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readTopics(reader, () => {
      const partition = { partition: reader.i32(), ...readError(reader) }
      const producers = readStructs(reader, () => {
        const producer = { producerId: reader.i64(), producerEpoch: reader.i32(), lastSequence: reader.i32() }
        const times = {
          lastTimestampMs: reader.i64(),
          coordinatorEpoch: reader.i32(),
          transactionOffset: reader.i64(),
        }
        return { ...producer, ...times }
      })
      return { ...partition, producers }
    })
    reader.tags()
    return { topics }
  },
}

const describeTransactions: ClientCodec = {
  ...base,
  key: 65,
  encodeRequest(writer, request) {
    writer.array(request.transactionalIds as string[], (id) => writer.string(id))
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const transactions = readStructs(reader, () => {
      const transaction = { errorCode: reader.i16(), transactionalId: reader.string(), state: reader.string() }
      const times = [reader.i32(), reader.i64()]
      const producer = [reader.i64(), reader.i16()]
      const topics = reader.array(() => ({}))
      return { ...transaction, times, producer, topics }
    })
    reader.tags()
    return { transactions }
  },
}

const listTransactions: ClientCodec = {
  ...base,
  key: 66,
  encodeRequest(writer, request, version) {
    writer.array(request.states as string[], (state) => writer.string(state))
    writer.array(request.producerIds as number[], (producerId) => writer.i64(producerId))
    if (version >= 1) writer.i64(request.durationMs)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const errorCode = reader.i16()
    const unknownStates = reader.array(() => reader.string())
    const transactions = reader.array(() => ({}))
    reader.tags()
    return { errorCode, unknownStates, transactions }
  },
}

const describeTopicPartitions: ClientCodec = {
  ...base,
  key: 75,
  encodeRequest(writer, request) {
    writeStructs(writer, request.topics as string[], (name) => writer.string(name))
    writer.i32(request.partitionCountMax)
    const cursor = request.cursor as { topic: string; partition: number } | null
    writer.i8(cursor === null ? -1 : 1)
    if (cursor !== null) {
      writer.string(cursor.topic)
      writer.i32(cursor.partition)
      writer.tags()
    }
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readStructs(reader, () => {
      const topic = { errorCode: reader.i16(), name: reader.nullableString(), topicId: reader.uuid() }
      reader.boolean()
      const partitions = readStructs(reader, () => {
        const partition = { errorCode: reader.i16(), partition: reader.i32(), leaderId: reader.i32() }
        const leaderEpoch = reader.i32()
        const lists = Array.from({ length: 2 }, () => reader.array(() => reader.i32()))
        const eligible = Array.from({ length: 2 }, () => reader.nullableArray(() => reader.i32()))
        const offline = reader.array(() => reader.i32())
        return { ...partition, leaderEpoch, lists, eligible, offline }
      })
      const operations = reader.i32()
      return { ...topic, partitions, operations }
    })
    let nextCursor: object | null = null
    if (reader.i8() !== -1) {
      nextCursor = { topic: reader.string(), partition: reader.i32() }
      reader.tags()
    }
    reader.tags()
    return { topics, nextCursor }
  },
}

export const describingClientCodecs = {
  describeCluster,
  describeProducers,
  describeTransactions,
  listTransactions,
  describeTopicPartitions,
} as const
