import type { HeadraceError } from '../errors.js'
import type { GroupProtocol, JoinRequest } from './group-coordinator.js'
import { memberFenced, memberUnknown } from './group-errors.js'

/** Names a request that waits for its answer; the state machine hands it back with the answer. */
export type Ticket = number

export interface Member {
  memberId: string
  readonly groupInstanceId: string | null
  clientId: string
  clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  /** In the member's order of preference. */
  protocols: readonly GroupProtocol[]
  assignment: Uint8Array
  /** No join of it was answered yet: nobody but this agent knows it. */
  isNew: boolean
  /** Requests that wait. While one does, the session does not run out. */
  joinTicket: Ticket | undefined
  syncTicket: Ticket | undefined
  /** Has asked for its assignment of this generation, or need not. */
  hasSynced: boolean
  sessionDeadlineMs: number
}

/** Shown to people only. */
const CLIENT_TEXT_CHARS_MAX = 255

/** What a member costs beside what it brought. */
const MEMBER_BYTES = 512

/** The members of a group, in the order they came, and the ids given to those who have not come yet. */
export class GroupMembers implements Iterable<Member> {
  readonly #members = new Map<string, Member>()
  readonly #memberIdOfInstance = new Map<string, string>()
  readonly #pendingDeadlines = new Map<string, number>()
  /** How many members know each protocol: a rebalance of a thousand members must not compare each with each. */
  readonly #knownBy = new Map<string, number>()
  #metadataBytes = 0

  get size(): number {
    return this.#members.size
  }

  get pendingCount(): number {
    return this.#pendingDeadlines.size
  }

  /** Bytes of protocols that members brought. */
  get metadataBytes(): number {
    return this.#metadataBytes
  }

  /** Roughly what all this takes in memory, assignments aside. */
  get bytes(): number {
    return this.#metadataBytes + (this.size + this.pendingCount) * MEMBER_BYTES
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values()
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId)
  }

  ofInstance(groupInstanceId: string): Member | undefined {
    const memberId = this.#memberIdOfInstance.get(groupInstanceId)
    return memberId === undefined ? undefined : this.#members.get(memberId)
  }

  /** The member that a request speaks for, or why it does not. */
  find(memberId: string, groupInstanceId: string | null): Member | HeadraceError {
    if (groupInstanceId !== null) {
      const current = this.#memberIdOfInstance.get(groupInstanceId)
      if (current === undefined) return memberUnknown()
      if (current !== memberId) return memberFenced()
    }
    return this.#members.get(memberId) ?? memberUnknown()
  }

  /** Whether all members except `self` know the protocol. */
  knowAllBut(self: Member | undefined, protocolName: string): boolean {
    const knowsItself = self?.protocols.some(({ name }) => name === protocolName)
    const others = this.#members.size - (self === undefined ? 0 : 1)
    return (this.#knownBy.get(protocolName) ?? 0) - (knowsItself ? 1 : 0) === others
  }

  add(member: Member): void {
    this.#members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.#memberIdOfInstance.set(member.groupInstanceId, member.memberId)
    this.#count(member.protocols, 1)
  }

  delete(member: Member): void {
    if (!this.#members.delete(member.memberId)) return
    if (member.groupInstanceId !== null) this.#memberIdOfInstance.delete(member.groupInstanceId)
    this.#count(member.protocols, -1)
  }

  /** A process takes over its predecessor's place under an id of its own. */
  rename(member: Member, memberId: string): void {
    this.delete(member)
    member.memberId = memberId
    this.add(member)
  }

  update(member: Member, request: JoinRequest): void {
    this.#count(member.protocols, -1)
    Object.assign(member, broughtBy(request))
    this.#count(member.protocols, 1)
  }

  #count(protocols: readonly GroupProtocol[], sign: 1 | -1): void {
    this.#metadataBytes += sign * protocolBytes(protocols)
    for (const name of new Set(protocols.map(({ name }) => name))) {
      const count = (this.#knownBy.get(name) ?? 0) + sign
      if (count === 0) this.#knownBy.delete(name)
      else this.#knownBy.set(name, count)
    }
  }

  /** The longest that any of them may take to join again. */
  get rebalanceTimeoutMs(): number {
    let timeoutMs = 0
    for (const member of this.#members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs)
    return timeoutMs
  }

  // ---- ids given, not used yet

  addPending(memberId: string, deadlineMs: number): void {
    this.#pendingDeadlines.set(memberId, deadlineMs)
  }

  deletePending(memberId: string): boolean {
    return this.#pendingDeadlines.delete(memberId)
  }

  /** Sessions begin anew; ids that were given last longer by `ms`. */
  forgive(now: number, ms: number): void {
    for (const member of this.#members.values()) member.sessionDeadlineMs = now + member.sessionTimeoutMs
    for (const [memberId, deadlineMs] of this.#pendingDeadlines) this.#pendingDeadlines.set(memberId, deadlineMs + ms)
  }

  get pendingDeadlines(): Iterable<readonly [string, number]> {
    return this.#pendingDeadlines
  }
}

export function newMember(memberId: string, request: JoinRequest): Member {
  return {
    memberId,
    groupInstanceId: request.groupInstanceId,
    ...broughtBy(request),
    assignment: NO_BYTES,
    isNew: true,
    joinTicket: undefined,
    syncTicket: undefined,
    hasSynced: false,
    sessionDeadlineMs: 0,
  }
}

export function isMember(found: Member | HeadraceError): found is Member {
  return !(found instanceof Error)
}

export const NO_BYTES = new Uint8Array()

/** Copied: the request's bytes are views of memory that goes on to other requests. */
function broughtBy(request: JoinRequest) {
  const { sessionTimeoutMs } = request
  const clientId = request.clientId.slice(0, CLIENT_TEXT_CHARS_MAX)
  const clientHost = request.clientHost.slice(0, CLIENT_TEXT_CHARS_MAX)
  const rebalanceTimeoutMs = request.rebalanceTimeoutMs > 0 ? request.rebalanceTimeoutMs : sessionTimeoutMs
  const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) }))
  return { clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols }
}

export function protocolBytes(protocols: readonly GroupProtocol[]): number {
  return protocols.reduce((bytes, { name, metadata }) => bytes + name.length + metadata.byteLength, 0)
}
