import type { ClientCodec } from './client-codec.js'

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
    const failure = { errorCode: reader.i16(), errorMessage: reader.nullableString() }
    const endpointType = version >= 1 ? reader.i8() : undefined
    const cluster = { clusterId: reader.string(), controllerId: reader.i32() }
    const brokers = reader.array(() => {
      const broker = { nodeId: reader.i32(), host: reader.string(), port: reader.i32(), rack: reader.nullableString() }
      reader.tags()
      return broker
    })
    const operations = reader.i32()
    reader.tags()
    return { ...failure, endpointType, ...cluster, brokers, operations }
  },
}

const describeProducers: ClientCodec = {
  ...base,
  key: 61,
  encodeRequest(writer, request) {
    writer.array(request.topics as { name: string; partitions: number[] }[], (topic) => {
      writer.string(topic.name)
      writer.array(topic.partitions, (partition) => writer.i32(partition))
      writer.tags()
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = reader.array(() => {
      const name = reader.string()
      const partitions = reader.array(() => {
        const partition = { partition: reader.i32(), errorCode: reader.i16(), errorMessage: reader.nullableString() }
        const producers = reader.array(() => {
          const producer = { producerId: reader.i64(), producerEpoch: reader.i32(), lastSequence: reader.i32() }
          const times = {
            lastTimestampMs: reader.i64(),
            coordinatorEpoch: reader.i32(),
            transactionOffset: reader.i64(),
          }
          reader.tags()
          return { ...producer, ...times }
        })
        reader.tags()
        return { ...partition, producers }
      })
      reader.tags()
      return { name, partitions }
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
    const transactions = reader.array(() => {
      const transaction = { errorCode: reader.i16(), transactionalId: reader.string(), state: reader.string() }
      const times = [reader.i32(), reader.i64()]
      const producer = [reader.i64(), reader.i16()]
      const topics = reader.array(() => ({}))
      reader.tags()
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
    writer.array(request.topics as string[], (name) => {
      writer.string(name)
      writer.tags()
    })
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
    const topics = reader.array(() => {
      const topic = { errorCode: reader.i16(), name: reader.nullableString(), topicId: reader.uuid() }
      reader.boolean()
      const partitions = reader.array(() => {
        const partition = { errorCode: reader.i16(), partition: reader.i32(), leaderId: reader.i32() }
        const leaderEpoch = reader.i32()
        const lists = Array.from({ length: 2 }, () => reader.array(() => reader.i32()))
        const eligible = Array.from({ length: 2 }, () => reader.nullableArray(() => reader.i32()))
        const offline = reader.array(() => reader.i32())
        reader.tags()
        return { ...partition, leaderEpoch, lists, eligible, offline }
      })
      const operations = reader.i32()
      reader.tags()
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
