import { type CommitState, decideCommit, producerKey, TIMESTAMP_NONE } from '../../engine/commit/commit-decisions.js'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { HeadraceError } from '../../engine/errors.js'
import {
  type PartitionRef,
  partitionKey,
  type ReplicaAssignment,
  type Topic,
  type TopicId,
} from '../../engine/model.js'
import type {
  Agent,
  AgentRegistration,
  Catalog,
  CommitLimits,
  CommitSegment,
  Extent,
  ExtentAnswer,
  ExtentRequest,
  LogStartRequest,
  NewTopic,
  PartitionOffsets,
  PartitionProducer,
  SegmentOutcome,
  TimestampRequest,
  TopicConfigs,
} from '../../engine/ports/catalog.js'
import type { Clock } from '../../engine/ports/clock.js'
import type { GroupClaim, GroupExpiry, GroupOffset, StoredGroup } from '../../engine/ports/group-catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { checkPartitionsAdded, grownAssignment } from '../../engine/topics/topic-rules.js'
import { FakeGroupCatalog } from './fake-group-catalog.js'
import { FakeJobsCatalog, type FakePartition } from './fake-jobs-catalog.js'
import { storedBytesOf } from './stored-bytes.js'

interface FakeProducer extends PartitionRef {
  readonly producerId: number
  readonly state: ProducerState
  usedAtMs: number
}

interface FakeAgent extends AgentRegistration {
  readonly nodeId: number
  heartbeatAtMs: number
  /** Its id stays taken until it would have expired: clients may still know it. */
  gone: boolean
}

/**
 * A whole catalog in memory on the real commit decisions: for tests and simulations of the engine. Several agents of one
 * process share an instance. Its clock is the "database clock".
 */
export class FakeCatalog extends FakeJobsCatalog implements Catalog {
  readonly location = 'fake://'
  #lastConfigsUpdate: Promise<unknown> = Promise.resolve()
  readonly #topics = new Map<TopicId, Topic>()
  readonly #partitions = this.logs
  readonly #producers = new Map<string, FakeProducer>()
  readonly #outcomes = this.outcomes
  readonly #agents = new Map<number, FakeAgent>()
  readonly #groups: FakeGroupCatalog
  #nextProducerId = 0
  #closed = false
  /** Calls of each method of the reading part, for tests that count. */
  readonly calls = { findExtents: 0, partitionOffsets: 0 }

  constructor(clock: Pick<Clock, 'nowMs'>) {
    super(clock)
    this.#groups = new FakeGroupCatalog(
      () => clock.nowMs(),
      (topicId) => this.#topics.get(topicId),
    )
  }

  async migrate(): Promise<void> {
    this.#checkOpen()
  }

  async clusterId(): Promise<string> {
    return 'ZmFrZS1jYXRhbG9nLTAwMA'
  }

  // ---- topics

  async createTopic(topic: NewTopic): Promise<Topic> {
    this.#checkOpen()
    const same = this.#topics.get(topic.topicId)
    if (same !== undefined) return same
    for (const { name } of this.#topics.values()) {
      if (name === topic.name) throw new HeadraceError('TOPIC_EXISTS', 'never', `topic ${name} exists already`)
    }
    const created: Topic = { ...topic, configs: { ...topic.configs } }
    this.#topics.set(topic.topicId, created)
    this.#addPartitions(topic.topicId, 0, topic.partitionCount)
    return created
  }

  /** One after the other: `update` may take its time, and nobody else changes the configs meanwhile. */
  updateTopicConfigs(
    topicId: TopicId,
    update: (configs: TopicConfigs) => TopicConfigs | Promise<TopicConfigs>,
  ): Promise<Topic> {
    const updated = this.#lastConfigsUpdate.then(async () => {
      const configs = { ...(await update(this.#liveTopic(topicId).configs)) }
      const topic = { ...this.#liveTopic(topicId), configs }
      this.#topics.set(topicId, topic)
      return topic
    })
    this.#lastConfigsUpdate = updated.catch(() => {})
    return updated
  }

  async addPartitions(topicId: TopicId, partitionCount: number, added?: ReplicaAssignment): Promise<Topic> {
    const topic = this.#liveTopic(topicId)
    checkPartitionsAdded(topic.name, topic.partitionCount, partitionCount)
    this.#addPartitions(topicId, topic.partitionCount, partitionCount)
    const assignment = grownAssignment(topic, added)
    const grown = { ...topic, partitionCount, ...(assignment === undefined ? {} : { assignment }) }
    this.#topics.set(topicId, grown)
    return grown
  }

  #liveTopic(topicId: TopicId): Topic {
    this.#checkOpen()
    const topic = this.#topics.get(topicId)
    if (topic === undefined) throw new HeadraceError('TOPIC_UNKNOWN', 'never', `topic ${topicId} does not exist`)
    return topic
  }

  #addPartitions(topicId: TopicId, first: number, end: number): void {
    for (let partition = first; partition < end; partition++) {
      const empty = { logStartOffset: 0, highWatermark: 0, maxTimestampMs: TIMESTAMP_NONE, extents: [] }
      this.#partitions.set(partitionKey(topicId, partition), empty)
    }
  }

  async deleteTopic(topicId: TopicId): Promise<void> {
    const topic = this.#liveTopic(topicId)
    this.#topics.delete(topicId)
    const extents: Extent[] = []
    for (let partition = 0; partition < topic.partitionCount; partition++) {
      const key = partitionKey(topicId, partition)
      extents.push(...(this.#partitions.get(key)?.extents ?? []))
      this.#partitions.delete(key)
    }
    this.noteTopicDeleted(topicId, extents)
    for (const [key, producer] of this.#producers) if (producer.topicId === topicId) this.#producers.delete(key)
    this.#groups.forgetTopic(topicId)
  }

  async topicsByName(names: readonly string[]): Promise<Topic[]> {
    this.#checkOpen()
    return [...this.#topics.values()].filter((topic) => names.includes(topic.name))
  }

  async topicsById(topicIds: readonly TopicId[]): Promise<Topic[]> {
    this.#checkOpen()
    return [...this.#topics.values()].filter((topic) => topicIds.includes(topic.topicId))
  }

  async listTopics(): Promise<Topic[]> {
    this.#checkOpen()
    return [...this.#topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  // ---- producers

  async allocateProducerIds(count: number): Promise<number> {
    this.#checkOpen()
    const first = this.#nextProducerId
    this.#nextProducerId += count
    return first
  }

  async expireProducers(olderThanMs: number, limit: number): Promise<number> {
    this.#checkOpen()
    const nowMs = this.clock.nowMs()
    const old = [...this.#producers].filter(([, producer]) => nowMs - producer.usedAtMs > olderThanMs).slice(0, limit)
    for (const [key] of old) this.#producers.delete(key)
    return old.length
  }

  // ---- commit

  async commit(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    this.#checkOpen()
    const nowMs = this.clock.nowMs()
    const isOld = ({ segmentId }: CommitSegment) => nowMs - segmentTimeMs(segmentId) > limits.commitAgeMaxMs
    const fresh = new Map<string, CommitSegment>()
    for (const segment of segments) {
      if (!this.#outcomes.has(segment.segmentId) && !isOld(segment)) fresh.set(segment.segmentId, segment)
    }
    this.#apply([...fresh.values()])
    return segments.map(
      ({ segmentId }) => this.#outcomes.get(segmentId) ?? { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' },
    )
  }

  #apply(segments: readonly CommitSegment[]): void {
    const decision = decideCommit(segments, this.#state())
    for (const [number, segment] of segments.entries()) {
      const decided = decision.segments[number]
      if (decided === undefined) throw new Error('a segment was not decided')
      const { segmentId, objectKey, objectBytes } = segment
      this.#outcomes.set(segmentId, { segmentId, committed: true, batches: decided.batches })
      this.noteCommitted(segment, decided.extents.length)
      for (const { runningMaxTimestampMs: _, ...draft } of decided.extents) {
        this.#partition(draft).extents.push({ ...draft, segmentId, objectKey, objectBytes, level: 0 })
      }
    }
    for (const { topicId, partition, highWatermark, maxTimestampMs } of decision.partitions) {
      Object.assign(this.#partition({ topicId, partition }), { highWatermark, maxTimestampMs })
    }
    const usedAtMs = this.clock.nowMs()
    for (const { topicId, partition, producerId, ...state } of decision.producers) {
      const used = { topicId, partition, producerId, state, usedAtMs }
      this.#producers.set(producerKey(topicId, partition, producerId), used)
    }
  }

  #state(): CommitState {
    const producers = new Map([...this.#producers].map(([key, { state }]) => [key, state] as const))
    return { partitions: this.#partitions, producers }
  }

  // ---- reading

  async partitionOffsets(partitions: readonly PartitionRef[]): Promise<(PartitionOffsets | undefined)[]> {
    this.#checkOpen()
    this.calls.partitionOffsets += 1
    return partitions.map((ref) => {
      const found = this.#find(ref)
      return found && { logStartOffset: found.logStartOffset, highWatermark: found.highWatermark }
    })
  }

  async findExtents(requests: readonly ExtentRequest[]): Promise<(ExtentAnswer | undefined)[]> {
    this.#checkOpen()
    this.calls.findExtents += 1
    return requests.map((request) => {
      const found = this.#find(request)
      if (found === undefined) return undefined
      const { logStartOffset, highWatermark, extents } = found
      const inside = request.offset >= logStartOffset && request.offset < highWatermark
      return { logStartOffset, highWatermark, extents: inside ? takeExtents(extents, request) : [] }
    })
  }

  async findExtentsByTimestamp(requests: readonly TimestampRequest[]): Promise<(Extent | undefined)[]> {
    this.#checkOpen()
    return requests.map((request) =>
      this.#readable(request).find((extent) => extent.maxTimestampMs >= request.timestampMs),
    )
  }

  async findExtentsByMaxTimestamp(partitions: readonly PartitionRef[]): Promise<(Extent | undefined)[]> {
    this.#checkOpen()
    return partitions.map((ref) => {
      const extents = this.#readable(ref)
      const maxTimestampMs = Math.max(...extents.map((extent) => extent.maxTimestampMs))
      return extents.find((extent) => extent.maxTimestampMs === maxTimestampMs)
    })
  }

  /** Extents that have something at or above the log start. */
  #readable(ref: PartitionRef): readonly Extent[] {
    const partition = this.#find(ref)
    return partition?.extents.filter((extent) => extent.endOffset > partition.logStartOffset) ?? []
  }

  // ---- care of the logs

  async advanceLogStarts(requests: readonly LogStartRequest[]): Promise<(PartitionOffsets | undefined)[]> {
    this.#checkOpen()
    for (const request of requests) {
      const partition = this.#find(request)
      if (partition === undefined) continue
      const target = request.offset === 'high-watermark' ? partition.highWatermark : request.offset
      if (target > partition.logStartOffset && target <= partition.highWatermark) partition.logStartOffset = target
    }
    return this.partitionOffsets(requests)
  }

  async partitionSizes(partitions: readonly PartitionRef[]): Promise<(number | undefined)[]> {
    this.#checkOpen()
    return partitions.map((ref) => {
      if (this.#find(ref) === undefined) return undefined
      return storedBytesOf(this.#readable(ref))
    })
  }

  async listProducers(
    partitions: readonly PartitionRef[],
    limit: number,
  ): Promise<(PartitionProducer[] | undefined)[]> {
    this.#checkOpen()
    return partitions.map((ref) => {
      if (this.#find(ref) === undefined) return undefined
      return [...this.#producers.values()]
        .filter(({ topicId, partition }) => topicId === ref.topicId && partition === ref.partition)
        .map(({ producerId, state, usedAtMs }) => {
          const lastSequence = state.batches.at(-1)?.lastSequence ?? -1
          return { producerId, producerEpoch: state.epoch, lastSequence, usedAtMs }
        })
        .slice(0, limit)
    })
  }

  // ---- agents

  async registerAgent(agent: AgentRegistration): Promise<number> {
    this.#checkOpen()
    const nowMs = this.clock.nowMs()
    for (const [nodeId, known] of this.#agents) {
      if (nowMs - known.heartbeatAtMs > known.expiryMs) this.#agents.delete(nodeId)
    }
    const known = [...this.#agents.values()]
    const same =
      known.find(({ instanceId, gone }) => instanceId === agent.instanceId && !gone) ??
      known.find(({ host, port }) => host === agent.host && port === agent.port) ??
      known.find((other) => shareAddress(other, agent))
    let nodeId = same?.nodeId ?? 1
    while (same === undefined && this.#agents.has(nodeId)) nodeId += 1
    for (const other of known) if (other !== same && shareAddress(other, agent)) other.gone = true
    this.#agents.set(nodeId, { ...agent, nodeId, heartbeatAtMs: nowMs, gone: false })
    return nodeId
  }

  async heartbeat(nodeId: number, instanceId: string): Promise<void> {
    this.#checkOpen()
    const agent = this.#agents.get(nodeId)
    if (agent?.instanceId !== instanceId || agent.gone) {
      throw new HeadraceError(
        'AGENT_EXPIRED',
        'never',
        `agent ${nodeId} is no longer registered; it must register again`,
      )
    }
    agent.heartbeatAtMs = this.clock.nowMs()
  }

  async unregisterAgent(nodeId: number, instanceId: string): Promise<void> {
    this.#checkOpen()
    const agent = this.#agents.get(nodeId)
    if (agent?.instanceId === instanceId) agent.gone = true
  }

  async listAgents(heartbeatAgeMaxMs: number): Promise<Agent[]> {
    this.#checkOpen()
    const nowMs = this.clock.nowMs()
    return [...this.#agents.values()]
      .filter(({ gone }) => !gone)
      .map(({ nodeId, instanceId, host, port, listeners, zone, roles, heartbeatAtMs }) => {
        const heartbeatAgeMs = nowMs - heartbeatAtMs
        return { nodeId, instanceId, host, port, listeners, zone, ...(roles && { roles }), heartbeatAgeMs }
      })
      .filter((agent) => agent.heartbeatAgeMs < heartbeatAgeMaxMs)
      .sort((a, b) => a.nodeId - b.nodeId)
  }

  // ---- groups

  async claimGroup(groupId: string, options: { readonly create: boolean }) {
    return this.#openGroups().claimGroup(groupId, options)
  }

  async saveGroup(claim: GroupClaim, group: StoredGroup) {
    return this.#openGroups().saveGroup(claim, group)
  }

  async commitGroupOffsets(claim: GroupClaim, offsets: readonly GroupOffset[]) {
    return this.#openGroups().commitGroupOffsets(claim, offsets)
  }

  async readGroupOffsets(groupId: string, partitions?: readonly PartitionRef[]) {
    return this.#openGroups().readGroupOffsets(groupId, partitions)
  }

  async deleteGroupOffsets(claim: GroupClaim, partitions: readonly PartitionRef[]) {
    return this.#openGroups().deleteGroupOffsets(claim, partitions)
  }

  async deleteGroup(claim: GroupClaim) {
    return this.#openGroups().deleteGroup(claim)
  }

  async listGroups() {
    return this.#openGroups().listGroups()
  }

  async expireGroups(limits: GroupExpiry) {
    return this.#openGroups().expireGroups(limits)
  }

  async expireGroupOffsets(claim: GroupClaim, retentionMs: number, topicNames: ReadonlySet<string>) {
    return this.#openGroups().expireGroupOffsets(claim, retentionMs, topicNames)
  }

  #openGroups(): FakeGroupCatalog {
    this.#checkOpen()
    return this.#groups
  }

  async ping(): Promise<void> {
    this.#checkOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  // ---- what background jobs do, for tests

  extentsOf(ref: PartitionRef): readonly Extent[] {
    return [...this.#partition(ref).extents]
  }

  /** Compaction's swap: `inputs`, adjacent extents of one partition, give way to `outputs` of the same offsets. */
  replaceExtents(inputs: readonly Extent[], outputs: readonly Extent[]): void {
    const first = inputs[0]
    if (first === undefined) throw new Error('nothing to replace')
    const { extents } = this.#partition(first)
    const start = extents.findIndex((extent) => extent.baseOffset === first.baseOffset)
    if (start < 0) throw new Error(`no extent begins at offset ${first.baseOffset}`)
    extents.splice(start, inputs.length, ...outputs)
  }

  /** DeleteRecords and retention: drops whole extents below the offset. */
  raiseLogStart(ref: PartitionRef, logStartOffset: number): void {
    const partition = this.#partition(ref)
    partition.logStartOffset = logStartOffset
    partition.extents = partition.extents.filter((extent) => extent.endOffset > logStartOffset)
  }

  #find({ topicId, partition }: PartitionRef): FakePartition | undefined {
    return this.#partitions.get(partitionKey(topicId, partition))
  }

  #partition(ref: PartitionRef): FakePartition {
    const found = this.#find(ref)
    if (found === undefined) throw new Error(`partition ${partitionKey(ref.topicId, ref.partition)} does not exist`)
    return found
  }

  protected checkOpen(): void {
    this.#checkOpen()
  }

  #checkOpen(): void {
    if (this.#closed) throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'the catalog is closed')
  }
}

function takeExtents(extents: readonly Extent[], request: ExtentRequest): Extent[] {
  const taken: Extent[] = []
  let bytes = 0
  for (const extent of extents) {
    if (extent.endOffset <= request.offset) continue
    if (taken.length > 0 && (bytes >= request.bytesMax || taken.length >= request.extentCountMax)) break
    taken.push(extent)
    bytes += extent.bytes
  }
  return taken
}

function shareAddress(one: AgentRegistration, other: AgentRegistration): boolean {
  return one.listeners.some(({ host, port }) => other.listeners.some((a) => a.host === host && a.port === port))
}
