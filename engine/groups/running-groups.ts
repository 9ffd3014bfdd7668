import { v4 } from 'uuid'
import type { Cluster } from '../broker.js'
import type { CancelTimer, Clock, Random } from '../ports/clock.js'
import type { ClaimedGroup, GroupCatalog } from '../ports/group-catalog.js'
import type { Logger } from '../ports/logger.js'
import type { Metrics } from '../ports/metrics.js'
import type { GroupState, JoinRequest } from './group-coordinator.js'
import { coordinatorUnavailable, groupFull, notCoordinator } from './group-errors.js'
import { failureOf } from './group-lane.js'
import type { GroupLimits } from './group-limits.js'
import { GroupMachine } from './group-machine.js'
import { decodeGroupRecord, type GroupRecord } from './group-record.js'
import { TEXT_CHARS_MAX } from './group-request-rules.js'
import { RunningGroup } from './running-group.js'

export interface RunningGroupsOptions {
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

/** How often it is looked after who coordinates what is running here. */
const WATCH_INTERVAL_MS = 1_000
/** A group without members leaves the memory after this long; its state is in the catalog. */
const IDLE_MS_MAX = 60_000
/** What a group costs beside its members. */
const GROUP_BYTES = 2_048
/** Groups in memory at a time, those without members included. */
const GROUP_COUNT_MAX = 20_000

/**
 * The groups that run on this agent: those of which the cluster's picture says that it coordinates them, each claimed in the
 * catalog when it is first asked for. Whoever else claims one ends it here: at its next write, or at the next look at the picture,
 * if that is sooner. Pictures of agents may differ for a heartbeat; then a group may be claimed to and fro, and is right all
 * the time.
 *
 * Lifecycle: made once per agent; runs until `close`.
 */
export class RunningGroups {
  readonly #options: RunningGroupsOptions
  readonly #groups = new Map<string, RunningGroup>()
  readonly #loading = new Map<string, Promise<RunningGroup | undefined>>()
  readonly #ending = new Set<Promise<void>>()
  #watch: CancelTimer | undefined
  #bytes = 0
  #isClosed = false

  constructor(options: RunningGroupsOptions) {
    this.#options = options
  }

  get all(): readonly RunningGroup[] {
    return [...this.#groups.values()]
  }

  find(groupId: string): RunningGroup | undefined {
    return this.#groups.get(groupId)
  }

  /** @throws NOT_COORDINATOR, COORDINATOR_UNAVAILABLE. Undefined: there is no such group, and none was to be made. */
  async use(groupId: string, create = false): Promise<RunningGroup | undefined> {
    // Who comes here was sent by an agent that may have seen sooner that the group's last coordinator left.
    if (!this.#isClosed && !this.isOurs(groupId)) await this.#options.cluster.lookAround()
    if (this.#isClosed || !this.isOurs(groupId)) {
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

  /** Whether the cluster's picture has this agent as the group's coordinator. */
  isOurs(groupId: string): boolean {
    const { cluster } = this.#options
    try {
      return cluster.coordinatorOf(groupId).nodeId === cluster.nodeId
    } catch (error) {
      // The agent takes connections a moment before it knows its place.
      throw failureOf(error)
    }
  }

  /** @throws GROUP_FULL when no room can be made for new members. */
  checkMemory(): void {
    const { memoryBytesMax } = this.#options
    const bytes = () => this.#bytes + this.#groups.size * GROUP_BYTES
    if (bytes() > memoryBytesMax) this.#unload(0)
    if (bytes() <= memoryBytesMax) return
    throw groupFull(
      'the groups on this agent have used up their memory: use fewer members, more agents, or raise memory',
    )
  }

  /** Answers all who wait NOT_COORDINATOR, and ends with what is under way in the catalog. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch?.()
    for (const group of this.all) group.end(notCoordinator())
    await Promise.allSettled([...this.#loading.values(), ...this.#ending])
  }

  async #load(groupId: string, create: boolean): Promise<RunningGroup | undefined> {
    if (this.#groups.size >= GROUP_COUNT_MAX) this.#unload(0)
    if (this.#groups.size >= GROUP_COUNT_MAX) {
      throw coordinatorUnavailable('this agent coordinates as many groups as it can: use more agents')
    }
    const claimed = await this.#options.catalog.claimGroup(groupId, { create }).catch((error: unknown) => {
      throw failureOf(error)
    })
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

  #watchSoon(): void {
    if (this.#isClosed || this.#groups.size === 0) return
    this.#watch ??= this.#options.clock.schedule(WATCH_INTERVAL_MS, () => {
      this.#watch = undefined
      this.#lookAfter()
      this.#watchSoon()
    })
  }

  #lookAfter(): void {
    for (const group of this.all) {
      if (this.isOurs(group.groupId)) group.saveSoon()
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
      this.all.reduce((count, { machine }) => count + machine.members.size, 0),
    )
  }

  #unload(idleMsMin: number): void {
    for (const group of this.all) if (group.idleMs > idleMsMin) group.end(notCoordinator())
  }

  #newMemberId({ clientId, groupInstanceId }: JoinRequest): string {
    const prefix = (groupInstanceId ?? clientId).slice(0, TEXT_CHARS_MAX)
    return `${prefix}-${v4({ random: this.#options.random.bytes(16) })}`
  }
}
