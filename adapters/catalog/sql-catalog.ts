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
import type {
  ClaimedGroup,
  GroupClaim,
  GroupExpiry,
  GroupOffset,
  GroupRow,
  StoredGroup,
} from '../../engine/ports/group-catalog.js'
import * as agents from './agents.js'
import { commitSegments } from './commit.js'
import type { Database } from './database.js'
import { ExtentFiling } from './extent-filing.js'
import * as extents from './extents.js'
import * as byTimestamp from './extents-by-timestamp.js'
import * as offsets from './group-offsets.js'
import * as groups from './groups.js'
import * as logCare from './log-care.js'
import { migrate } from './migrate.js'
import { PartitionNumbers } from './partition-numbers.js'
import { listProducers } from './producer-lists.js'
import * as producers from './producers.js'
import { SqlJobsCatalog } from './sql-jobs-catalog.js'
import { textOf } from './sql-text.js'
import * as topics from './topics.js'

/** The catalog on a SQL database. Owns the connections; `close` ends them. */
export class SqlCatalog extends SqlJobsCatalog implements Catalog {
  readonly location: string
  readonly #database: Database
  readonly #numbers: PartitionNumbers
  readonly #filing: ExtentFiling

  constructor(database: Database, location: string) {
    const numbers = new PartitionNumbers()
    super(database, numbers)
    this.#numbers = numbers
    this.#database = database
    this.#filing = new ExtentFiling(database)
    this.location = location
  }

  migrate(): Promise<void> {
    return migrate(this.#database)
  }

  async clusterId(): Promise<string> {
    const [row] = await this.#database.read((session) => session.rows('SELECT cluster_id FROM cluster_state'))
    if (row) return textOf(row, 'cluster_id')
    throw new HeadraceError(
      'CATALOG_SCHEMA_MISMATCH',
      'never',
      `the catalog ${this.location} has no cluster id: its schema was not created completely, run the migration again`,
    )
  }

  createTopic(topic: NewTopic): Promise<Topic> {
    return topics.createTopic(this.#database, this.#numbers, topic)
  }

  deleteTopic(topicId: TopicId): Promise<void> {
    return topics.deleteTopic(this.#database, topicId)
  }

  updateTopicConfigs(
    topicId: TopicId,
    update: (configs: TopicConfigs) => TopicConfigs | Promise<TopicConfigs>,
  ): Promise<Topic> {
    return topics.updateTopicConfigs(this.#database, topicId, update)
  }

  addPartitions(topicId: TopicId, partitionCount: number, assignment?: ReplicaAssignment): Promise<Topic> {
    return topics.addPartitions(this.#database, topicId, partitionCount, assignment)
  }

  topicsByName(names: readonly string[]): Promise<Topic[]> {
    return this.#database.read((session) => topics.topicsByName(session, names))
  }

  topicsById(topicIds: readonly TopicId[]): Promise<Topic[]> {
    return this.#database.read((session) => topics.topicsById(session, topicIds))
  }

  listTopics(): Promise<Topic[]> {
    return this.#database.read(topics.listTopics)
  }

  allocateProducerIds(count: number): Promise<number> {
    return producers.allocateProducerIds(this.#database, count)
  }

  expireProducers(olderThanMs: number, limit: number): Promise<number> {
    return producers.expireProducers(this.#database, olderThanMs, limit)
  }

  commit(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    return commitSegments(this.#database, this.#numbers, this.#filing, segments, limits)
  }

  partitionOffsets(partitions: readonly PartitionRef[]): Promise<(PartitionOffsets | undefined)[]> {
    return this.#database.read((session) => extents.partitionOffsets(session, this.#numbers, partitions))
  }

  findExtents(requests: readonly ExtentRequest[]): Promise<(ExtentAnswer | undefined)[]> {
    const { dialect } = this.#database
    return this.#database.read((session) => extents.findExtents(dialect, session, this.#numbers, requests))
  }

  findExtentsByTimestamp(requests: readonly TimestampRequest[]): Promise<(Extent | undefined)[]> {
    const { dialect } = this.#database
    return this.#database.read((session) =>
      byTimestamp.findExtentsByTimestamp(dialect, session, this.#numbers, requests),
    )
  }

  findExtentsByMaxTimestamp(partitions: readonly PartitionRef[]): Promise<(Extent | undefined)[]> {
    const { dialect } = this.#database
    return this.#database.read((session) =>
      byTimestamp.findExtentsByMaxTimestamp(dialect, session, this.#numbers, partitions),
    )
  }

  advanceLogStarts(requests: readonly LogStartRequest[]): Promise<(PartitionOffsets | undefined)[]> {
    return logCare.advanceLogStarts(this.#database, this.#numbers, requests)
  }

  partitionSizes(partitions: readonly PartitionRef[]): Promise<(number | undefined)[]> {
    const { dialect } = this.#database
    return this.#database.read((session) => logCare.partitionSizes(dialect, session, this.#numbers, partitions))
  }

  listProducers(partitions: readonly PartitionRef[], limit: number): Promise<(PartitionProducer[] | undefined)[]> {
    const { dialect } = this.#database
    return this.#database.read((session) => listProducers(dialect, session, this.#numbers, partitions, limit))
  }

  registerAgent(agent: AgentRegistration): Promise<number> {
    return agents.registerAgent(this.#database, agent)
  }

  heartbeat(nodeId: number, instanceId: string): Promise<void> {
    return agents.heartbeat(this.#database, nodeId, instanceId)
  }

  unregisterAgent(nodeId: number, instanceId: string): Promise<void> {
    return agents.unregisterAgent(this.#database, nodeId, instanceId)
  }

  listAgents(heartbeatAgeMaxMs: number): Promise<Agent[]> {
    const { nowMs } = this.#database.dialect
    return this.#database.read((session) => agents.listAgents(session, nowMs, heartbeatAgeMaxMs))
  }

  claimGroup(groupId: string, { create }: { readonly create: boolean }): Promise<ClaimedGroup | undefined> {
    return groups.claimGroup(this.#database, groupId, create)
  }

  saveGroup(claim: GroupClaim, group: StoredGroup): Promise<void> {
    return groups.saveGroup(this.#database, claim, group)
  }

  commitGroupOffsets(claim: GroupClaim, committed: readonly GroupOffset[]): Promise<boolean[]> {
    return offsets.commitGroupOffsets(this.#database, claim, committed)
  }

  readGroupOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<GroupOffset[]> {
    return this.#database.read((session) => offsets.readGroupOffsets(session, this.#numbers, groupId, partitions))
  }

  deleteGroupOffsets(claim: GroupClaim, partitions: readonly PartitionRef[]): Promise<void> {
    return offsets.deleteGroupOffsets(this.#database, this.#numbers, claim, partitions)
  }

  deleteGroup(claim: GroupClaim): Promise<void> {
    return groups.deleteGroup(this.#database, claim)
  }

  listGroups(): Promise<GroupRow[]> {
    return this.#database.read(groups.listGroups)
  }

  expireGroups(limits: GroupExpiry): Promise<number> {
    return groups.expireGroups(this.#database, limits)
  }

  expireGroupOffsets(claim: GroupClaim, retentionMs: number, topicNames: ReadonlySet<string>): Promise<number> {
    return offsets.expireGroupOffsets(this.#database, claim, retentionMs, topicNames)
  }

  async ping(): Promise<void> {
    await this.#database.read((session) => session.rows('SELECT 1'))
  }

  /** Resolves when those extents of earlier commits that are due have been filed: for who measures or tests. */
  filingSettled(): Promise<void> {
    return this.#filing.settled()
  }

  async close(): Promise<void> {
    await this.#filing.close()
    await this.#database.close()
  }
}
