import type { ClientCodec } from './client-codec.js'
import { readStructs, readTopics, type TopicsOf, writePartitions, writeStructs, writeTopics } from './structs.js'

/** The client's half of the APIs of what groups have read, and of where an epoch ends; see `client-codec.ts`. */

const base = { responseHeaderFlexible: true }

const offsetCommit: ClientCodec = {
  ...base,
  key: 8,
  flexibleFrom: 8,
  encodeRequest(writer, request, version) {
    type Partition = { partition: number; offset: number; leaderEpoch: number; metadata: string | null }
    writer.string(request.groupId)
    writer.i32(request.generationId)
    writer.string(request.memberId)
    if (version >= 7) writer.nullableString(request.groupInstanceId)
    if (version <= 4) writer.i64(request.retentionMs)
    writeTopics(writer, request.topics as TopicsOf<Partition>, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.offset)
      if (version >= 6) writer.i32(partition.leaderEpoch)
      writer.nullableString(partition.metadata)
    })
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 3) reader.i32()
    const topics = readTopics(reader, () => ({ partition: reader.i32(), errorCode: reader.i16() }))
    reader.tags()
    return { topics }
  },
}

const offsetFetch: ClientCodec = {
  ...base,
  key: 9,
  flexibleFrom: 6,
  encodeRequest(writer, request, version) {
    type Group = { groupId: string; topics: TopicsOf<number> | null }
    const groups = request.groups as Group[]
    if (version >= 8) {
      writeStructs(writer, groups, (group) => {
        writer.string(group.groupId)
        if (version >= 9) {
          writer.nullableString(null)
          writer.i32(-1)
        }
        writePartitions(writer, group.topics)
      })
    } else {
      writer.string(groups[0]!.groupId)
      writePartitions(writer, groups[0]!.topics)
    }
    if (version >= 7) writer.boolean(true)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 3) reader.i32()
    const topicsOf = () =>
      readTopics(reader, () => ({
        partition: reader.i32(),
        offset: reader.i64(),
        leaderEpoch: version >= 5 ? reader.i32() : undefined,
        metadata: reader.nullableString(),
        errorCode: reader.i16(),
      }))
    const groups =
      version >= 8
        ? readStructs(reader, () => ({ groupId: reader.string(), topics: topicsOf(), errorCode: reader.i16() }))
        : [{ topics: topicsOf(), errorCode: version >= 2 ? reader.i16() : undefined }]
    reader.tags()
    return { groups }
  },
}

const offsetForLeaderEpoch: ClientCodec = {
  ...base,
  key: 23,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    if (version >= 3) writer.i32(-1)
    writeTopics(writer, request.topics as TopicsOf<{ partition: number; leaderEpoch: number }>, (partition) => {
      writer.i32(partition.partition)
      writer.i32(0)
      writer.i32(partition.leaderEpoch)
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readTopics(reader, () => ({
      errorCode: reader.i16(),
      partition: reader.i32(),
      leaderEpoch: reader.i32(),
      endOffset: reader.i64(),
    }))
    reader.tags()
    return { topics }
  },
}

const offsetDelete: ClientCodec = {
  ...base,
  key: 47,
  flexibleFrom: Number.POSITIVE_INFINITY,
  encodeRequest(writer, request) {
    writer.string(request.groupId)
    writePartitions(writer, request.topics)
  },
  decodeResponse(reader) {
    const errorCode = reader.i16()
    reader.i32()
    return { errorCode, topics: readTopics(reader, () => ({ partition: reader.i32(), errorCode: reader.i16() })) }
  },
}

export const groupOffsetClientCodecs = { offsetCommit, offsetFetch, offsetForLeaderEpoch, offsetDelete } as const
