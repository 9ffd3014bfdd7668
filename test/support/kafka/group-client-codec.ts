import type { ClientCodec } from './client-codec.js'
import { groupOffsetClientCodecs } from './group-offset-client-codec.js'
import { readError, readStructs, writeStructs } from './structs.js'

/** The client's half of the APIs of consumer groups and their members; see `client-codec.ts`. */

const base = { responseHeaderFlexible: true }

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
    const coordinators = readStructs(reader, () => ({
      key: reader.string(),
      ...node(),
      ...readError(reader),
    }))
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
    writeStructs(writer, request.protocols as { name: string; metadata: Uint8Array }[], (protocol) => {
      writer.string(protocol.name)
      writer.bytes(protocol.metadata)
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
      members: readStructs(reader, () => ({
        memberId: reader.string(),
        groupInstanceId: version >= 5 ? reader.nullableString() : undefined,
        metadata: reader.bytes(),
      })),
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
      writeStructs(writer, members, (member) => {
        writer.string(member.memberId)
        writer.nullableString(member.groupInstanceId)
        if (version >= 5) writer.nullableString(member.reason)
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
        ? readStructs(reader, () => ({
            memberId: reader.string(),
            groupInstanceId: reader.nullableString(),
            errorCode: reader.i16(),
          }))
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
    writeStructs(writer, request.assignments as { memberId: string; assignment: Uint8Array }[], (assignment) => {
      writer.string(assignment.memberId)
      writer.bytes(assignment.assignment)
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
    const groups = readStructs(reader, () => ({
      errorCode: reader.i16(),
      errorMessage: version >= 6 ? reader.nullableString() : undefined,
      groupId: reader.string(),
      state: reader.string(),
      protocolType: reader.string(),
      protocolName: reader.string(),
      members: readStructs(reader, () => ({
        memberId: reader.string(),
        groupInstanceId: version >= 4 ? reader.nullableString() : undefined,
        clientId: reader.string(),
        clientHost: reader.string(),
        metadata: reader.bytes(),
        assignment: reader.bytes(),
      })),
      authorizedOperations: version >= 3 ? reader.i32() : undefined,
    }))
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
    const groups = readStructs(reader, () => ({
      groupId: reader.string(),
      protocolType: reader.string(),
      state: version >= 4 ? reader.string() : undefined,
      type: version >= 5 ? reader.string() : undefined,
    }))
    reader.tags()
    return { errorCode, groups }
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
    const results = readStructs(reader, () => ({ groupId: reader.string(), errorCode: reader.i16() }))
    reader.tags()
    return { results }
  },
}

export const groupClientCodecs = {
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  deleteGroups,
  ...groupOffsetClientCodecs,
} as const

export type GroupApiName = keyof typeof groupClientCodecs
