import type { WireReader } from '../wire/reader.js'
import { ZERO_UUID } from '../wire/uuid.js'
import type { WireWriter } from '../wire/writer.js'
import type { ApiCodec } from './api.js'

export interface MetadataRequest {
  /** Null: all topics. */
  readonly topics: readonly MetadataTopic[] | null
  readonly allowAutoTopicCreation: boolean
}

export interface MetadataTopic {
  /** Null where the topic is asked for by id, from version 10 on. */
  readonly name: string | null
  readonly topicId: string
}

export interface MetadataResponse {
  readonly errorCode: number
  readonly brokers: readonly MetadataBroker[]
  readonly clusterId: string
  readonly controllerId: number
  readonly topics: readonly MetadataTopicResponse[]
}

export interface MetadataBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface MetadataTopicResponse {
  readonly errorCode: number
  /** Null only for an unknown id, from version 12 on. */
  readonly name: string | null
  readonly topicId: string
  readonly partitions: readonly MetadataPartition[]
}

export interface MetadataPartition {
  readonly partition: number
  readonly leaderId: number
  readonly replicaIds: readonly number[]
  /** Those of the replicas that are there, or the leader. */
  readonly inSyncIds: readonly number[]
  readonly offlineIds: readonly number[]
}

export const metadata: ApiCodec<MetadataRequest, MetadataResponse> = {
  key: 3,
  name: 'Metadata',
  validVersions: { min: 0, max: 13 },
  flexibleFrom: 9,
  responseHeaderFlexible: true,
  decodeRequest,
  encodeResponse,
}

function decodeRequest(reader: WireReader, version: number): MetadataRequest {
  const listed = reader.nullableArray(() => decodeTopic(reader, version))
  // Version 0 has no null: its empty list asks for all.
  const topics = version === 0 && listed?.length === 0 ? null : listed
  const allowAutoTopicCreation = version >= 4 ? reader.boolean() : true
  // Authorized operations: there are no ACLs, and the answer says "not known".
  if (version >= 8 && version <= 10) reader.boolean()
  if (version >= 8) reader.boolean()
  reader.tags()
  return { topics, allowAutoTopicCreation }
}

function decodeTopic(reader: WireReader, version: number): MetadataTopic {
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID
  const name = version >= 10 ? reader.nullableString() : reader.string()
  reader.tags()
  return { name, topicId }
}

/** One constant: any agent serves any partition, and clients accept a leader that moves within an epoch. */
export const LEADER_EPOCH = 0
const AUTHORIZED_OPERATIONS_UNKNOWN = -2147483648

function encodeResponse(writer: WireWriter, response: MetadataResponse, version: number): void {
  if (version >= 3) writer.i32(0)
  writer.array(response.brokers, (broker) => {
    writer.i32(broker.nodeId)
    writer.string(broker.host)
    writer.i32(broker.port)
    if (version >= 1) writer.nullableString(broker.rack)
    writer.tags()
  })
  if (version >= 2) writer.nullableString(response.clusterId)
  if (version >= 1) writer.i32(response.controllerId)
  writer.array(response.topics, (topic) => encodeTopic(writer, topic, version))
  if (version >= 8 && version <= 10) writer.i32(AUTHORIZED_OPERATIONS_UNKNOWN)
  if (version >= 13) writer.i16(response.errorCode)
  writer.tags()
}

function encodeTopic(writer: WireWriter, topic: MetadataTopicResponse, version: number): void {
  writer.i16(topic.errorCode)
  if (version >= 12) writer.nullableString(topic.name)
  else writer.string(topic.name ?? '')
  if (version >= 10) writer.uuid(topic.topicId)
  if (version >= 1) writer.boolean(false)
  writer.array(topic.partitions, (partition) => {
    writer.i16(0)
    writer.i32(partition.partition)
    writer.i32(partition.leaderId)
    if (version >= 7) writer.i32(LEADER_EPOCH)
    writer.array(partition.replicaIds, (nodeId) => writer.i32(nodeId))
    writer.array(partition.inSyncIds, (nodeId) => writer.i32(nodeId))
    if (version >= 5) writer.array(partition.offlineIds, (nodeId) => writer.i32(nodeId))
    writer.tags()
  })
  if (version >= 8) writer.i32(AUTHORIZED_OPERATIONS_UNKNOWN)
  writer.tags()
}
