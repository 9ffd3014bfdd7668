import type { HeadraceError } from './errors.js'
import type { FetchTurns } from './fetch/fetch-turns.js'
import type { GroupCoordinator } from './groups/group-coordinator.js'
import type { PartitionRef, ReplicaAssignment, Topic, TopicId } from './model.js'

/**
 * The engine as protocol adapters see it: what a Kafka handler may ask of it, and nothing else. `engine/` implements
 * these; `adapters/kafka/` calls them; tests may put a fake in their place.
 */
export interface Broker {
  readonly intake: Intake
  readonly reader: LogReader
  readonly topics: TopicDirectory
  readonly logs: LogAdmin
  readonly producerIds: ProducerIdAllocator
  readonly groups: GroupCoordinator
  readonly cluster: Cluster
}

// ---- produce

export interface Intake {
  /**
   * Takes a request's batches into the open segment: copies their bytes once and returns as soon as they are copied, so that
   * the frame's memory can go. Waits, in the fair order of arrival, while no memory is free: that is the back-pressure;
   * a connection that awaits `append` before it reads on keeps its order and its bound. All batches of a request go
   * into one segment. Rejects only with AGENT_CLOSING; everything else is a result of a batch.
   */
  append(request: ProduceRequest): Promise<PendingProduce>
}

export interface ProduceRequest {
  /** The request's bytes as they came from the socket; positions count from the start of the first chunk. */
  readonly chunks: readonly Uint8Array[]
  readonly batches: readonly ProduceBatch[]
}

export interface ProduceBatch extends PartitionRef {
  readonly position: number
  readonly bytes: number
  readonly zstdAllowed: boolean
  /** The batch gets the time of its segment instead of its producer's timestamps: `message.timestamp.type=LogAppendTime`. */
  readonly logAppendTime?: boolean
  /** Every record must have a key, because its topic is compacted. The worker decompresses the batch to look. */
  readonly keysRequired?: boolean
}

export interface PendingProduce {
  /** One result per batch, in order, once all are durable and committed, or refused. Never rejects. */
  readonly results: Promise<readonly ProduceResult[]>
}

export type ProduceResult =
  | {
      readonly ok: true
      readonly baseOffset: number
      readonly logStartOffset: number
      /** The batch's time, where it was asked to be that of the append; not known of a batch that was in the log already. */
      readonly logAppendTimeMs?: number
    }
  | { readonly ok: false; readonly error: HeadraceError; readonly recordErrors?: readonly RecordError[] }

/** A record for which its batch was refused. */
export interface RecordError {
  /** Its number in the batch, from 0. */
  readonly record: number
  readonly message: string
}

// ---- read

export interface LogReader {
  /**
   * Reads whole record batches, offsets patched, at most `bytesMax` in all and per partition, but always at least one
   * batch where any partition has data. Waits up to `waitMaxMs` for `bytesMin`; an error on any partition, or an abort, ends the wait at once.
   */
  fetch(request: FetchRequest): Promise<readonly FetchResult[]>
  /** Whether fetches wait for the memory of answers that have not left yet. */
  readonly isAnswerMemoryWanted: boolean
  listOffsets(requests: readonly OffsetRequest[]): Promise<readonly OffsetResult[]>
}

export interface FetchRequest {
  readonly waitMaxMs: number
  readonly bytesMin: number
  readonly bytesMax: number
  readonly partitions: readonly FetchPartition[]
  /** The consumer's: fetches that share one must not overlap. */
  readonly turns: FetchTurns
  /** Aborted when the client's connection closes. */
  readonly signal: AbortSignal
  /** Takes what is to be called, once, when the answer has left for the client or never will: until then its memory counts. */
  readonly whenSent: (release: () => void) => void
}

export interface FetchPartition extends PartitionRef {
  readonly offset: number
  readonly bytesMax: number
}

export interface FetchResult {
  /** PARTITION_UNKNOWN, TOPIC_UNKNOWN, OFFSET_OUT_OF_RANGE, or what the stores said. */
  readonly error?: HeadraceError
  /** -1 when unknown. */
  readonly highWatermark: number
  readonly logStartOffset: number
  /** Concatenated they are whole batches. They stay as they are until what `whenSent` was given is called. */
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
}

export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | { readonly timestampMs: number }

export interface OffsetRequest extends PartitionRef {
  readonly spec: OffsetSpec
}

export interface OffsetResult {
  readonly error?: HeadraceError
  /** -1 when no record has a timestamp that late. */
  readonly offset: number
  /** -1 unless asked for by timestamp. */
  readonly timestampMs: number
}

// ---- topics

export interface TopicDirectory {
  /** The topic if this agent has it cached; may be out of date by the cache's age, which the commit finds out. */
  cached(name: string): Topic | undefined
  /** Looks names up, in the catalog where they are not cached. */
  byName(names: readonly string[]): Promise<ReadonlyMap<string, Topic>>
  byId(topicIds: readonly TopicId[]): Promise<ReadonlyMap<TopicId, Topic>>
  list(): Promise<readonly Topic[]>
  /** `byName` from the catalog and not from the cache: another agent may have created, changed or deleted them just now. */
  refresh(names: readonly string[]): Promise<ReadonlyMap<string, Topic>>
  /** What is cached of the topic has turned out not to be true any more. */
  forget(topicId: TopicId): void
  /**
   * Validates and creates. @throws TOPIC_NAME_INVALID, PARTITION_COUNT_INVALID, CONFIG_INVALID, TOPIC_EXISTS
   */
  create(topic: TopicSpec, options?: { readonly validateOnly?: boolean }): Promise<Topic>
  /** Creates with the cluster's defaults unless it exists, also when several agents do so at once. Needs `autoCreate`. */
  ensure(name: string): Promise<Topic>
  /** @throws TOPIC_UNKNOWN */
  delete(topicId: TopicId): Promise<void>
  /** @throws TOPIC_UNKNOWN, CONFIG_INVALID; the topic is then as it was. */
  alterConfigs(
    topicId: TopicId,
    change: TopicConfigChange,
    options?: { readonly validateOnly?: boolean },
  ): Promise<Topic>
  /** To `partitionCount` in all. @throws TOPIC_UNKNOWN, PARTITION_COUNT_INVALID where it is not more than there are */
  addPartitions(topicId: TopicId, partitionCount: number, options?: AddPartitionsOptions): Promise<Topic>
  /** Of topics that are created without a partition count. */
  readonly defaultPartitionCount: number
  /** Whether unknown topics may be created by using them. */
  readonly autoCreate: boolean
}

export interface TopicSpec {
  readonly name: string
  /** Undefined: the cluster's default. */
  readonly partitionCount?: number
  readonly configs: Readonly<Record<string, string>>
  readonly assignment?: ReplicaAssignment
}

export interface AddPartitionsOptions {
  readonly validateOnly?: boolean
  /** Of the new partitions. */
  readonly assignment?: ReplicaAssignment
}

export type TopicConfigChange =
  /** The whole set: what it does not name goes back to its default. */
  | { readonly kind: 'replace'; readonly configs: Readonly<Record<string, string>> }
  /** One after the other. */
  | { readonly kind: 'edit'; readonly edits: readonly TopicConfigEdit[] }

export type TopicConfigEdit =
  | { readonly name: string; readonly operation: 'set' | 'append' | 'subtract'; readonly value: string }
  | { readonly name: string; readonly operation: 'delete' }

/** What tools ask of logs beside their records. */
export interface LogAdmin {
  /**
   * Moves log starts forward, for each request in order; never beyond the high watermark, where the answer is
   * OFFSET_OUT_OF_RANGE, and never back.
   */
  deleteRecords(requests: readonly DeleteRecordsRequest[]): Promise<readonly DeleteRecordsResult[]>
  /** Stored bytes of each partition, in order; undefined where there is none. */
  sizes(partitions: readonly PartitionRef[]): Promise<readonly (number | undefined)[]>
  /** Idempotent producers that each partition remembers, in order; undefined where there is none. */
  producers(partitions: readonly PartitionRef[]): Promise<readonly (readonly ActiveProducer[] | undefined)[]>
}

export interface DeleteRecordsRequest extends PartitionRef {
  /** First offset that stays. */
  readonly offset: number | 'high-watermark'
}

export type DeleteRecordsResult =
  | { readonly logStartOffset: number; readonly error?: never }
  | { readonly error: HeadraceError; readonly logStartOffset?: never }

export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  /** By the database's clock. */
  readonly lastTimestampMs: number
}

// ---- producers

export interface ProducerIdAllocator {
  next(): Promise<number>
}

// ---- cluster

export interface Cluster {
  readonly clusterId: string
  /** This agent's node id. */
  readonly nodeId: number
  /**
   * The agents a client should talk to, never empty: those of its zone where there are any, at the addresses of the
   * listener it came in by; an agent without that listener is at its default address.
   */
  agentsFor(client: ClientInfo): readonly ClusterAgent[]
  /**
   * The same, and those beside them that may coordinate the client's groups: clients look their coordinator up among the
   * nodes they know, and tools ask each node for its groups.
   */
  nodesFor(client: ClientInfo): readonly ClusterAgent[]
  /** Which of `agents` a client's traffic of a partition should go to. Deterministic; stable when agents come and go. */
  leaderOf(partition: PartitionRef, agents: readonly ClusterAgent[], client: ClientInfo): ClusterAgent
  /**
   * The agent that runs a consumer group: one of all live agents, the same whoever is asked, at the address of the
   * client's listener.
   */
  coordinatorOf(groupId: string, client?: ClientInfo): ClusterAgent
  /**
   * Looks at the registry now, unless that was done a moment ago. An agent that went away leaves it at once, and its clients
   * ask the others who serves them from here on: what the last heartbeat saw would send them back to it. Never rejects:
   * where the catalog does not answer soon, what is known stays.
   */
  lookAround(): Promise<void>
  /** Whether what this agent exchanges with the client crosses zones, as far as both are known to be in one. */
  isAcrossZones(client: ClientInfo): boolean
}

export interface ClientInfo {
  readonly clientId: string | null
  readonly remoteAddress: string
  /** Name of the listener the client came in by; none is the default one. */
  readonly listener?: string
}

export interface ClusterAgent {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly zone: string | null
}
