import type { HeadraceError } from '../errors.js'
import { type PartitionRef, partitionKey } from '../model.js'
import type { CancelTimer, Clock } from '../ports/clock.js'
import type { GroupCatalog, GroupClaim, GroupOffset } from '../ports/group-catalog.js'
import type { Logger } from '../ports/logger.js'
import type { Metrics } from '../ports/metrics.js'
import type {
  GroupDescription,
  GroupMemberRef,
  GroupState,
  JoinAnswer,
  JoinRequest,
  LeavingMember,
  OffsetToCommit,
  SyncAnswer,
  SyncRequest,
} from './group-coordinator.js'
import { groupNotEmpty, notCoordinator } from './group-errors.js'
import { GroupLane } from './group-lane.js'
import type { GroupMachine } from './group-machine.js'
import type { Ticket } from './group-members.js'
import { storedGroupOf } from './group-record.js'
import { deletionRefusal, describeGroup, topicsRead } from './group-views.js'
import { checkOffset, partitionMissing } from './offset-rules.js'
import type { Reply } from './replies.js'

export interface RunningGroupOptions {
  readonly groupId: string
  readonly claim: GroupClaim
  readonly machine: GroupMachine
  readonly catalog: GroupCatalog
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly newMemberId: (request: JoinRequest) => string
  /** The group takes so many bytes more, or fewer. */
  readonly onBytes: (delta: number) => void
  /** It ended: nobody may use it any more. */
  readonly onEnd: (group: RunningGroup) => void
}

/** A timer that comes later than this tells that the process stood still: stopped, suspended, or busy. */
const LATE_MS_MIN = 1_000
/** Timers are set anew at the latest after this long: what is further away cannot overflow them. */
const TIMER_MS_MAX = 3_600_000

/**
 * A group that this agent coordinates: the state machine with its clock, its way to the catalog, and the promises of those who
 * wait. An answer that says what a successor must know leaves after it is saved; where that fails, its requests are
 * answered COORDINATOR_UNAVAILABLE and the group stays as it is: who joins again is told the same again, once it is saved.
 *
 * Lifecycle: runs from its making until `end`.
 */
export class RunningGroup {
  readonly groupId: string
  readonly machine: GroupMachine
  readonly #options: RunningGroupOptions
  readonly #lane: GroupLane
  readonly #waiting = new Map<Ticket, (answer: Reply['answer']) => void>()
  #nextTicket = 1
  #timer: { readonly atMs: number; readonly cancel: CancelTimer } | undefined
  #bytes = 0
  #loggedState: GroupState
  #countedGenerationId: number
  #lastUsedMs: number
  #endedBy: HeadraceError | undefined

  constructor(options: RunningGroupOptions) {
    const { groupId, machine, catalog, claim, logger, clock } = options
    this.#options = options
    this.groupId = groupId
    this.machine = machine
    this.#loggedState = machine.state
    this.#countedGenerationId = machine.generationId
    this.#lastUsedMs = clock.monotonicMs()
    const group = {
      get version() {
        return machine.version
      },
      stored: () => storedGroupOf(machine),
    }
    this.#lane = new GroupLane({ catalog, claim, clock, logger, groupId, group, onFenced: (error) => this.end(error) })
    this.#settle()
  }

  get isEnded(): boolean {
    return this.#endedBy !== undefined
  }

  /** For how long it has had no members, nothing to do, and nobody asking. */
  get idleMs(): number {
    const { machine } = this
    const isQuiet = machine.state === 'Empty' && machine.members.pendingCount === 0 && this.#waiting.size === 0
    return isQuiet && this.#lane.isIdle ? this.#options.clock.monotonicMs() - this.#lastUsedMs : 0
  }

  /** Somebody is about to ask: it is not idle. */
  touched(): this {
    this.#now()
    return this
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    const newMemberId = () => this.#options.newMemberId(request)
    return this.#ask<JoinAnswer>((ticket, now) => this.machine.join(ticket, request, newMemberId, now))
  }

  sync(request: SyncRequest): Promise<SyncAnswer> {
    return this.#ask<SyncAnswer>((ticket, now) => this.machine.sync(ticket, request, now))
  }

  heartbeat(member: GroupMemberRef): void {
    const refusal = this.machine.heartbeat(member, this.#now())
    if (refusal) throw refusal
  }

  async leave(members: readonly LeavingMember[]): Promise<readonly (HeadraceError | undefined)[]> {
    const results = this.machine.leave(members, this.#now())
    this.#settle()
    if (results.some((result) => result === undefined)) await this.#lane.saved(this.machine.version)
    return results
  }

  async commit(
    member: GroupMemberRef,
    offsets: readonly OffsetToCommit[],
  ): Promise<readonly (HeadraceError | undefined)[]> {
    const refusal = this.machine.checkCommit(member, this.#now())
    if (refusal) throw refusal
    const results = offsets.map(checkOffset)
    const accepted = offsets.filter((_, index) => results[index] === undefined)
    if (accepted.length === 0) return results
    const exists = [...(await this.#lane.commit(accepted.map(withoutMore)))].values()
    this.#options.metrics.count('group_offsets_committed', accepted.length)
    return results.map((refused, index) => {
      if (refused) return refused
      return exists.next().value === true ? undefined : partitionMissing(offsets[index])
    })
  }

  async deleteOffsets(
    partitions: readonly (PartitionRef & { readonly topicName: string })[],
  ): Promise<readonly (HeadraceError | undefined)[]> {
    const { catalog, claim, groupId } = this.#options
    this.#now()
    const results = partitions.map(({ topicName }) => deletionRefusal(this.machine, topicName))
    const accepted = partitions.filter((_, index) => results[index] === undefined)
    if (accepted.length === 0) return results
    return this.#lane.alone(async () => {
      const committed = await catalog.readGroupOffsets(groupId, accepted)
      const present = new Set(committed.map(({ topicId, partition }) => partitionKey(topicId, partition)))
      const named = accepted.filter(({ topicId, partition }) => present.has(partitionKey(topicId, partition)))
      if (named.length > 0) await catalog.deleteGroupOffsets(claim, named)
      return results
    })
  }

  /** @throws GROUP_NOT_EMPTY. Those who came while it was being deleted are sent to ask again. */
  async delete(): Promise<void> {
    const { catalog, claim } = this.#options
    this.#now()
    await this.#lane.alone(async () => {
      if (this.machine.state !== 'Empty') throw groupNotEmpty()
      await catalog.deleteGroup(claim)
    })
    this.end(notCoordinator())
  }

  describe(): GroupDescription {
    this.#now()
    return describeGroup(this.groupId, this.machine)
  }

  /** Forgets what was committed long ago for topics that no member reads any more. */
  async expireOffsets(retentionMs: number): Promise<number> {
    const topics = topicsRead(this.machine)
    if (this.machine.state !== 'Stable' || topics === undefined) return 0
    const { catalog, claim } = this.#options
    return this.#lane.alone(() => catalog.expireGroupOffsets(claim, retentionMs, topics))
  }

  /** Saves what could not be saved when it happened. */
  saveSoon(): void {
    this.#lane.saveSoon()
  }

  /** Answers everybody who waits with `error`. Idempotent. */
  end(error: HeadraceError): void {
    if (this.#endedBy) return
    this.#endedBy = error
    this.#timer?.cancel()
    this.machine.failAll(error)
    this.#lane.close(error)
    for (const { ticket, answer } of this.machine.takeReplies()) this.#answer(ticket, answer)
    this.#options.onBytes(-this.#bytes)
    this.#options.onEnd(this)
  }

  /** Resolves when nothing of it is under way in the catalog. */
  ended(): Promise<void> {
    return this.#lane.ended()
  }

  #ask<Answer extends JoinAnswer | SyncAnswer>(event: (ticket: Ticket, now: number) => void): Promise<Answer> {
    if (this.#endedBy) return Promise.reject(this.#endedBy)
    return new Promise((resolve, reject) => {
      const ticket = this.#nextTicket++
      this.#waiting.set(ticket, (answer) => {
        if (answer instanceof Error) reject(answer)
        else resolve(answer as Answer)
      })
      event(ticket, this.#now())
      this.#settle()
    })
  }

  #now(): number {
    this.#lastUsedMs = this.#options.clock.monotonicMs()
    return this.#lastUsedMs
  }

  /** After every event: answers go out, the next deadline is set. */
  #settle(): void {
    for (const { ticket, answer, afterVersion } of this.machine.takeReplies()) {
      if (this.#lane.isSaved(afterVersion)) this.#answer(ticket, answer)
      else {
        this.#lane.saved(afterVersion).then(
          () => this.#answer(ticket, answer),
          (error: HeadraceError) => this.#answer(ticket, error),
        )
      }
    }
    if (this.isEnded) return
    this.#report()
    this.#options.onBytes(this.machine.bytes - this.#bytes)
    this.#bytes = this.machine.bytes
    this.#setTimer()
  }

  #report(): void {
    const { state, generationId, members } = this.machine
    const { groupId, logger, metrics } = this.#options
    if (generationId > this.#countedGenerationId) metrics.count('group_rebalances', 1)
    this.#countedGenerationId = generationId
    if (state === this.#loggedState) return
    this.#loggedState = state
    const fields = { groupId, state, generationId, memberCount: members.size }
    if (state === 'PreparingRebalance') logger.info(fields, 'a consumer group rebalances')
    else if (state === 'Stable') logger.info(fields, 'a consumer group is stable')
    else if (state === 'Empty') logger.info(fields, 'a consumer group has no members any more')
  }

  #answer(ticket: Ticket, answer: Reply['answer']): void {
    this.#waiting.get(ticket)?.(answer)
    this.#waiting.delete(ticket)
  }

  #setTimer(): void {
    const { clock } = this.#options
    const atMs = Math.min(this.machine.nextDeadlineMs, clock.monotonicMs() + TIMER_MS_MAX)
    if (this.#timer && this.#timer.atMs <= atMs) return
    this.#timer?.cancel()
    const delayMs = Math.max(0, atMs - clock.monotonicMs())
    this.#timer = { atMs, cancel: clock.schedule(delayMs, () => this.#tick()) }
  }

  #tick(): void {
    const { clock, groupId, logger } = this.#options
    const now = clock.monotonicMs()
    const lateMs = now - (this.#timer?.atMs ?? now)
    this.#timer = undefined
    if (lateMs > LATE_MS_MIN) {
      this.machine.forgive(now, lateMs)
      this.#setTimer()
      return
    }
    const { version } = this.machine
    const before = new Set([...this.machine.members].map(({ memberId }) => memberId))
    this.machine.tick(now)
    for (const { memberId } of this.machine.members) before.delete(memberId)
    if (before.size > 0) {
      const memberIds = [...before].slice(0, 10)
      logger.info({ groupId, memberIds, count: before.size }, 'members were silent too long')
    }
    this.#settle()
    if (this.machine.version !== version) this.#lane.saveSoon()
  }
}

function withoutMore({ topicId, partition, offset, leaderEpoch, metadata }: OffsetToCommit): GroupOffset {
  return { topicId, partition, offset, leaderEpoch, metadata }
}
