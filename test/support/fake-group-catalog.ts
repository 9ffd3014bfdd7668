import { HeadraceError } from '../../engine/errors.js'
import { type PartitionRef, partitionKey, type Topic, type TopicId } from '../../engine/model.js'
import {
  type ClaimedGroup,
  GROUP_STATE_EMPTY,
  type GroupCatalog,
  type GroupClaim,
  type GroupExpiry,
  type GroupOffset,
  type GroupRow,
  type StoredGroup,
} from '../../engine/ports/group-catalog.js'

interface FakeGroup {
  readonly groupNo: number
  coordinatorEpoch: number
  stored: StoredGroup
  activeAtMs: number
  readonly offsets: Map<string, GroupOffset & { readonly committedAtMs: number }>
}

/** The groups of a `FakeCatalog`. */
export class FakeGroupCatalog implements GroupCatalog {
  readonly #groups = new Map<string, FakeGroup>()
  #nextGroupNo = 1

  constructor(
    private readonly nowMs: () => number,
    private readonly topicOf: (topicId: TopicId) => Topic | undefined,
  ) {}

  async claimGroup(groupId: string, { create }: { readonly create: boolean }): Promise<ClaimedGroup | undefined> {
    let group = this.#groups.get(groupId)
    if (group === undefined) {
      if (!create) return undefined
      const stored = { protocolType: '', state: GROUP_STATE_EMPTY, record: new Uint8Array() }
      const groupNo = this.#nextGroupNo++
      group = { groupNo, coordinatorEpoch: 0, stored, activeAtMs: this.nowMs(), offsets: new Map() }
      this.#groups.set(groupId, group)
    }
    group.coordinatorEpoch += 1
    const claim = { groupNo: group.groupNo, coordinatorEpoch: group.coordinatorEpoch }
    return { claim, group: { ...group.stored, record: group.stored.record.slice() } }
  }

  async saveGroup(claim: GroupClaim, stored: StoredGroup): Promise<void> {
    const group = this.#claimed(claim)
    group.stored = { ...stored, record: stored.record.slice() }
    group.activeAtMs = this.nowMs()
  }

  async commitGroupOffsets(claim: GroupClaim, offsets: readonly GroupOffset[]): Promise<boolean[]> {
    const group = this.#claimed(claim)
    group.activeAtMs = this.nowMs()
    return offsets.map((offset) => {
      const count = this.topicOf(offset.topicId)?.partitionCount ?? 0
      if (!(offset.partition >= 0 && offset.partition < count)) return false
      group.offsets.set(partitionKey(offset.topicId, offset.partition), { ...offset, committedAtMs: this.nowMs() })
      return true
    })
  }

  async readGroupOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<GroupOffset[]> {
    const offsets = this.#groups.get(groupId)?.offsets
    if (offsets === undefined) return []
    const wanted = partitions && new Set(partitions.map(({ topicId, partition }) => partitionKey(topicId, partition)))
    return [...offsets]
      .filter(([key]) => wanted?.has(key) ?? true)
      .map(([, { committedAtMs: _, ...offset }]) => ({ ...offset }))
  }

  async deleteGroupOffsets(claim: GroupClaim, partitions: readonly PartitionRef[]): Promise<void> {
    const { offsets } = this.#claimed(claim)
    for (const { topicId, partition } of partitions) offsets.delete(partitionKey(topicId, partition))
  }

  async deleteGroup(claim: GroupClaim): Promise<void> {
    for (const [groupId, { groupNo }] of this.#groups) {
      if (groupNo !== claim.groupNo) continue
      this.#claimed(claim)
      this.#groups.delete(groupId)
    }
  }

  async listGroups(): Promise<GroupRow[]> {
    return [...this.#groups].map(([groupId, { stored }]) => {
      return { groupId, protocolType: stored.protocolType, state: stored.state }
    })
  }

  async expireGroups({ retentionMs, unusedMs, limit }: GroupExpiry): Promise<number> {
    const expired = [...this.#groups].filter(([, { stored, activeAtMs, offsets }]) => {
      const ageMs = this.nowMs() - activeAtMs
      return stored.state === GROUP_STATE_EMPTY && (ageMs > retentionMs || (ageMs > unusedMs && offsets.size === 0))
    })
    for (const [groupId] of expired.slice(0, limit)) this.#groups.delete(groupId)
    return Math.min(expired.length, limit)
  }

  async expireGroupOffsets(claim: GroupClaim, retentionMs: number, topicNames: ReadonlySet<string>): Promise<number> {
    const { offsets } = this.#claimed(claim)
    const expired = [...offsets].filter(([, { topicId, committedAtMs }]) => {
      const old = this.nowMs() - committedAtMs > retentionMs
      return old && !topicNames.has(this.topicOf(topicId)?.name ?? '')
    })
    for (const [key] of expired) offsets.delete(key)
    return expired.length
  }

  forgetTopic(topicId: TopicId): void {
    for (const { offsets } of this.#groups.values()) {
      for (const [key, offset] of offsets) if (offset.topicId === topicId) offsets.delete(key)
    }
  }

  #claimed(claim: GroupClaim): FakeGroup {
    for (const group of this.#groups.values()) {
      const same = group.groupNo === claim.groupNo && group.coordinatorEpoch === claim.coordinatorEpoch
      if (same) return group
    }
    throw new HeadraceError('NOT_COORDINATOR', 'never', 'another agent coordinates this group now')
  }
}
