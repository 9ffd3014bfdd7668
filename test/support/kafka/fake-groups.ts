import { HeadraceError } from '../../../engine/errors.js'
import type {
  FetchedOffset,
  GroupCoordinator,
  GroupDescription,
  GroupListing,
  GroupMemberRef,
  JoinAnswer,
  JoinRequest,
  LeavingMember,
  OffsetCommit,
  SyncAnswer,
  SyncRequest,
} from '../../../engine/groups/group-coordinator.js'
import { type PartitionRef, partitionKey } from '../../../engine/model.js'

/**
 * Groups for tests of the Kafka adapter: it keeps what is committed, and answers the rest from fields that tests fill. It
 * writes down what it was asked.
 */
export class FakeGroups implements GroupCoordinator {
  /** Thrown by whatever concerns a group as a whole. */
  failure: Error | undefined
  asked: unknown[] = []
  joinAnswer: () => Promise<JoinAnswer> = async () => ({ kind: 'member-id-required', memberId: 'made-up' })
  syncAnswer: () => Promise<SyncAnswer> = async () => ({
    protocolType: 'consumer',
    protocolName: 'range',
    assignment: new Uint8Array([1, 2, 3]),
  })
  /** By member id, group id or partition number; what is not there went well. */
  errors = new Map<string | number, HeadraceError>()
  listings: GroupListing[] = []
  descriptions = new Map<string, GroupDescription>()

  readonly #check: () => void
  readonly #offsets = new Map<string, Map<string, FetchedOffset>>()

  constructor(check: () => void) {
    this.#check = check
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    return this.#answer(request, this.joinAnswer)
  }

  sync(request: SyncRequest): Promise<SyncAnswer> {
    return this.#answer(request, this.syncAnswer)
  }

  heartbeat(member: GroupMemberRef): Promise<void> {
    return this.#answer(member, async () => {})
  }

  leave(groupId: string, members: readonly LeavingMember[]): Promise<(HeadraceError | undefined)[]> {
    return this.#answer({ groupId, members }, async () => members.map(({ memberId }) => this.errors.get(memberId)))
  }

  commitOffsets(request: OffsetCommit): Promise<(HeadraceError | undefined)[]> {
    return this.#answer(request, async () =>
      request.offsets.map((offset) => {
        const error = this.errors.get(offset.partition)
        if (error === undefined) this.#offsetsOf(request.groupId).set(keyOf(offset), offset)
        return error
      }),
    )
  }

  fetchOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<FetchedOffset[]> {
    return this.#answer({ groupId, partitions }, async () => {
      const offsets = this.#offsetsOf(groupId)
      if (partitions === undefined) return [...offsets.values()]
      return partitions.map(
        (partition) => offsets.get(keyOf(partition)) ?? { ...partition, offset: -1, leaderEpoch: -1, metadata: '' },
      )
    })
  }

  deleteOffsets(
    groupId: string,
    partitions: readonly (PartitionRef & { readonly topicName: string })[],
  ): Promise<(HeadraceError | undefined)[]> {
    return this.#answer({ groupId, partitions }, async () =>
      partitions.map((partition) => {
        const error = this.errors.get(partition.topicName)
        if (error === undefined) this.#offsetsOf(groupId).delete(keyOf(partition))
        return error
      }),
    )
  }

  list(): Promise<GroupListing[]> {
    return this.#answer('list', async () => this.listings)
  }

  describe(groupIds: readonly string[]): Promise<(GroupDescription | HeadraceError)[]> {
    const unknown = (groupId: string) => new HeadraceError('GROUP_UNKNOWN', 'never', `there is no group ${groupId}`)
    return this.#answer(groupIds, async () =>
      groupIds.map((groupId) => this.errors.get(groupId) ?? this.descriptions.get(groupId) ?? unknown(groupId)),
    )
  }

  delete(groupIds: readonly string[]): Promise<(HeadraceError | undefined)[]> {
    return this.#answer(groupIds, async () => groupIds.map((groupId) => this.errors.get(groupId)))
  }

  async #answer<T>(asked: unknown, answer: () => Promise<T>): Promise<T> {
    this.#check()
    this.asked.push(asked)
    if (this.failure !== undefined) throw this.failure
    return answer()
  }

  #offsetsOf(groupId: string): Map<string, FetchedOffset> {
    const offsets = this.#offsets.get(groupId) ?? new Map<string, FetchedOffset>()
    this.#offsets.set(groupId, offsets)
    return offsets
  }
}

function keyOf({ topicId, partition }: PartitionRef): string {
  return partitionKey(topicId, partition)
}
