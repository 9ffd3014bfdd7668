import { v4 } from 'uuid'
import type { Cluster } from '../broker.js'
import { HeadraceError, isHeadraceError } from '../errors.js'
import { type PartitionRef, partitionKey } from '../model.js'
import type { CancelTimer, Clock, Random } from '../ports/clock.js'
import type { ClaimedGroup, GroupCatalog } from '../ports/group-catalog.js'
import type { Logger } from '../ports/logger.js'
import type { Metrics } from '../ports/metrics.js'
import type {
  FetchedOffset,
  GroupCoordinator,
  GroupDescription,
  GroupListing,
  GroupMemberRef,
  GroupState,
  JoinAnswer,
  JoinRequest,
  LeavingMember,
  OffsetCommit,
  SyncAnswer,
  SyncRequest,
} from './group-coordinator.js'
import {
  coordinatorUnavailable,
  groupFull,
  groupUnknown,
  memberUnknown,
  notCoordinator,
  protocolInconsistent,
} from './group-errors.js'
import { failureOf } from './group-lane.js'
import type { GroupLimits } from './group-limits.js'
import { GroupMachine } from './group-machine.js'
import { decodeGroupRecord, type GroupRecord } from './group-record.js'
import { RunningGroup } from './running-group.js'

export interface GroupCoordinatorOptions {
  readonly catalog: GroupCatalog
  readonly cluster: Pick<Cluster, 'nodeId' | 'coordinatorOf' | 'lookAround'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly limits: GroupLimits
  /** What the members of all groups may bring and be assigned, together; beyond it no new ones are taken. */
  readonly memoryBytesMax: number
}

const TEXT_CHARS_MAX = 255
const PROTOCOL_TYPE_BYTES_MAX = 255
/** How often it is looked after who coordinates what is running here. */
const WATCH_INTERVAL_MS = 1_000
/** A group without members leaves the memory after this long; its state is in the catalog. */
const IDLE_MS_MAX = 60_000
/** What a group costs beside its members. */
const GROUP_BYTES = 2_048
/** Groups in memory at a time, those without members included. */
const GROUP_COUNT_MAX = 20_000

/**
 * The groups of which the cluster's picture says that this agent coordinates them, each claimed in the catalog when it is first
 * asked for. Whoever else claims one ends it here: at its next write, or at the next look at the picture, if that
 * is sooner. Pictures of agents may differ for a heartbeat; then a group may be claimed to and fro, and is right all the time.
 *
 * Lifecycle: made once per agent; `close` answers all who wait NOT_COORDINATOR, so that clients move on at once.
 */
export class CatalogGroupCoordinator implements GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #groups = new Map<string, RunningGroup>()
  readonly #loading = new Map<string, Promise<RunningGroup | undefined>>()
  readonly #ending = new Set<Promise<void>>()
  #watch: CancelTimer | undefined
  #bytes = 0
  #isClosed = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  // ---- members

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, groupInstanceId, sessionTimeoutMs, memberId } = request
    checkMemberGroupId(groupId)
    checkInstanceId(groupInstanceId)
    this.#checkSessionTimeout(sessionTimeoutMs)
    if (utf8.encode(request.protocolType).byteLength > PROTOCOL_TYPE_BYTES_MAX) throw protocolInconsistent()
    // A member that has an id knows the group; if it is gone, nobody makes it again under the old id.
    const group = await this.#use(groupId, memberId === '')
    if (!group) throw memberUnknown()
    if (memberId === '') this.#checkMemory()
    return group.join(request)
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    checkMemberGroupId(request.groupId)
    const group = await this.#use(request.groupId)
    if (!group) throw memberUnknown()
    return group.sync(request)
  }

  async heartbeat(member: GroupMemberRef): Promise<void> {
    checkMemberGroupId(member.groupId)
    const group = await this.#use(member.groupId)
    if (!group) throw memberUnknown()
    group.heartbeat(member)
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly (HeadraceError | undefined)[]> {
    checkMemberGroupId(groupId)
    const group = await this.#use(groupId)
    return group ? group.leave(members) : members.map(() => memberUnknown())
  }

  // ---- offsets

  async commitOffsets(request: OffsetCommit): Promise<readonly (HeadraceError | undefined)[]> {
    checkGroupId(request.groupId)
    const group = await this.#use(request.groupId, request.generationId < 0)
    if (!group) throw memberUnknown()
    return group.commit(request, request.offsets)
  }

  async fetchOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<readonly FetchedOffset[]> {
    checkGroupId(groupId)
    const committed = await this.#read(() => this.#options.catalog.readGroupOffsets(groupId, partitions))
    if (partitions === undefined) return committed
    const found = new Map(committed.map((offset) => [partitionKey(offset.topicId, offset.partition), offset]))
    return partitions.map(({ topicId, partition }) => {
      const none = { topicId, partition, offset: -1, leaderEpoch: -1, metadata: '' }
      return found.get(partitionKey(topicId, partition)) ?? none
    })
  }

  async deleteOffsets(
    groupId: string,
    partitions: readonly (PartitionRef & { readonly topicName: string })[],
  ): Promise<readonly (HeadraceError | undefined)[]> {
    checkGroupId(groupId)
    const group = await this.#use(groupId)
    if (!group) throw groupUnknown(groupId)
    return group.deleteOffsets(partitions)
  }

  // ---- groups

  async list(): Promise<readonly GroupListing[]> {
    const rows = await this.#read(() => this.#options.catalog.listGroups())
    return rows
      .filter(({ groupId }) => this.#isOurs(groupId))
      .map(({ groupId, protocolType, state }) => {
        const machine = this.#groups.get(groupId)?.machine
        if (machine) return { groupId, protocolType: machine.protocolType, state: machine.state }
        return { groupId, protocolType, state: state as GroupState }
      })
  }

  describe(groupIds: readonly string[]): Promise<readonly (GroupDescription | HeadraceError)[]> {
    return this.#each(groupIds, async (group) => group.describe())
  }

  async delete(groupIds: readonly string[]): Promise<readonly (HeadraceError | undefined)[]> {
    return this.#each(groupIds, (group) => group.delete() as Promise<undefined>)
  }

  #each<Result>(
    groupIds: readonly string[],
    act: (group: RunningGroup) => Promise<Result>,
  ): Promise<(Result | HeadraceError)[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        try {
          checkGroupId(groupId)
          const group = await this.#use(groupId)
          return group ? await act(group) : groupUnknown(groupId)
        } catch (error) {
          if (isHeadraceError(error)) return error
          throw error
        }
      }),
    )
  }

  // ---- what runs here

  /** Groups in memory now, for the jobs that look after them. */
  get running(): readonly RunningGroup[] {
    return [...this.#groups.values()]
  }

  /** Takes groups into memory that nobody asks for: their members have sessions, which must run out somewhere. */
  async adopt(groupId: string): Promise<void> {
    await this.#use(groupId)
  }

  /** @throws NOT_COORDINATOR, COORDINATOR_UNAVAILABLE. Undefined: there is no such group, and none was to be made. */
  async #use(groupId: string, create = false): Promise<RunningGroup | undefined> {
    // Who comes here was sent by an agent that may have seen sooner that the group's last coordinator left.
    if (!this.#isClosed && !this.#isOurs(groupId)) await this.#options.cluster.lookAround()
    if (this.#isClosed || !this.#isOurs(groupId)) {
      this.#groups.get(groupId)?.end(notCoordinator())
      throw notCoordinator()
    }
    for (;;) {
      const running = this.#groups.get(groupId)
      if (running) return running.touched()
      const loading = this.#loading.get(groupId)
      if (!loading) break
      // Somebody else's loading may have been without leave to make the group.
      const loaded = await loading
      if (loaded || !create) return loaded
    }
    const loading = this.#load(groupId, create).finally(() => this.#loading.delete(groupId))
    this.#loading.set(groupId, loading)
    return loading
  }

  async #load(groupId: string, create: boolean): Promise<RunningGroup | undefined> {
    if (this.#groups.size >= GROUP_COUNT_MAX) this.#unload(0)
    if (this.#groups.size >= GROUP_COUNT_MAX) {
      throw coordinatorUnavailable('this agent coordinates as many groups as it can: use more agents')
    }
    const claimed = await this.#read(() => this.#options.catalog.claimGroup(groupId, { create }))
    if (this.#isClosed) throw notCoordinator()
    if (!claimed) return undefined
    const { catalog, clock, logger, metrics } = this.#options
    const group = new RunningGroup({
      groupId,
      claim: claimed.claim,
      machine: this.#restore(groupId, claimed),
      catalog,
      clock,
      logger,
      metrics,
      newMemberId: (request) => this.#newMemberId(request),
      onBytes: (delta) => {
        this.#bytes += delta
      },
      onEnd: (ended) => this.#forget(ended),
    })
    this.#groups.set(groupId, group)
    const { state, generationId, members } = group.machine
    const fields = { groupId, state, generationId, memberCount: members.size }
    if (members.size > 0) logger.info(fields, 'coordinating a consumer group that another agent ran before')
    this.#watchSoon()
    return group
  }

  #restore(groupId: string, { group }: ClaimedGroup): GroupMachine {
    const { limits, logger, clock } = this.#options
    const { protocolType } = group
    let record: GroupRecord
    try {
      record = decodeGroupRecord(group.record)
    } catch (error) {
      // Members join again and are assigned anew; the offsets are not in it.
      logger.error({ error, groupId }, 'the state of a consumer group cannot be read; it starts again without members')
      return new GroupMachine(limits, protocolType)
    }
    const state = group.state as GroupState
    return GroupMachine.restore(limits, { protocolType, state }, record, clock.monotonicMs())
  }

  #forget(group: RunningGroup): void {
    if (this.#groups.get(group.groupId) === group) this.#groups.delete(group.groupId)
    const ended = group.ended().finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  #isOurs(groupId: string): boolean {
    const { cluster } = this.#options
    try {
      return cluster.coordinatorOf(groupId).nodeId === cluster.nodeId
    } catch (error) {
      // The agent takes connections a moment before it knows its place.
      throw failureOf(error)
    }
  }

  #watchSoon(): void {
    if (this.#isClosed || this.#groups.size === 0) return
    this.#watch ??= this.#options.clock.schedule(WATCH_INTERVAL_MS, () => {
      this.#watch = undefined
      this.#lookAfter()
      this.#watchSoon()
    })
  }

  #lookAfter(): void {
    for (const group of this.running) {
      if (this.#isOurs(group.groupId)) group.saveSoon()
      else {
        this.#options.logger.info({ groupId: group.groupId }, 'another agent coordinates the group now')
        group.end(notCoordinator())
      }
    }
    this.#unload(IDLE_MS_MAX)
    const { metrics } = this.#options
    metrics.gauge('groups', this.#groups.size)
    metrics.gauge(
      'group_members',
      this.running.reduce((count, { machine }) => count + machine.members.size, 0),
    )
  }

  #unload(idleMsMin: number): void {
    for (const group of this.running) if (group.idleMs > idleMsMin) group.end(notCoordinator())
  }

  /** Answers all who wait NOT_COORDINATOR, and ends with what is under way in the catalog. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch?.()
    for (const group of this.running) group.end(notCoordinator())
    await Promise.allSettled([...this.#loading.values(), ...this.#ending])
  }

  // ---- small things

  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    try {
      return await read()
    } catch (error) {
      throw failureOf(error)
    }
  }

  #checkSessionTimeout(sessionTimeoutMs: number): void {
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.#options.limits
    if (sessionTimeoutMs >= sessionTimeoutMinMs && sessionTimeoutMs <= sessionTimeoutMaxMs) return
    throw new HeadraceError(
      'SESSION_TIMEOUT_INVALID',
      'never',
      `a session timeout of ${sessionTimeoutMs} ms is outside of ${sessionTimeoutMinMs} to ${sessionTimeoutMaxMs} ms`,
    )
  }

  #checkMemory(): void {
    const { memoryBytesMax } = this.#options
    const bytes = () => this.#bytes + this.#groups.size * GROUP_BYTES
    if (bytes() > memoryBytesMax) this.#unload(0)
    if (bytes() <= memoryBytesMax) return
    throw groupFull(
      'the groups on this agent have used up their memory: use fewer members, more agents, or raise memory',
    )
  }

  #newMemberId({ clientId, groupInstanceId }: JoinRequest): string {
    const prefix = (groupInstanceId ?? clientId).slice(0, TEXT_CHARS_MAX)
    return `${prefix}-${v4({ random: this.#options.random.bytes(16) })}`
  }
}

const utf8 = new TextEncoder()

/** Members need a group with a name. */
function checkMemberGroupId(groupId: string): void {
  checkGroupId(groupId)
  if (groupId === '') throw groupIdInvalid('a consumer group needs a name: set group.id')
}

/** Consumers that assign themselves may commit under the empty name, as in Kafka. */
function checkGroupId(groupId: string): void {
  if (groupId.length > TEXT_CHARS_MAX) throw groupIdInvalid(`a group id has ${TEXT_CHARS_MAX} characters at most`)
}

function checkInstanceId(groupInstanceId: string | null): void {
  if ((groupInstanceId?.length ?? 0) <= TEXT_CHARS_MAX) return
  throw groupIdInvalid(`a group instance id has ${TEXT_CHARS_MAX} characters at most`)
}

function groupIdInvalid(text: string): HeadraceError {
  return new HeadraceError('GROUP_ID_INVALID', 'never', text)
}
