import type { HeadraceError } from '../errors.js'
import type {
  GroupMemberRef,
  GroupState,
  JoinAnswer,
  JoinRequest,
  LeavingMember,
  SyncAnswer,
  SyncRequest,
} from './group-coordinator.js'
import { generationIllegal, memberFenced, memberUnknown, rebalanceInProgress } from './group-errors.js'
import type { GroupLimits } from './group-limits.js'
import { GroupMembers, isMember, type Member, NO_BYTES, newMember, type Ticket } from './group-members.js'
import type { GroupRecord } from './group-record.js'
import {
  hasSameSubscription,
  isMemberCountReached,
  type JoinedGroup,
  joinedAnswer,
  joinRefusal,
  memberCountReached,
} from './join-rules.js'
import { sameProtocols, selectProtocol } from './protocol-selection.js'
import { RebalanceClock } from './rebalance-clock.js'
import { isWaiting, Replies, type Reply } from './replies.js'
import { assignmentBytes, syncRefusal } from './sync-rules.js'

/** Clients beat every three seconds by default. */
const GRACE_MS = 3_000

/**
 * One consumer group: Kafka's classic protocol as a state machine, without clock, I/O or promises. Events go in as calls with
 * the time; answers come out of `takeReplies`, now or after a later event, exactly one for each ticket. `version` grows
 * with every change that must outlive the agent: who replies before it is saved would promise what a successor does not know.
 *
 * `now` is monotonic. Whoever drives it calls `tick` at `nextDeadlineMs`.
 */
export class GroupMachine implements JoinedGroup {
  readonly members = new GroupMembers()
  readonly #limits: GroupLimits
  readonly #clock: RebalanceClock
  readonly #replies = new Replies()
  #state: GroupState = 'Empty'
  #protocolType: string
  #protocolName = ''
  #generationId = 0
  #leaderId = ''
  #version = 0
  #assignmentBytes = 0

  constructor(limits: GroupLimits, protocolType = '') {
    this.#limits = limits
    this.#clock = new RebalanceClock(limits.initialRebalanceDelayMs)
    this.#protocolType = protocolType
  }

  /** Goes on where the former coordinator was: same generation, a fresh session for every member. */
  static restore(
    limits: GroupLimits,
    stored: { readonly protocolType: string; readonly state: GroupState },
    record: GroupRecord,
    now: number,
  ): GroupMachine {
    const machine = new GroupMachine(limits, stored.protocolType)
    machine.#generationId = record.generationId
    if (record.members.length === 0 || stored.state === 'Empty' || stored.state === 'Dead') return machine
    machine.#state = stored.state
    machine.#protocolName = record.protocolName
    machine.#leaderId = record.leaderId
    const hasSynced = stored.state !== 'CompletingRebalance'
    const waiting = { isNew: false, joinTicket: undefined, syncTicket: undefined, hasSynced }
    for (const member of record.members) {
      machine.members.add({ ...member, ...waiting, sessionDeadlineMs: now + member.sessionTimeoutMs })
      machine.#assignmentBytes += member.assignment.byteLength
    }
    if (!hasSynced) machine.#clock.awaitSyncs(now, machine.members.rebalanceTimeoutMs)
    if (stored.state === 'PreparingRebalance') machine.#awaitJoins(now, false)
    return machine
  }

  get state(): GroupState {
    return this.#state
  }

  get version(): number {
    return this.#version
  }

  get protocolType(): string {
    return this.#protocolType
  }

  get protocolName(): string {
    return this.#protocolName
  }

  get generationId(): number {
    return this.#generationId
  }

  get leaderId(): string {
    return this.#leaderId
  }

  /** Roughly what the group takes in memory. */
  get bytes(): number {
    return this.members.bytes + this.#assignmentBytes
  }

  takeReplies(): readonly Reply[] {
    return this.#replies.take()
  }

  /** When `tick` has something to do, if nothing comes before; Infinity: never. */
  get nextDeadlineMs(): number {
    let next = this.#clock.nextDeadlineMs
    for (const [, deadlineMs] of this.members.pendingDeadlines) next = Math.min(next, deadlineMs)
    for (const member of this.members) if (!isWaiting(member)) next = Math.min(next, member.sessionDeadlineMs)
    return next
  }

  // ---- join

  join(ticket: Ticket, request: JoinRequest, newMemberId: () => string, now: number): void {
    const refusal = joinRefusal(this, request, this.#limits)
    if (refusal) this.#replies.add(ticket, refusal)
    else if (request.memberId === '') this.#joinWithoutId(ticket, request, newMemberId, now)
    else if (this.members.deletePending(request.memberId)) this.#enter(ticket, request, request.memberId, now)
    else this.#joinAgain(ticket, request, now)
  }

  #joinWithoutId(ticket: Ticket, request: JoinRequest, newMemberId: () => string, now: number): void {
    const { groupInstanceId } = request
    const former = groupInstanceId === null ? undefined : this.members.ofInstance(groupInstanceId)
    if (former) this.#replace(ticket, former, request, newMemberId(), now)
    else if (isMemberCountReached(this.members, this.#limits)) {
      this.#replies.add(ticket, memberCountReached(this.#limits))
    } else if (groupInstanceId !== null || !request.memberIdRequiredKnown) {
      this.#enter(ticket, request, newMemberId(), now)
    } else {
      const memberId = newMemberId()
      this.members.addPending(memberId, now + request.sessionTimeoutMs)
      this.#replies.add(ticket, { kind: 'member-id-required', memberId })
    }
  }

  #enter(ticket: Ticket, request: JoinRequest, memberId: string, now: number): void {
    if (this.#state === 'Empty') this.#protocolType = request.protocolType
    const member = newMember(memberId, request)
    this.members.add(member)
    this.#clock.noteNewMember()
    this.#rejoin(ticket, member, now)
  }

  #joinAgain(ticket: Ticket, request: JoinRequest, now: number): void {
    const member = this.members.find(request.memberId, request.groupInstanceId)
    if (!isMember(member)) {
      this.#replies.add(ticket, member)
      return
    }
    // A member whose answer got lost, or a follower that lost its coordinator; a leader that joins again wants a rebalance.
    const wantsNothingNew =
      this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && member.memberId !== this.#leaderId)
    const isCurrent = wantsNothingNew && !member.isNew && sameProtocols(member.protocols, request.protocols)
    this.members.update(member, request)
    if (isCurrent) this.#answerJoin(ticket, member, now)
    else this.#rejoin(ticket, member, now)
  }

  /** A static member's process was started again: it takes the place of the former one, which is fenced. */
  #replace(ticket: Ticket, member: Member, request: JoinRequest, memberId: string, now: number): void {
    const formerId = member.memberId
    const wasLeader = this.#leaderId === formerId
    const isSame = this.#state === 'Stable' && hasSameSubscription(this, member, request)
    this.#replies.fail(member, memberFenced())
    this.members.rename(member, memberId)
    this.members.update(member, request)
    if (wasLeader) this.#leaderId = memberId
    this.#version += 1
    if (!isSame || selectProtocol(this.members) !== this.#protocolName) {
      this.#rejoin(ticket, member, now)
      return
    }
    member.hasSynced = true
    const answer = joinedAnswer(this, member)
    const isDeaf = wasLeader && !request.skipAssignmentKnown
    // Who does not know that a leader may be told to assign nothing (KIP-814) must not take itself for the leader.
    if (isDeaf) this.#answerJoin(ticket, member, now, { ...answer, leaderId: formerId, members: [] })
    else this.#answerJoin(ticket, member, now, { ...answer, skipAssignment: wasLeader })
  }

  /** The member waits for the next generation. */
  #rejoin(ticket: Ticket, member: Member, now: number): void {
    this.#replies.parkJoin(ticket, member)
    if (this.#state === 'PreparingRebalance') this.#completeJoinIfAllCame(now)
    else this.#prepareRebalance(now)
  }

  #answerJoin(ticket: Ticket, member: Member, now: number, answer: JoinAnswer = joinedAnswer(this, member)): void {
    member.isNew = false
    member.sessionDeadlineMs = now + member.sessionTimeoutMs
    this.#replies.add(ticket, answer, this.#version)
  }

  // ---- rebalance

  #prepareRebalance(now: number): void {
    for (const member of this.members) {
      if (member.syncTicket !== undefined) member.sessionDeadlineMs = now + member.sessionTimeoutMs
      this.#replies.failSync(member, rebalanceInProgress())
    }
    const wasEmpty = this.#state === 'Empty'
    this.#state = 'PreparingRebalance'
    this.#awaitJoins(now, wasEmpty)
    this.#completeJoinIfAllCame(now)
  }

  #awaitJoins(now: number, isFirst: boolean): void {
    this.#clock.awaitJoins(now, this.members.rebalanceTimeoutMs, isFirst)
  }

  #completeJoinIfAllCame(now: number): void {
    if (this.#clock.isDelaying || this.members.pendingCount > 0) return
    for (const member of this.members) if (member.joinTicket === undefined) return
    this.#completeJoin(now)
  }

  /** Ends the waiting for members. Static ones that did not come stay until their session ends: they are restarting. */
  #completeJoin(now: number): void {
    const missing = [...this.members].filter(({ joinTicket }) => joinTicket === undefined)
    for (const member of missing) if (member.groupInstanceId === null) this.#remove(member)
    const joined = [...this.members].filter(({ joinTicket }) => joinTicket !== undefined)
    if (joined.length === 0 && this.members.size > 0) this.#awaitJoins(now, false)
    else this.#beginGeneration(joined, now)
  }

  #beginGeneration(joined: readonly Member[], now: number): void {
    this.#generationId += 1
    this.#version += 1
    this.#assignmentBytes = 0
    const isLeaderHere = this.members.get(this.#leaderId)?.joinTicket !== undefined
    if (!isLeaderHere) this.#leaderId = joined[0]?.memberId ?? ''
    this.#protocolName = selectProtocol(this.members) ?? ''
    this.#state = joined.length === 0 ? 'Empty' : 'CompletingRebalance'
    for (const member of this.members) {
      member.assignment = NO_BYTES
      member.hasSynced = member.joinTicket === undefined
    }
    for (const member of joined) {
      if (member.joinTicket !== undefined) this.#answerJoin(member.joinTicket, member, now)
      member.joinTicket = undefined
    }
    if (joined.length === 0) this.#clock.stop()
    else this.#clock.awaitSyncs(now, this.members.rebalanceTimeoutMs)
  }

  // ---- sync

  sync(ticket: Ticket, request: SyncRequest, now: number): void {
    const member = this.#current(request)
    const refusal = isMember(member) ? syncRefusal(this, member, request, this.#limits) : member
    if (!isMember(member) || refusal) {
      this.#replies.add(ticket, refusal ?? memberUnknown())
      return
    }
    member.hasSynced = true
    if (this.#state === 'Stable') {
      this.#answerSync(ticket, member, now)
      return
    }
    this.#replies.parkSync(ticket, member)
    if (member.memberId === this.#leaderId) this.#assign(request, now)
  }

  #assign(request: SyncRequest, now: number): void {
    for (const { memberId, assignment } of request.assignments) {
      const member = this.members.get(memberId)
      if (member) member.assignment = new Uint8Array(assignment)
    }
    this.#assignmentBytes = assignmentBytes(request)
    this.#state = 'Stable'
    this.#version += 1
    for (const member of this.members) {
      if (member.syncTicket !== undefined) this.#answerSync(member.syncTicket, member, now)
      member.syncTicket = undefined
    }
  }

  #answerSync(ticket: Ticket, member: Member, now: number): void {
    member.sessionDeadlineMs = now + member.sessionTimeoutMs
    const { protocolType, protocolName } = this
    const answer: SyncAnswer = { protocolType, protocolName, assignment: member.assignment }
    this.#replies.add(ticket, answer, this.#version)
  }

  // ---- heartbeat, commit, leave

  /** Why the member should do something else than go on; undefined when all is well. */
  heartbeat(ref: GroupMemberRef, now: number): HeadraceError | undefined {
    const member = this.#current(ref)
    if (!isMember(member)) return member
    member.sessionDeadlineMs = now + member.sessionTimeoutMs
    return this.#state === 'PreparingRebalance' ? rebalanceInProgress() : undefined
  }

  /** Why offsets may not be committed; undefined when they may. A member's commit is also a sign of life. */
  checkCommit(ref: GroupMemberRef, now: number): HeadraceError | undefined {
    if (ref.generationId < 0 && this.#state === 'Empty') return undefined
    const member = this.#current(ref)
    if (!isMember(member)) return member
    // It has joined this generation but does not know yet what it may read.
    if (this.#state === 'CompletingRebalance') return rebalanceInProgress()
    member.sessionDeadlineMs = now + member.sessionTimeoutMs
    return undefined
  }

  /** One result per member; those that left take effect together. */
  leave(leaving: readonly LeavingMember[], now: number): (HeadraceError | undefined)[] {
    const countBefore = this.members.size
    const results = leaving.map(({ memberId, groupInstanceId }) => {
      if (groupInstanceId === null && this.members.deletePending(memberId)) return undefined
      const isByName = groupInstanceId !== null && memberId === ''
      const named = isByName ? this.members.ofInstance(groupInstanceId) : undefined
      const member = named ?? this.members.find(memberId, groupInstanceId)
      if (!isMember(member)) return member
      this.#remove(member)
      return undefined
    })
    this.#afterDepartures(now, this.members.size < countBefore)
    return results
  }

  #remove(member: Member): void {
    this.#replies.fail(member, memberUnknown())
    this.members.delete(member)
    this.#version += 1
  }

  #afterDepartures(now: number, hasDeparted: boolean): void {
    if (this.#state === 'PreparingRebalance') this.#completeJoinIfAllCame(now)
    else if (hasDeparted) this.#prepareRebalance(now)
  }

  /** The member that a request of its generation speaks for, or why it does not. */
  #current({ memberId, groupInstanceId, generationId }: GroupMemberRef): Member | HeadraceError {
    const member = this.members.find(memberId, groupInstanceId)
    if (!isMember(member) || generationId === this.#generationId) return member
    return generationIllegal(generationId, this.#generationId)
  }

  // ---- time, and the end

  tick(now: number): void {
    const countBefore = this.members.size
    for (const [memberId, deadlineMs] of [...this.members.pendingDeadlines]) {
      if (deadlineMs <= now) this.members.deletePending(memberId)
    }
    const isSyncOverdue = this.#clock.isSyncOverdue(now)
    for (const member of [...this.members]) {
      const isSilent = !isWaiting(member) && member.sessionDeadlineMs <= now
      if (isSilent || (isSyncOverdue && !member.hasSynced)) this.#remove(member)
    }
    if (isSyncOverdue) this.#clock.stop()
    this.#clock.tick(now)
    this.#afterDepartures(now, this.members.size < countBefore)
    if (this.#state === 'PreparingRebalance' && this.#clock.isJoinOverdue(now)) this.#completeJoin(now)
  }

  /** The agent stood still for so long: what members sent meanwhile is still to be read, so they get time for it. */
  forgive(now: number, stoodStillMs: number): void {
    this.members.forgive(now, stoodStillMs + GRACE_MS)
    this.#clock.postpone(stoodStillMs + GRACE_MS)
  }

  /** Answers all that wait with an error: this agent coordinates the group no more. */
  failAll(error: HeadraceError): void {
    for (const member of this.members) this.#replies.fail(member, error)
  }
}
