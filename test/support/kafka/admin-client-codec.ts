import type { WireReader } from '../../../adapters/kafka/wire/reader.js'
import type { WireWriter } from '../../../adapters/kafka/wire/writer.js'
import type { ClientCodec } from './client-codec.js'
import { describingClientCodecs } from './describing-client-codec.js'

/** The client's half of the APIs of configs and partitions; see `client-codec.ts`. */

const base = { responseHeaderFlexible: true }

interface NamedValue {
  readonly name: string
  readonly operation?: number
  readonly value: string | null
}

const describeConfigs: ClientCodec = {
  ...base,
  key: 32,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    type Resource = { type: number; name: string; configNames: string[] | null }
    writer.array(request.resources as Resource[], (resource) => {
      writer.i8(resource.type)
      writer.string(resource.name)
      writer.nullableArray(resource.configNames, (name) => writer.string(name))
      writer.tags()
    })
    writer.boolean(request.includeSynonyms)
    if (version >= 3) writer.boolean(request.includeDocumentation)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const resources = reader.array(() => {
      const head = { errorCode: reader.i16(), errorMessage: reader.nullableString(), type: reader.i8() }
      const name = reader.string()
      const configs = reader.array(() => {
        const config = { name: reader.string(), value: reader.nullableString(), readOnly: reader.boolean() }
        const source = reader.i8()
        const sensitive = reader.boolean()
        const synonyms = reader.array(() => {
          const synonym = { name: reader.string(), value: reader.nullableString(), source: reader.i8() }
          reader.tags()
          return synonym
        })
        const type = version >= 3 ? reader.i8() : undefined
        const documentation = version >= 3 ? reader.nullableString() : undefined
        reader.tags()
        return { ...config, source, sensitive, synonyms, type, documentation }
      })
      reader.tags()
      return { ...head, name, configs }
    })
    reader.tags()
    return { resources }
  },
}

function alteringCodec(key: number, flexibleFrom: number): ClientCodec {
  return {
    ...base,
    key,
    flexibleFrom,
    encodeRequest(writer, request) {
      writer.array(request.resources as { type: number; name: string; configs: NamedValue[] }[], (resource) => {
        writer.i8(resource.type)
        writer.string(resource.name)
        writer.array(resource.configs, (config) => {
          writer.string(config.name)
          if (config.operation !== undefined) writer.i8(config.operation)
          writer.nullableString(config.value)
          writer.tags()
        })
        writer.tags()
      })
      writer.boolean(request.validateOnly)
      writer.tags()
    },
    decodeResponse(reader) {
      reader.i32()
      const resources = reader.array(() => {
        const errorCode = reader.i16()
        const errorMessage = reader.nullableString()
        const resource = { type: reader.i8(), name: reader.string(), errorCode, errorMessage }
        reader.tags()
        return resource
      })
      reader.tags()
      return { resources }
    },
  }
}

const createPartitions: ClientCodec = {
  ...base,
  key: 37,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    type Topic = { name: string; partitionCount: number; assignments: number[][] | null }
    writer.array(request.topics as Topic[], (topic) => {
      writer.string(topic.name)
      writer.i32(topic.partitionCount)
      writer.nullableArray(topic.assignments, (nodeIds) => {
        writer.array(nodeIds, (nodeId) => writer.i32(nodeId))
        writer.tags()
      })
      writer.tags()
    })
    writer.i32(request.timeoutMs)
    writer.boolean(request.validateOnly)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = reader.array(() => failureOf(reader))
    reader.tags()
    return { topics }
  },
}

function failureOf(reader: WireReader): object {
  const failure = { name: reader.string(), errorCode: reader.i16(), errorMessage: reader.nullableString() }
  reader.tags()
  return failure
}

type TopicPartitions = { name: string; partitions: number[] }

/** Names of topics with numbers of partitions: what many of these requests are made of. */
function writePartitions(writer: WireWriter, topics: TopicPartitions[] | null): void {
  writer.nullableArray(topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, (partition) => writer.i32(partition))
    writer.tags()
  })
}

function readTopics(reader: WireReader, readPartition: () => object): object[] {
  return reader.array(() => {
    const name = reader.string()
    const partitions = reader.array(() => {
      const partition = readPartition()
      reader.tags()
      return partition
    })
    reader.tags()
    return { name, partitions }
  })
}

const deleteRecords: ClientCodec = {
  ...base,
  key: 21,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    type Topic = { name: string; partitions: { partition: number; offset: number }[] }
    writer.array(request.topics as Topic[], (topic) => {
      writer.string(topic.name)
      writer.array(topic.partitions, (partition) => {
        writer.i32(partition.partition)
        writer.i64(partition.offset)
        writer.tags()
      })
      writer.tags()
    })
    writer.i32(request.timeoutMs)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readTopics(reader, () => {
      return { partition: reader.i32(), lowWatermark: reader.i64(), errorCode: reader.i16() }
    })
    reader.tags()
    return { topics }
  },
}

const describeLogDirs: ClientCodec = {
  ...base,
  key: 35,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writePartitions(writer, request.topics)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const errorCode = version >= 3 ? reader.i16() : 0
    const directories = reader.array(() => {
      const directory = { errorCode: reader.i16(), name: reader.string() }
      const topics = readTopics(reader, () => {
        const partition = { partition: reader.i32(), bytes: reader.i64() }
        return { ...partition, lag: reader.i64(), future: reader.boolean() }
      })
      const volume = version >= 4 ? [reader.i64(), reader.i64()] : undefined
      reader.tags()
      return { ...directory, topics, volume }
    })
    reader.tags()
    return { errorCode, directories }
  },
}

const electLeaders: ClientCodec = {
  ...base,
  key: 43,
  flexibleFrom: 2,
  encodeRequest(writer, request, version) {
    if (version >= 1) writer.i8(1)
    writePartitions(writer, request.topics)
    writer.i32(request.timeoutMs)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const errorCode = version >= 1 ? reader.i16() : 0
    const topics = readTopics(reader, () => partitionFailureOf(reader))
    reader.tags()
    return { errorCode, topics }
  },
}

function partitionFailureOf(reader: WireReader): object {
  return { partition: reader.i32(), errorCode: reader.i16(), errorMessage: reader.nullableString() }
}

const alterPartitionReassignments: ClientCodec = {
  ...base,
  key: 45,
  flexibleFrom: 0,
  encodeRequest(writer, request) {
    type Topic = { name: string; partitions: { partition: number; nodeIds: number[] | null }[] }
    writer.i32(request.timeoutMs)
    writer.array(request.topics as Topic[], (topic) => {
      writer.string(topic.name)
      writer.array(topic.partitions, (partition) => {
        writer.i32(partition.partition)
        writer.nullableArray(partition.nodeIds, (nodeId) => writer.i32(nodeId))
        writer.tags()
      })
      writer.tags()
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = { errorCode: reader.i16(), errorMessage: reader.nullableString() }
    const topics = readTopics(reader, () => partitionFailureOf(reader))
    reader.tags()
    return { ...failure, topics }
  },
}

const listPartitionReassignments: ClientCodec = {
  ...base,
  key: 46,
  flexibleFrom: 0,
  encodeRequest(writer, request) {
    writer.i32(request.timeoutMs)
    writePartitions(writer, request.topics)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = { errorCode: reader.i16(), errorMessage: reader.nullableString() }
    const topics = readTopics(reader, () => ({}))
    reader.tags()
    return { ...failure, topics }
  },
}

export const adminClientCodecs = {
  describeConfigs,
  alterConfigs: alteringCodec(33, 2),
  createPartitions,
  incrementalAlterConfigs: alteringCodec(44, 1),
  deleteRecords,
  describeLogDirs,
  electLeaders,
  alterPartitionReassignments,
  listPartitionReassignments,
  ...describingClientCodecs,
} as const
