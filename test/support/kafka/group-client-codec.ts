import type { WireReader } from '../../../adapters/kafka/wire/reader.js'
import type { WireWriter } from '../../../adapters/kafka/wire/writer.js'
import type { ClientCodec } from './client-codec.js'

/** The client's half of the APIs of consumer groups. */
const base = { responseHeaderFlexible: true }

type Named<Partition> = { name: string; partitions: Partition[] }[]

function writeTopics<Partition>(
  writer: WireWriter,
  topics: Named<Partition> | null,
  writePartition: (partition: Partition) => void,
): void {
  writer.nullableArray(topics, (topic) => {
    writer.string(topic.name)
    writer.array(topic.partitions, writePartition)
    writer.tags()
  })
}

function readTopics<Partition>(reader: WireReader, readPartition: () => Partition): Named<Partition> {
  return reader.array(() => {
    const topic = { name: reader.string(), partitions: reader.array(readPartition) }
    reader.tags()
    return topic
  })
}

const readPartitionError = (reader: WireReader) => () => {
  const result = { partition: reader.i32(), errorCode: reader.i16() }
  reader.tags()
  return result
}

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
    writeTopics(writer, request.topics as Named<Partition>, (partition) => {
      writer.i32(partition.partition)
      writer.i64(partition.offset)
      if (version >= 6) writer.i32(partition.leaderEpoch)
      writer.nullableString(partition.metadata)
      writer.tags()
    })
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 3) reader.i32()
    const topics = readTopics(reader, readPartitionError(reader))
    reader.tags()
    return { topics }
  },
}

const offsetFetch: ClientCodec = {
  ...base,
  key: 9,
  flexibleFrom: 6,
  encodeRequest(writer, request, version) {
    type Group = { groupId: string; topics: Named<number> | null }
    const groups = request.groups as Group[]
    const writeNames = (topics: Named<number> | null) =>
      writeTopics(writer, topics, (partition) => writer.i32(partition))
    if (version >= 8) {
      writer.array(groups, (group) => {
        writer.string(group.groupId)
        if (version >= 9) {
          writer.nullableString(null)
          writer.i32(-1)
        }
        writeNames(group.topics)
        writer.tags()
      })
    } else {
      writer.string(groups[0]!.groupId)
      writeNames(groups[0]!.topics)
    }
    if (version >= 7) writer.boolean(true)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 3) reader.i32()
    const topicsOf = () =>
      readTopics(reader, () => {
        const partition = {
          partition: reader.i32(),
          offset: reader.i64(),
          leaderEpoch: version >= 5 ? reader.i32() : undefined,
          metadata: reader.nullableString(),
          errorCode: reader.i16(),
        }
        reader.tags()
        return partition
      })
    const groups =
      version >= 8
        ? reader.array(() => {
            const group = { groupId: reader.string(), topics: topicsOf(), errorCode: reader.i16() }
            reader.tags()
            return group
          })
        : [{ topics: topicsOf(), errorCode: version >= 2 ? reader.i16() : undefined }]
    reader.tags()
    return { groups }
  },
}

const findCoordinator: ClientCodec = {
  ...base,
  key: 10,
  flexibleFrom: 3,
  encodeRequest(writer, request, version) {
    const keys = request.keys as string[]
    if (version < 4) writer.string(keys[0]!)
    if (version >= 1) writer.i8(request.keyType)
    if (version >= 4) writer.array(keys, (key) => writer.string(key))
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const node = () => ({ nodeId: reader.i32(), host: reader.string(), port: reader.i32() })
    if (version < 4) {
      const errorCode = reader.i16()
      const errorMessage = version >= 1 ? reader.nullableString() : undefined
      const coordinators = [{ errorCode, errorMessage, ...node() }]
      reader.tags()
      return { coordinators }
    }
    const coordinators = reader.array(() => {
      const coordinator = {
        key: reader.string(),
        ...node(),
        errorCode: reader.i16(),
        errorMessage: reader.nullableString(),
      }
      reader.tags()
      return coordinator
    })
    reader.tags()
    return { coordinators }
  },
}

const joinGroup: ClientCodec = {
  ...base,
  key: 11,
  flexibleFrom: 6,
  encodeRequest(writer, request, version) {
    writer.string(request.groupId)
    writer.i32(request.sessionTimeoutMs)
    if (version >= 1) writer.i32(request.rebalanceTimeoutMs)
    writer.string(request.memberId)
    if (version >= 5) writer.nullableString(request.groupInstanceId)
    writer.string(request.protocolType)
    writer.array(request.protocols as { name: string; metadata: Uint8Array }[], (protocol) => {
      writer.string(protocol.name)
      writer.bytes(protocol.metadata)
      writer.tags()
    })
    if (version >= 8) writer.nullableString(request.reason)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 2) reader.i32()
    const response = {
      errorCode: reader.i16(),
      generationId: reader.i32(),
      protocolType: version >= 7 ? reader.nullableString() : undefined,
      protocolName: reader.nullableString(),
      leaderId: reader.string(),
      skipAssignment: version >= 9 ? reader.boolean() : undefined,
      memberId: reader.string(),
      members: reader.array(() => {
        const member = {
          memberId: reader.string(),
          groupInstanceId: version >= 5 ? reader.nullableString() : undefined,
          metadata: reader.bytes(),
        }
        reader.tags()
        return member
      }),
    }
    reader.tags()
    return response
  },
}

const heartbeat: ClientCodec = {
  ...base,
  key: 12,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    writer.string(request.groupId)
    writer.i32(request.generationId)
    writer.string(request.memberId)
    if (version >= 3) writer.nullableString(request.groupInstanceId)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const errorCode = reader.i16()
    reader.tags()
    return { errorCode }
  },
}

const leaveGroup: ClientCodec = {
  ...base,
  key: 13,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    const members = request.members as { memberId: string; groupInstanceId: string | null; reason: string | null }[]
    writer.string(request.groupId)
    if (version >= 3) {
      writer.array(members, (member) => {
        writer.string(member.memberId)
        writer.nullableString(member.groupInstanceId)
        if (version >= 5) writer.nullableString(member.reason)
        writer.tags()
      })
    } else {
      writer.string(members[0]!.memberId)
    }
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const errorCode = reader.i16()
    const members =
      version >= 3
        ? reader.array(() => {
            const member = {
              memberId: reader.string(),
              groupInstanceId: reader.nullableString(),
              errorCode: reader.i16(),
            }
            reader.tags()
            return member
          })
        : undefined
    reader.tags()
    return { errorCode, members }
  },
}

const syncGroup: ClientCodec = {
  ...base,
  key: 14,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    writer.string(request.groupId)
    writer.i32(request.generationId)
    writer.string(request.memberId)
    if (version >= 3) writer.nullableString(request.groupInstanceId)
    if (version >= 5) {
      writer.nullableString(request.protocolType)
      writer.nullableString(request.protocolName)
    }
    writer.array(request.assignments as { memberId: string; assignment: Uint8Array }[], (assignment) => {
      writer.string(assignment.memberId)
      writer.bytes(assignment.assignment)
      writer.tags()
    })
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const response = {
      errorCode: reader.i16(),
      protocolType: version >= 5 ? reader.nullableString() : undefined,
      protocolName: version >= 5 ? reader.nullableString() : undefined,
      assignment: reader.bytes(),
    }
    reader.tags()
    return response
  },
}

const describeGroups: ClientCodec = {
  ...base,
  key: 15,
  flexibleFrom: 5,
  encodeRequest(writer, request, version) {
    writer.array(request.groupIds as string[], (groupId) => writer.string(groupId))
    if (version >= 3) writer.boolean(request.includeAuthorizedOperations)
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const memberOf = () => {
      const member = {
        memberId: reader.string(),
        groupInstanceId: version >= 4 ? reader.nullableString() : undefined,
        clientId: reader.string(),
        clientHost: reader.string(),
        metadata: reader.bytes(),
        assignment: reader.bytes(),
      }
      reader.tags()
      return member
    }
    const groups = reader.array(() => {
      const group = {
        errorCode: reader.i16(),
        errorMessage: version >= 6 ? reader.nullableString() : undefined,
        groupId: reader.string(),
        state: reader.string(),
        protocolType: reader.string(),
        protocolName: reader.string(),
        members: reader.array(memberOf),
        authorizedOperations: version >= 3 ? reader.i32() : undefined,
      }
      reader.tags()
      return group
    })
    reader.tags()
    return { groups }
  },
}

const listGroups: ClientCodec = {
  ...base,
  key: 16,
  flexibleFrom: 3,
  encodeRequest(writer, request, version) {
    if (version >= 4) writer.array(request.states as string[], (state) => writer.string(state))
    if (version >= 5) writer.array(request.types as string[], (type) => writer.string(type))
    writer.tags()
  },
  decodeResponse(reader, version) {
    if (version >= 1) reader.i32()
    const errorCode = reader.i16()
    const groups = reader.array(() => {
      const group = {
        groupId: reader.string(),
        protocolType: reader.string(),
        state: version >= 4 ? reader.string() : undefined,
        type: version >= 5 ? reader.string() : undefined,
      }
      reader.tags()
      return group
    })
    reader.tags()
    return { errorCode, groups }
  },
}

const offsetForLeaderEpoch: ClientCodec = {
  ...base,
  key: 23,
  flexibleFrom: 4,
  encodeRequest(writer, request, version) {
    if (version >= 3) writer.i32(-1)
    writeTopics(writer, request.topics as Named<{ partition: number; leaderEpoch: number }>, (partition) => {
      writer.i32(partition.partition)
      writer.i32(0)
      writer.i32(partition.leaderEpoch)
      writer.tags()
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const topics = readTopics(reader, () => {
      const partition = {
        errorCode: reader.i16(),
        partition: reader.i32(),
        leaderEpoch: reader.i32(),
        endOffset: reader.i64(),
      }
      reader.tags()
      return partition
    })
    reader.tags()
    return { topics }
  },
}

const deleteGroups: ClientCodec = {
  ...base,
  key: 42,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writer.array(request.groupIds as string[], (groupId) => writer.string(groupId))
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const results = reader.array(() => {
      const result = { groupId: reader.string(), errorCode: reader.i16() }
      reader.tags()
      return result
    })
    reader.tags()
    return { results }
  },
}

const offsetDelete: ClientCodec = {
  ...base,
  key: 47,
  flexibleFrom: Number.POSITIVE_INFINITY,
  encodeRequest(writer, request) {
    writer.string(request.groupId)
    writeTopics(writer, request.topics as Named<number>, (partition) => writer.i32(partition))
  },
  decodeResponse(reader) {
    const errorCode = reader.i16()
    reader.i32()
    return { errorCode, topics: readTopics(reader, readPartitionError(reader)) }
  },
}

export const groupClientCodecs = {
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  offsetForLeaderEpoch,
  deleteGroups,
  offsetDelete,
} as const

export type GroupApiName = keyof typeof groupClientCodecs
