import { ByteReader, ByteWriter } from '../../format/index.js'
import { HeadraceError } from '../errors.js'
import { GROUP_STATE_EMPTY, type StoredGroup } from '../ports/group-catalog.js'
import type { GroupProtocol } from './group-coordinator.js'
import type { GroupMachine } from './group-machine.js'
import type { Member } from './group-members.js'

/**
 * A group as it is kept in its catalog row, beside state and protocol type. All integers big-endian; texts are UTF-8.
 *
 *   version       u8   1
 *   generationId  i32
 *   protocolName  u32 length, bytes
 *   leaderId      u32 length, bytes
 *   memberCount   u32
 *   members, each:
 *     memberId            u32 length, bytes
 *     hasInstanceId       u8   0 | 1
 *     groupInstanceId     u32 length, bytes; only with hasInstanceId 1
 *     clientId            u32 length, bytes
 *     clientHost          u32 length, bytes
 *     sessionTimeoutMs    i32
 *     rebalanceTimeoutMs  i32
 *     protocolCount       u32
 *     protocols, each: name u32 length, bytes; metadata u32 length, bytes
 *     assignment          u32 length, bytes
 *
 * No bytes at all are a group that nobody joined yet.
 */
const VERSION = 1

export interface GroupRecord {
  readonly generationId: number
  readonly protocolName: string
  readonly leaderId: string
  readonly members: readonly RecordedMember[]
}

export type RecordedMember = Pick<
  Member,
  | 'memberId'
  | 'groupInstanceId'
  | 'clientId'
  | 'clientHost'
  | 'sessionTimeoutMs'
  | 'rebalanceTimeoutMs'
  | 'protocols'
  | 'assignment'
>

/** What a successor goes on with: of the members those that know they are. */
export function storedGroupOf(machine: GroupMachine): StoredGroup {
  const { generationId, protocolName, leaderId, protocolType } = machine
  const members = [...machine.members].filter(({ isNew }) => !isNew)
  if (members.length > 0) {
    const record = encodeGroupRecord({ generationId, protocolName, leaderId, members })
    return { protocolType, state: machine.state, record }
  }
  const record = encodeGroupRecord({ generationId, protocolName: '', leaderId: '', members })
  return { protocolType, state: GROUP_STATE_EMPTY, record }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export function encodeGroupRecord(record: GroupRecord): Uint8Array {
  const writer = new ByteWriter()
  const bytes = (value: Uint8Array) => {
    writer.uint32(value.byteLength)
    writer.raw(value)
  }
  const text = (value: string) => bytes(encoder.encode(value))
  writer.uint8(VERSION)
  writer.int32(record.generationId)
  text(record.protocolName)
  text(record.leaderId)
  writer.uint32(record.members.length)
  for (const member of record.members) {
    text(member.memberId)
    writer.uint8(member.groupInstanceId === null ? 0 : 1)
    if (member.groupInstanceId !== null) text(member.groupInstanceId)
    text(member.clientId)
    text(member.clientHost)
    writer.int32(member.sessionTimeoutMs)
    writer.int32(member.rebalanceTimeoutMs)
    writer.uint32(member.protocols.length)
    for (const { name, metadata } of member.protocols) {
      text(name)
      bytes(metadata)
    }
    bytes(member.assignment)
  }
  return writer.finish()
}

/** @throws CATALOG_SCHEMA_MISMATCH when a newer agent wrote it, or when it is damaged. */
export function decodeGroupRecord(record: Uint8Array): GroupRecord {
  if (record.byteLength === 0) return { generationId: 0, protocolName: '', leaderId: '', members: [] }
  try {
    return read(new ByteReader(record, { bounds: 'RECORD_BOUNDS', value: 'RECORD_VALUES' }))
  } catch (error) {
    if (error instanceof HeadraceError) throw error
    throw unreadable('it is damaged', error)
  }
}

function read(reader: ByteReader): GroupRecord {
  const bytes = () => new Uint8Array(reader.view(reader.uint32()))
  const text = () => decoder.decode(reader.view(reader.uint32()))
  const protocol = (): GroupProtocol => ({ name: text(), metadata: bytes() })
  const member = (): RecordedMember => ({
    memberId: text(),
    groupInstanceId: reader.uint8() === 1 ? text() : null,
    clientId: text(),
    clientHost: text(),
    sessionTimeoutMs: reader.int32(),
    rebalanceTimeoutMs: reader.int32(),
    protocols: list(reader, protocol),
    assignment: bytes(),
  })
  if (reader.uint8() !== VERSION) throw unreadable('a newer agent wrote it')
  const group = { generationId: reader.int32(), protocolName: text(), leaderId: text(), members: list(reader, member) }
  if (reader.remainingBytes > 0) throw unreadable('bytes follow it')
  return group
}

/** Grows with what is read, so that a wrong count allocates nothing. */
function list<Item>(reader: ByteReader, item: () => Item): Item[] {
  const items: Item[] = []
  for (let count = reader.uint32(); count > 0; count--) items.push(item())
  return items
}

function unreadable(reason: string, cause?: unknown): HeadraceError {
  const text = `the state of a consumer group in the catalog cannot be read: ${reason}`
  return new HeadraceError('CATALOG_SCHEMA_MISMATCH', 'never', text, { cause })
}
