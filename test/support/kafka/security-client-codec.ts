import type { WireWriter } from '../../../adapters/kafka/wire/writer.js'
import type { ClientCodec } from './client-codec.js'
import { readError, readStructs, writeStructs } from './structs.js'

/** The client's half of the APIs of ACLs, quotas and users; see `client-codec.ts`. */

const base = { responseHeaderFlexible: true }

interface Acl {
  readonly resourceType: number
  readonly resourceName: string | null
  readonly patternType: number
  readonly principal: string | null
  readonly host: string | null
  readonly operation: number
  readonly permissionType: number
}

function writeAcl(writer: WireWriter, acl: Acl): void {
  writer.i8(acl.resourceType)
  writer.nullableString(acl.resourceName)
  writer.i8(acl.patternType)
  writer.nullableString(acl.principal)
  writer.nullableString(acl.host)
  writer.i8(acl.operation)
  writer.i8(acl.permissionType)
  writer.tags()
}

const describeAcls: ClientCodec = {
  ...base,
  key: 29,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writeAcl(writer, request as Acl)
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = readError(reader)
    const resources = reader.array(() => ({}))
    reader.tags()
    return { ...failure, resources }
  },
}

const createAcls: ClientCodec = {
  ...base,
  key: 30,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writer.array(request.creations as Acl[], (creation) => writeAcl(writer, creation))
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const results = readStructs(reader, () => readError(reader))
    reader.tags()
    return { results }
  },
}

const deleteAcls: ClientCodec = {
  ...base,
  key: 31,
  flexibleFrom: 2,
  encodeRequest(writer, request) {
    writer.array(request.filters as Acl[], (filter) => writeAcl(writer, filter))
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const filterResults = readStructs(reader, () => {
      const failure = readError(reader)
      const matching = reader.array(() => ({}))
      return { ...failure, matching }
    })
    reader.tags()
    return { filterResults }
  },
}

const describeClientQuotas: ClientCodec = {
  ...base,
  key: 48,
  flexibleFrom: 1,
  encodeRequest(writer, request) {
    type Component = { entityType: string; matchType: number; match: string | null }
    writeStructs(writer, request.components as Component[], (component) => {
      writer.string(component.entityType)
      writer.i8(component.matchType)
      writer.nullableString(component.match)
    })
    writer.boolean(request.strict)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = readError(reader)
    const entries = reader.nullableArray(() => ({}))
    reader.tags()
    return { ...failure, entries }
  },
}

type Entity = { type: string; name: string | null }[]

const alterClientQuotas: ClientCodec = {
  ...base,
  key: 49,
  flexibleFrom: 1,
  encodeRequest(writer, request) {
    type Entry = { entity: Entity; operations: { key: string; value: number; remove: boolean }[] }
    writeStructs(writer, request.entries as Entry[], (entry) => {
      writeStructs(writer, entry.entity, (part) => {
        writer.string(part.type)
        writer.nullableString(part.name)
      })
      writeStructs(writer, entry.operations, (operation) => {
        writer.string(operation.key)
        writeFloat(writer, operation.value)
        writer.boolean(operation.remove)
      })
    })
    writer.boolean(request.validateOnly)
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const entries = readStructs(reader, () => {
      const failure = readError(reader)
      const entity = readStructs(reader, () => ({ type: reader.string(), name: reader.nullableString() }))
      return { ...failure, entity }
    })
    reader.tags()
    return { entries }
  },
}

/** The one floating-point field of all APIs here. */
function writeFloat(writer: WireWriter, value: number): void {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  writer.i32(view.getInt32(0))
  writer.i32(view.getInt32(4))
}

const describeUserScramCredentials: ClientCodec = {
  ...base,
  key: 50,
  flexibleFrom: 0,
  encodeRequest(writer, request) {
    writeStructs(writer, request.users as string[] | null, (name) => writer.string(name))
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const failure = readError(reader)
    const results = readStructs(reader, () => ({
      user: reader.string(),
      ...readError(reader),
      credentials: reader.array(() => ({})),
    }))
    reader.tags()
    return { ...failure, results }
  },
}

const alterUserScramCredentials: ClientCodec = {
  ...base,
  key: 51,
  flexibleFrom: 0,
  encodeRequest(writer, request) {
    writeStructs(writer, request.deletions as { user: string; mechanism: number }[], (deletion) => {
      writer.string(deletion.user)
      writer.i8(deletion.mechanism)
    })
    type Upsertion = { user: string; mechanism: number; iterations: number; salt: string; saltedPassword: string }
    writeStructs(writer, request.upsertions as Upsertion[], (upsertion) => {
      writer.string(upsertion.user)
      writer.i8(upsertion.mechanism)
      writer.i32(upsertion.iterations)
      writer.bytes(Buffer.from(upsertion.salt))
      writer.bytes(Buffer.from(upsertion.saltedPassword))
    })
    writer.tags()
  },
  decodeResponse(reader) {
    reader.i32()
    const results = readStructs(reader, () => ({ user: reader.string(), ...readError(reader) }))
    reader.tags()
    return { results }
  },
}

export const securityClientCodecs = {
  describeAcls,
  createAcls,
  deleteAcls,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
} as const
