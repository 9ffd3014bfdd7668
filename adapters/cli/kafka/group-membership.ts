import type { Consumer } from '@platformatic/kafka'
import { errorCodesOf } from './client-failure.js'
import type { Offsets } from './offset-spec.js'

/** Commits that come too late for a rebalance: the partitions' new owners start at the offsets before. */
const TOO_LATE = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']

/**
 * A consumer's place in its group: joins, and tells when partitions have been given out anew. The library answers heartbeats
 * and rebalances by itself, but knows one coordinator for all its life: once that does not answer heartbeats, or another agent
 * has taken over, the place is lost, and only another consumer can join again.
 */
export class GroupMembership {
  #generation = 0
  #lost = false
  #committed: Offsets = new Map()

  private constructor(
    private readonly consumer: Consumer,
    private readonly topic: string,
  ) {
    consumer.on('consumer:group:join', () => {
      this.#generation += 1
    })
    consumer.on('consumer:heartbeat:error', () => {
      this.#lost = true
    })
  }

  /** `memberId` is that of a place that was lost: without it the group would wait for a member that never comes back. */
  static async join(consumer: Consumer, topic: string, memberId: string | null): Promise<GroupMembership> {
    const membership = new GroupMembership(consumer, topic)
    consumer.topics.track(topic)
    consumer.memberId = memberId
    await consumer.joinGroup({})
    return membership
  }

  /** Changes with each rebalance. */
  get generation(): number {
    return this.#generation
  }

  get lost(): boolean {
    return this.#lost
  }

  get memberId(): string | null {
    return this.consumer.memberId
  }

  partitions(): number[] {
    const assigned = this.consumer.assignments ?? []
    return assigned.filter(({ topic }) => topic === this.topic).flatMap(({ partitions }) => partitions)
  }

  /** Committed offsets of the assigned partitions; those without one are absent. */
  async committed(): Promise<Offsets> {
    const partitions = this.partitions()
    if (partitions.length === 0) return new Map()
    const answer = await this.consumer.listCommittedOffsets({ topics: [{ topic: this.topic, partitions }] })
    const offsets = answer.get(this.topic) ?? []
    const found = partitions.map((partition): [number, bigint] => [partition, offsets[partition] ?? -1n])
    this.#committed = new Map(found.filter(([, offset]) => offset >= 0n))
    return new Map(this.#committed)
  }

  /** Commits what has moved since the last time. A commit that a rebalance has overtaken is dropped. */
  async commit(positions: Offsets): Promise<void> {
    const moved = [...positions].filter(([partition, offset]) => this.#committed.get(partition) !== offset)
    if (moved.length === 0) return
    const offsets = moved.map(([partition, offset]) => ({ topic: this.topic, partition, offset, leaderEpoch: -1 }))
    try {
      await this.consumer.commit({ offsets })
      for (const [partition, offset] of moved) this.#committed.set(partition, offset)
    } catch (error) {
      if (!errorCodesOf(error).some((code) => TOO_LATE.includes(code))) throw error
    }
  }
}
