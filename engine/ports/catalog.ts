import type { AgentRole } from '../cluster/roles.js'
import type { PartitionRef, ReplicaAssignment, SegmentId, Topic, TopicId } from '../model.js'
import type { GroupCatalog } from './group-catalog.js'
import type { JobsCatalog } from './jobs-catalog.js'

/**
 * The catalog: the SQL store in which a segment's batches become part of the logs. Payload never enters it.
 *
 * Contract, executable as `test/conformance/catalog.ts` on every adapter:
 * - Every method is safe to call from several agents at once; each is one transaction or one read-committed statement.
 * - Errors are `HeadraceError`s: CATALOG_UNAVAILABLE (surely no effect), CATALOG_OUTCOME_UNKNOWN (the connection was lost
 *   while a change was being committed), CATALOG_CONFLICT (deadlocks persisted through the adapter's bounded retries),
 *   CATALOG_SCHEMA_MISMATCH, and the topic errors named at each method. Deadlock, lock timeout and serialization errors
 *   are retried inside the adapter, with jitter and a bound; nothing else is.
 * - Ages are measured by the database's clock.
 */
export interface Catalog extends GroupCatalog, JobsCatalog {
  /** Human-readable place, without credentials. */
  readonly location: string

  /** Creates or upgrades the schema; safe when several agents start at once. Refuses a schema newer than it knows. */
  migrate(): Promise<void>

  /** Same on every agent, created once: Kafka's cluster id. */
  clusterId(): Promise<string>

  // ---- topics

  /** @throws TOPIC_EXISTS. The caller has validated name, count and configs. */
  createTopic(topic: NewTopic): Promise<Topic>
  /**
   * The topic leaves the name space, its partitions, its producers' state and what groups committed for it at once: a
   * commit that comes after sees an unknown topic. Its extents are removed by the background jobs. @throws TOPIC_UNKNOWN
   */
  deleteTopic(topicId: TopicId): Promise<void>
  /**
   * Replaces the topic's configs by what `update` makes of them, under the lock of the topic's row. `update` is pure, quick, and may be
   * called again; what it throws is thrown on, and the topic is as it was. @throws TOPIC_UNKNOWN
   */
  updateTopicConfigs(
    topicId: TopicId,
    update: (configs: TopicConfigs) => TopicConfigs | Promise<TopicConfigs>,
  ): Promise<Topic>
  /** Empty ones, up to `partitionCount` in all; `assignment` is that of the new ones. @throws TOPIC_UNKNOWN, PARTITION_COUNT_INVALID where there are as many already */
  addPartitions(topicId: TopicId, partitionCount: number, assignment?: ReplicaAssignment): Promise<Topic>
  /** Live topics by name; names that do not exist are absent from the answer. */
  topicsByName(names: readonly string[]): Promise<Topic[]>
  topicsById(topicIds: readonly TopicId[]): Promise<Topic[]>
  /** All live topics in name order. */
  listTopics(): Promise<Topic[]>

  // ---- producers

  /** Reserves `count` consecutive producer ids, never handed out before, and returns the first. */
  allocateProducerIds(count: number): Promise<number>
  /** Forgets producer state not used for `olderThanMs`, at most `limit` rows; returns how many went. */
  expireProducers(olderThanMs: number, limit: number): Promise<number>

  // ---- commit

  /**
   * Makes the batches of all given segments part of their logs, in the order given, in one transaction (DESIGN 4.1).
   * Answers one outcome per segment in the same order. Idempotent by segment id: a segment that is already committed
   * answers with the outcome of that earlier commit, which is how CATALOG_OUTCOME_UNKNOWN is resolved.
   */
  commit(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]>

  // ---- reading

  /** Log start and high watermark of each partition, in order; undefined where topic or partition does not exist. */
  partitionOffsets(partitions: readonly PartitionRef[]): Promise<(PartitionOffsets | undefined)[]>

  /**
   * For each request, in order: the partition's offsets, and its extents from the one that contains `offset` on, ascending
   * and adjacent, until their block bytes reach `bytesMax` (at least one where `offset` is below the high watermark) or there are
   * `extentCountMax` of them. Offsets and extents of one partition are one consistent picture. Few statements, whatever the number of requests.
   */
  findExtents(requests: readonly ExtentRequest[]): Promise<(ExtentAnswer | undefined)[]>

  /**
   * For each request, in order: the first extent whose max timestamp is >= `timestampMs`; undefined when there is none or
   * the partition does not exist.
   */
  findExtentsByTimestamp(requests: readonly TimestampRequest[]): Promise<(Extent | undefined)[]>

  /** For each partition, in order: the extent with the greatest max timestamp (the earliest such), if any. */
  findExtentsByMaxTimestamp(partitions: readonly PartitionRef[]): Promise<(Extent | undefined)[]>

  // ---- care of the logs

  /**
   * Moves log starts forward, under the locks of the partitions, and answers where each partition stands after it, in order;
   * undefined where it does not exist. An offset below the log start or above the high watermark moves nothing. Extents
   * below the new log start stay until the background jobs remove them: who reads them must ask where the log starts.
   */
  advanceLogStarts(requests: readonly LogStartRequest[]): Promise<(PartitionOffsets | undefined)[]>
  /**
   * Bytes of each partition's extents from its log start on, in order; undefined where it does not exist. Reads an index range
   * per partition, outside of any transaction.
   */
  partitionSizes(partitions: readonly PartitionRef[]): Promise<(number | undefined)[]>
  /** Producer state of each partition, in order, at most `limit` of each; undefined where it does not exist. */
  listProducers(partitions: readonly PartitionRef[], limit: number): Promise<(PartitionProducer[] | undefined)[]>

  // ---- agents

  /**
   * Enters an agent and gives it a node id that is unique among live agents and stable while it keeps its heartbeat. An
   * address has one node id: an agent that starts where another one was takes its id over, because clients take a node
   * for what is at its address (librdkafka stops producing, kafkajs drops records, when it changes its id). That goes for
   * the addresses of all listeners, the default one's first; another registration that held one of them is removed.
   */
  registerAgent(agent: AgentRegistration): Promise<number>
  /** @throws AGENT_EXPIRED when the registration has been removed; the agent must register again. */
  heartbeat(nodeId: number, instanceId: string): Promise<void>
  unregisterAgent(nodeId: number, instanceId: string): Promise<void>
  /** Agents whose last heartbeat is younger than `heartbeatAgeMaxMs`, by node id. Removes none. */
  listAgents(heartbeatAgeMaxMs: number): Promise<Agent[]>

  /** Answers when a round trip to the database works: readiness. */
  ping(): Promise<void>
  /** Idempotent; no call may follow. */
  close(): Promise<void>
}

export type TopicConfigs = Readonly<Record<string, string>>

export interface NewTopic {
  readonly topicId: TopicId
  readonly name: string
  readonly partitionCount: number
  readonly configs: Readonly<Record<string, string>>
  readonly assignment?: ReplicaAssignment
}

export interface PartitionOffsets {
  readonly logStartOffset: number
  /** Next offset: everything below it is committed. */
  readonly highWatermark: number
}

// ---- commit

/** A segment that is durably in the object store. Blocks are in index order, which is (topic id, partition) order. */
export interface CommitSegment {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly objectBytes: number
  readonly blocks: readonly CommitBlock[]
}

export interface CommitBlock {
  readonly topicId: TopicId
  readonly partition: number
  /** Place of the block, its header included, in the object. */
  readonly position: number
  readonly bytes: number
  readonly batches: readonly CommitBatch[]
}

export interface CommitBatch {
  /** Offsets the batch takes: last offset delta + 1. */
  readonly offsetCount: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly maxTimestampMs: number
  /**
   * An earlier batch of this producer was lost on its way, or may be in this very commit: where the catalog does not know the producer, this one is a
   * SEQUENCE_GAP unless it begins at sequence 0.
   */
  readonly afterLoss?: boolean
}

export interface CommitLimits {
  /** A segment whose id is older than this by the database's clock is refused whole: SEGMENT_TOO_OLD. */
  readonly commitAgeMaxMs: number
}

export type SegmentOutcome =
  | {
      readonly segmentId: SegmentId
      readonly committed: true
      /** One per batch, in the order of `blocks` and their `batches`. */
      readonly batches: readonly BatchOutcome[]
    }
  | { readonly segmentId: SegmentId; readonly committed: false; readonly code: 'SEGMENT_TOO_OLD' }

export type BatchOutcome =
  | { readonly kind: 'accepted'; readonly baseOffset: number; readonly logStartOffset: number }
  /** The batch is in the log already, at `baseOffset`: the producer is told success. */
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly logStartOffset: number }
  | { readonly kind: 'refused'; readonly code: BatchRefusal }

/** Why a commit tombstones a batch. */
export type BatchRefusal = 'PARTITION_UNKNOWN' | 'PRODUCER_EPOCH_FENCED' | 'SEQUENCE_DUPLICATE' | 'SEQUENCE_GAP'

// ---- reading

/**
 * A run of adjacent batches of one partition: its offsets, and where in an object it lies. Its bytes are whole blocks: the first
 * `batchSkipCount` batches of the first block are not part of it, nor is what follows the `batchCount` batches after them.
 */
export interface ExtentPlace {
  readonly baseOffset: number
  /** Last offset + 1. */
  readonly endOffset: number
  /** Byte range of the blocks in the object, block headers included. */
  readonly position: number
  readonly bytes: number
  readonly batchSkipCount: number
  readonly batchCount: number
  readonly maxTimestampMs: number
}

/** One row: a run of accepted batches in one segment. */
export interface Extent extends PartitionRef, ExtentPlace {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly objectBytes: number
  readonly level: number
}

export interface ExtentRequest extends PartitionRef {
  readonly offset: number
  readonly bytesMax: number
  readonly extentCountMax: number
}

export interface ExtentAnswer extends PartitionOffsets {
  /** Empty when `offset` is out of range or at the high watermark. */
  readonly extents: readonly Extent[]
}

export interface TimestampRequest extends PartitionRef {
  readonly timestampMs: number
}

// ---- care of the logs

export interface LogStartRequest extends PartitionRef {
  readonly offset: number | 'high-watermark'
}

export interface PartitionProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly usedAtMs: number
}

// ---- agents

export interface AgentRegistration {
  /** Random per process start: tells a restarted agent from the one whose row it may find. */
  readonly instanceId: string
  /** Its default address: that of its first listener. */
  readonly host: string
  readonly port: number
  /** All its addresses, the default one among them. Names are unique. */
  readonly listeners: readonly AgentListener[]
  readonly zone: string | null
  /** Absent: all. */
  readonly roles?: readonly AgentRole[]
  /** An agent not heard of for this long may be forgotten, and its node id reused by nobody else meanwhile. */
  readonly expiryMs: number
}

/** Where an agent is reached by clients that come in by the listener of that name. */
export interface AgentListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface Agent {
  readonly nodeId: number
  readonly instanceId: string
  readonly host: string
  readonly port: number
  /** In the order of registration. */
  readonly listeners: readonly AgentListener[]
  readonly zone: string | null
  /** Absent: all. */
  readonly roles?: readonly AgentRole[]
  readonly heartbeatAgeMs: number
}
