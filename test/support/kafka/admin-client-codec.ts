import type { WireReader } from '../../../adapters/kafka/wire/reader.js'
import type { ClientCodec } from './client-codec.js'
import { describingClientCodecs } from './describing-client-codec.js'
import {
  readError,
  readStructs,
  readTopics,
  type TopicsOf,
  writePartitions,
  writeStructs,
  writeTopics,
} from './structs.js'

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
    writeStructs(writer, request.resources as Resource[], (resource) => {
      writer.i8(resource.type)
      writer.string(resource.name)
      writer.nullableArray(resource.configNames, (name) => writer.string(name))
    })
    writer.boolean(request.includeSynonyms)
    if (version >= 3) writer.boolean(request.includeDocumentation)
    writer.tags()
  },
  decodeResponse(reader, version) {
    reader.i32()
    const resources = readStructs(reader, () => {
      const head = { ...readError(reader), type: reader.i8() }
      const name = reader.string()
      const configs = readStructs(reader, () => {
        const config = { name: reader.string(), value: reader.nullableString(), readOnly: reader.boolean() }
        const source = reader.i8()
        const sensitive = reader.boolean()
        const synonyms = readStructs(reader, () => ({
          name: reader.string(),
          value: reader.nullableString(),
          source: reader.i8(),
        }))
        const type = version >= 3 ? reader.i8() : undefined
        const documentation = version >= 3 ? reader.nullableString() : undefined
        return { ...config, source, sensitive, synonyms, type, documentation }
      })
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
      writeStructs(writer, request.resources as { type: number; name: string; configs: NamedValue[] }[], (resource) => {
        writer.i8(resource.type)
        writer.string(resource.name)
        writeStructs(writer, resource.configs, (config) => {
          writer.string(config.name)
          if (config.operation !== undefined) writer.i8(config.operation)
          writer.nullableString(config.value)
        })
      })
      writer.boolean(request.validateOnly)
      writer.tags()
    },
    decodeResponse(reader) {
      reader.i32()
      const resources = readStructs(reader, () => {
        const error = readError(reader)
        return { ...error, type: reader.i8(), name: reader.string() }
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
    writeStructs(writer, request.topics as Topic[], (topic) => {
      writer.string(topic.name)
      writer.i32(topic.partitionCount)
      writeStructs(writer, topic.assignments, (nodeIds) => writer.array(nodeIds, (nodeId) => writer.i32(nodeId)))
    })
    writer.i32(request.timeoutMs)
    writer.boolean(request.validateOnly)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readStructs(reader, () => ({ name: reader.string(), ...readError(reader) }))
    reader.tags()
    return { topics }
  },
}

const deleteRecords: ClientCodec = {
  ...base,
  key: 21,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writeTopics(writer, request.topics as TopicsOf<{ partition: number; offset: number }>, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.offset)
    })
    writer.i32(request.timeoutMs)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readTopics(reader, () => ({
      partition: reader.i32(),
      lowWatermark: reader.i64(),
      errorCode: reader.i16(),
    }))
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
    const directories = readStructs(reader, () => {
      const directory = { errorCode: reader.i16(), name: reader.string() }
      const topics = readTopics(reader, () => {
        const partition = { partition: reader.i32(), bytes: reader.i64() }
        return { ...partition, lag: reader.i64(), future: reader.boolean() }
      })
      const volume = version >= 4 ? [reader.i64(), reader.i64()] : undefined
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
  return { partition: reader.i32(), ...readError(reader) }
}

const alterPartitionReassignments: ClientCodec = {
  ...base,
  key: 45,
  flexibleFrom: 0,
  encodeRequest(writer, request) {
    writer.i32(request.timeoutMs)
    writeTopics(writer, request.topics as TopicsOf<{ partition: number; nodeIds: number[] | null }>, (partition) => {
      writer.i32(partition.partition)
      writer.nullableArray(partition.nodeIds, (nodeId) => writer.i32(nodeId))
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = readError(reader)
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
    const failure = readError(reader)
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
