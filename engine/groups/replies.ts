import type { HeadraceError } from '../errors.js'
import type { JoinAnswer, SyncAnswer } from './group-coordinator.js'
import { rebalanceInProgress } from './group-errors.js'
import type { Member, Ticket } from './group-members.js'

/** An answer to a request that waited. It may leave once the group is saved in `afterVersion` or a later version. */
export interface Reply {
  readonly ticket: Ticket
  readonly answer: JoinAnswer | SyncAnswer | HeadraceError
  readonly afterVersion: number
}

/** Answers on their way out of a group, and who still waits for one: each ticket gets exactly one. */
export class Replies {
  #replies: Reply[] = []

  /** Those that became known since the last call, in order. */
  take(): readonly Reply[] {
    const replies = this.#replies
    if (replies.length > 0) this.#replies = []
    return replies
  }

  add(ticket: Ticket, answer: Reply['answer'], afterVersion = 0): void {
    this.#replies.push({ ticket, answer, afterVersion })
  }

  /** The member's request waits; one that came before on another connection has nobody who listens. */
  parkJoin(ticket: Ticket, member: Member): void {
    if (member.joinTicket !== undefined) this.add(member.joinTicket, rebalanceInProgress())
    member.joinTicket = ticket
  }

  parkSync(ticket: Ticket, member: Member): void {
    if (member.syncTicket !== undefined) this.add(member.syncTicket, rebalanceInProgress())
    member.syncTicket = ticket
  }

  failSync(member: Member, error: HeadraceError): void {
    if (member.syncTicket !== undefined) this.add(member.syncTicket, error)
    member.syncTicket = undefined
  }

  fail(member: Member, error: HeadraceError): void {
    if (member.joinTicket !== undefined) this.add(member.joinTicket, error)
    member.joinTicket = undefined
    this.failSync(member, error)
  }
}

export function isWaiting({ joinTicket, syncTicket }: Member): boolean {
  return joinTicket !== undefined || syncTicket !== undefined
}
