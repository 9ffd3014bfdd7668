import { commitStateOf, decideCommit, producerKey } from '../../engine/commit/commit-decisions.js'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { HeadraceError } from '../../engine/errors.js'
import type { PartitionRef, ReplicaAssignment, Topic, TopicId } from '../../engine/model.js'
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
import { FakeAgents } from './fake-agents.js'
import { FakeGroupCatalog } from './fake-group-catalog.js'
import { FakeJobsCatalog } from './fake-jobs-catalog.js'

interface FakeProducer extends PartitionRef {
  readonly producerId: number
  readonly state: ProducerState
  usedAtMs: number
}

/**
 * A whole catalog in memory on the real commit decisions: for tests and simulations of the engine. Several agents of one
 * process share an instance. Its clock is the "database clock".
 */
export class FakeCatalog extends FakeJobsCatalog implements Catalog {
  readonly location = 'fake://'
  #lastConfigsUpdate: Promise<unknown> = Promise.resolve()
  readonly #topics = new Map<TopicId, Topic>()
  readonly #producers = new Map<string, FakeProducer>()
  readonly #agents: FakeAgents
  readonly #groups: FakeGroupCatalog
  #nextProducerId = 0
  #closed = false
  /** Calls of each method of the reading part, for tests that count. */
  readonly calls = { findExtents: 0, partitionOffsets: 0 }

  constructor(clock: Pick<Clock, 'nowMs'>) {
    super(clock)
    this.#agents = new FakeAgents(() => clock.nowMs())
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
    this.logs.add(topic.topicId, 0, topic.partitionCount)
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
    this.logs.add(topicId, topic.partitionCount, partitionCount)
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

  async deleteTopic(topicId: TopicId): Promise<void> {
    const topic = this.#liveTopic(topicId)
    this.#topics.delete(topicId)
    this.noteTopicDeleted(topicId, this.logs.remove(topicId, topic.partitionCount))
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
      if (!this.isCommitted(segment) && !isOld(segment)) fresh.set(segment.segmentId, segment)
    }
    this.#apply([...fresh.values()])
    return this.outcomesOf(segments)
  }

  #apply(segments: readonly CommitSegment[]): void {
    const decision = decideCommit(segments, commitStateOf(this.logs.rows, this.#producerStates()))
    this.writeCommit(segments, decision)
    const usedAtMs = this.clock.nowMs()
    for (const { topicId, partition, producerId, ...state } of decision.producers) {
      const used = { topicId, partition, producerId, state, usedAtMs }
      this.#producers.set(producerKey(topicId, partition, producerId), used)
    }
  }

  #producerStates(): Map<string, ProducerState> {
    return new Map([...this.#producers].map(([key, { state }]) => [key, state] as const))
  }

  // ---- reading

  async partitionOffsets(partitions: readonly PartitionRef[]): Promise<(PartitionOffsets | undefined)[]> {
    this.#checkOpen()
    this.calls.partitionOffsets += 1
    return this.logs.offsets(partitions)
  }

  async findExtents(requests: readonly ExtentRequest[]): Promise<(ExtentAnswer | undefined)[]> {
    this.#checkOpen()
    this.calls.findExtents += 1
    return this.logs.findExtents(requests)
  }

  async findExtentsByTimestamp(requests: readonly TimestampRequest[]): Promise<(Extent | undefined)[]> {
    this.#checkOpen()
    return requests.map((request) =>
      this.logs.readable(request).find((extent) => extent.maxTimestampMs >= request.timestampMs),
    )
  }

  async findExtentsByMaxTimestamp(partitions: readonly PartitionRef[]): Promise<(Extent | undefined)[]> {
    this.#checkOpen()
    return partitions.map((ref) => {
      const extents = this.logs.readable(ref)
      const maxTimestampMs = Math.max(...extents.map((extent) => extent.maxTimestampMs))
      return extents.find((extent) => extent.maxTimestampMs === maxTimestampMs)
    })
  }

  // ---- care of the logs

  async advanceLogStarts(requests: readonly LogStartRequest[]): Promise<(PartitionOffsets | undefined)[]> {
    this.#checkOpen()
    return this.logs.advanceStarts(requests)
  }

  async partitionSizes(partitions: readonly PartitionRef[]): Promise<(number | undefined)[]> {
    this.#checkOpen()
    return this.logs.sizes(partitions)
  }

  async listProducers(
    partitions: readonly PartitionRef[],
    limit: number,
  ): Promise<(PartitionProducer[] | undefined)[]> {
    this.#checkOpen()
    return partitions.map((ref) => {
      if (this.logs.find(ref) === undefined) return undefined
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
    return this.#agents.register(agent)
  }

  async heartbeat(nodeId: number, instanceId: string): Promise<void> {
    this.#checkOpen()
    this.#agents.heartbeat(nodeId, instanceId)
  }

  async unregisterAgent(nodeId: number, instanceId: string): Promise<void> {
    this.#checkOpen()
    this.#agents.unregister(nodeId, instanceId)
  }

  async listAgents(heartbeatAgeMaxMs: number): Promise<Agent[]> {
    this.#checkOpen()
    return this.#agents.list(heartbeatAgeMaxMs)
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
    return [...this.logs.at(ref).extents]
  }

  /** Compaction's swap: `inputs`, adjacent extents of one partition, give way to `outputs` of the same offsets. */
  replaceExtents(inputs: readonly Extent[], outputs: readonly Extent[]): void {
    const first = inputs[0]
    if (first === undefined) throw new Error('nothing to replace')
    const { extents } = this.logs.at(first)
    const start = extents.findIndex((extent) => extent.baseOffset === first.baseOffset)
    if (start < 0) throw new Error(`no extent begins at offset ${first.baseOffset}`)
    extents.splice(start, inputs.length, ...outputs)
  }

  /** DeleteRecords and retention: drops whole extents below the offset. */
  raiseLogStart(ref: PartitionRef, logStartOffset: number): void {
    const partition = this.logs.at(ref)
    partition.logStartOffset = logStartOffset
    partition.extents = partition.extents.filter((extent) => extent.endOffset > logStartOffset)
  }

  protected checkOpen(): void {
    this.#checkOpen()
  }

  #checkOpen(): void {
    if (this.#closed) throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'the catalog is closed')
  }
}
