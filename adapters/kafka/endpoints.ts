import { type ApiCodec, isFlexible } from './apis/api.js'
import { apiCodecs } from './apis/registry.js'
import type { RequestContext } from './context.js'
import { handleCreateAcls, handleDeleteAcls, handleDescribeAcls } from './handlers/acls.js'
import { handleAlterConfigs, handleIncrementalAlterConfigs } from './handlers/alter-configs.js'
import { handleApiVersions } from './handlers/api-versions.js'
import { handleAlterClientQuotas, handleDescribeClientQuotas } from './handlers/client-quotas.js'
import { handleCreatePartitions } from './handlers/create-partitions.js'
import { handleCreateTopics } from './handlers/create-topics.js'
import { handleDeleteGroups } from './handlers/delete-groups.js'
import { handleDeleteRecords } from './handlers/delete-records.js'
import { handleDeleteTopics } from './handlers/delete-topics.js'
import { handleDescribeCluster } from './handlers/describe-cluster.js'
import { handleDescribeConfigs } from './handlers/describe-configs.js'
import { handleDescribeGroups } from './handlers/describe-groups.js'
import { handleDescribeLogDirs } from './handlers/describe-log-dirs.js'
import { handleDescribeProducers } from './handlers/describe-producers.js'
import { handleDescribeTopicPartitions } from './handlers/describe-topic-partitions.js'
import { handleElectLeaders } from './handlers/elect-leaders.js'
import { handleFetch } from './handlers/fetch.js'
import { handleFindCoordinator } from './handlers/find-coordinator.js'
import { handleHeartbeat } from './handlers/heartbeat.js'
import { handleInitProducerId } from './handlers/init-producer-id.js'
import { handleJoinGroup } from './handlers/join-group.js'
import { handleLeaveGroup } from './handlers/leave-group.js'
import { handleListGroups } from './handlers/list-groups.js'
import { handleListOffsets } from './handlers/list-offsets.js'
import { handleMetadata } from './handlers/metadata.js'
import { handleOffsetCommit } from './handlers/offset-commit.js'
import { handleOffsetDelete } from './handlers/offset-delete.js'
import { handleOffsetFetch } from './handlers/offset-fetch.js'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.js'
import {
  handleAlterPartitionReassignments,
  handleListPartitionReassignments,
} from './handlers/partition-reassignments.js'
import { acceptProduce } from './handlers/produce.js'
import { handleAlterUserScramCredentials, handleDescribeUserScramCredentials } from './handlers/scram-credentials.js'
import { handleSyncGroup } from './handlers/sync-group.js'
import { handleDescribeTransactions, handleListTransactions } from './handlers/transactions.js'
import type { Frame } from './response-queue.js'
import { encodeResponseHeader } from './wire/header.js'
import type { WireReader } from './wire/reader.js'
import { WireError } from './wire/wire-error.js'
import { WireWriter } from './wire/writer.js'

/** A request whose header has been read. */
export interface Call {
  readonly context: RequestContext
  readonly version: number
  readonly correlationId: number
  readonly reader: WireReader
  /** The frame; its memory is the handler's until `accept` settles. */
  readonly chunks: readonly Uint8Array[]
}

/** Does the work and makes the response. Called once. */
export type Respond = () => Promise<Frame>

/** An API as a connection serves it. */
export interface Endpoint {
  readonly codec: Pick<
    ApiCodec<never, never>,
    'key' | 'name' | 'validVersions' | 'flexibleFrom' | 'responseHeaderFlexible'
  >
  /** One request of the connection at a time: its responses are large, and many of them would have no bound. */
  readonly serial: boolean
  /** Reads the request and takes what it needs of the frame. The connection's next frame waits for it. */
  accept(call: Call): Respond | Promise<Respond>
}

export const endpoints: ReadonlyMap<number, Endpoint> = new Map(
  [
    produceEndpoint(),
    endpoint(apiCodecs.fetch, handleFetch, { serial: true }),
    endpoint(apiCodecs.listOffsets, handleListOffsets),
    endpoint(apiCodecs.metadata, handleMetadata),
    endpoint(apiCodecs.offsetCommit, handleOffsetCommit),
    endpoint(apiCodecs.offsetFetch, handleOffsetFetch),
    endpoint(apiCodecs.findCoordinator, handleFindCoordinator),
    endpoint(apiCodecs.joinGroup, handleJoinGroup),
    endpoint(apiCodecs.heartbeat, handleHeartbeat),
    endpoint(apiCodecs.leaveGroup, handleLeaveGroup),
    endpoint(apiCodecs.syncGroup, handleSyncGroup),
    endpoint(apiCodecs.describeGroups, handleDescribeGroups),
    endpoint(apiCodecs.listGroups, handleListGroups),
    endpoint(apiCodecs.apiVersions, handleApiVersions),
    endpoint(apiCodecs.createTopics, handleCreateTopics),
    endpoint(apiCodecs.deleteTopics, handleDeleteTopics),
    endpoint(apiCodecs.initProducerId, handleInitProducerId),
    endpoint(apiCodecs.describeConfigs, handleDescribeConfigs),
    endpoint(apiCodecs.alterConfigs, handleAlterConfigs),
    endpoint(apiCodecs.createPartitions, handleCreatePartitions),
    endpoint(apiCodecs.incrementalAlterConfigs, handleIncrementalAlterConfigs),
    endpoint(apiCodecs.deleteRecords, handleDeleteRecords),
    endpoint(apiCodecs.describeLogDirs, handleDescribeLogDirs),
    endpoint(apiCodecs.electLeaders, handleElectLeaders),
    endpoint(apiCodecs.alterPartitionReassignments, handleAlterPartitionReassignments),
    endpoint(apiCodecs.listPartitionReassignments, handleListPartitionReassignments),
    endpoint(apiCodecs.describeCluster, handleDescribeCluster),
    endpoint(apiCodecs.describeProducers, handleDescribeProducers),
    endpoint(apiCodecs.describeTransactions, handleDescribeTransactions),
    endpoint(apiCodecs.listTransactions, handleListTransactions),
    endpoint(apiCodecs.describeTopicPartitions, handleDescribeTopicPartitions),
    endpoint(apiCodecs.offsetForLeaderEpoch, handleOffsetForLeaderEpoch),
    endpoint(apiCodecs.deleteGroups, handleDeleteGroups),
    endpoint(apiCodecs.offsetDelete, handleOffsetDelete),
    endpoint(apiCodecs.describeAcls, handleDescribeAcls),
    endpoint(apiCodecs.createAcls, handleCreateAcls),
    endpoint(apiCodecs.deleteAcls, handleDeleteAcls),
    endpoint(apiCodecs.describeClientQuotas, handleDescribeClientQuotas),
    endpoint(apiCodecs.alterClientQuotas, handleAlterClientQuotas),
    endpoint(apiCodecs.describeUserScramCredentials, handleDescribeUserScramCredentials),
    endpoint(apiCodecs.alterUserScramCredentials, handleAlterUserScramCredentials),
  ].map((each) => [each.codec.key, each]),
)

function endpoint<Request, Response>(
  codec: ApiCodec<Request, Response>,
  handle: (context: RequestContext, request: Request, version: number) => Promise<Response>,
  { serial = false } = {},
): Endpoint {
  return {
    codec,
    serial,
    accept({ context, version, correlationId, reader }) {
      const request = codec.decodeRequest(reader, version)
      // What waits must not hold the frame: a JoinGroup is parked for as long as a rebalance takes.
      return async () => encodeFrame(codec, { version, correlationId }, await handle(context, request, version))
    },
  }
}

function produceEndpoint(): Endpoint {
  const codec = apiCodecs.produce
  return {
    codec,
    serial: false,
    async accept({ context, version, correlationId, reader, chunks }) {
      const request = codec.decodeRequest(reader, version)
      const respond = await acceptProduce(context, request, version, chunks)
      const { acks } = request
      return async () => {
        const response = await respond()
        if (acks !== 0) return encodeFrame(codec, { version, correlationId }, response)
        // Nobody reads an answer: the end of the connection is the only way to say that something went wrong.
        for (const { partitions } of response.topics) {
          const failed = partitions.find(({ errorCode }) => errorCode !== 0)
          if (failed !== undefined) throw new UnacknowledgedError(failed.errorCode, failed.errorMessage)
        }
        return null
      }
    },
  }
}

export class UnacknowledgedError extends Error {
  override readonly name = 'UnacknowledgedError'

  constructor(
    readonly errorCode: number,
    reason: string | null,
  ) {
    super(`A Produce request with acks=0 failed: ${reason ?? `Kafka error ${errorCode}`}`)
  }
}

/** A response frame, its length and header included. */
export function encodeFrame<Response>(
  codec: Pick<ApiCodec<never, Response>, 'encodeResponse' | 'flexibleFrom' | 'responseHeaderFlexible'>,
  call: Pick<Call, 'version' | 'correlationId'>,
  response: Response,
): Frame {
  const flexible = isFlexible(codec, call.version)
  const writer = new WireWriter()
  writer.flexible = flexible && codec.responseHeaderFlexible
  encodeResponseHeader(writer, call.correlationId)
  writer.flexible = flexible
  codec.encodeResponse(writer, response, call.version)
  return writer.finish()
}

/** @throws WireError where Kafka too would close the connection. */
export function endpointOf(apiKey: number, version: number): Endpoint {
  const found = endpoints.get(apiKey)
  if (found === undefined) throw new WireError('API_UNKNOWN', `API ${apiKey} is not supported`)
  const { min, max } = found.codec.validVersions
  if (version < min || version > max) {
    throw new WireError('VERSION_UNSUPPORTED', `${found.codec.name} version ${version} is not one of ${min} to ${max}`)
  }
  return found
}
