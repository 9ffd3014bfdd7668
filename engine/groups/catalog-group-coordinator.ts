import { type HeadraceError, isHeadraceError } from '../errors.js'
import { type PartitionRef, partitionKey } from '../model.js'
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
import { groupUnknown, memberUnknown } from './group-errors.js'
import { failureOf } from './group-lane.js'
import {
  checkGroupId,
  checkInstanceId,
  checkMemberGroupId,
  checkProtocolType,
  checkSessionTimeout,
} from './group-request-rules.js'
import type { RunningGroup } from './running-group.js'
import { RunningGroups, type RunningGroupsOptions } from './running-groups.js'

/**
 * Answers for the groups of which the cluster's picture says that this agent coordinates them: what concerns members by those
 * that run here, what was committed and which groups there are by the catalog.
 *
 * Lifecycle: made once per agent; `close` answers all who wait NOT_COORDINATOR, so that clients move on at once.
 */
export class CatalogGroupCoordinator implements GroupCoordinator {
  readonly #options: RunningGroupsOptions
  readonly #groups: RunningGroups

  constructor(options: RunningGroupsOptions) {
    this.#options = options
    this.#groups = new RunningGroups(options)
  }

  // ---- members

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { groupId, groupInstanceId, sessionTimeoutMs, memberId } = request
    checkMemberGroupId(groupId)
    checkInstanceId(groupInstanceId)
    checkSessionTimeout(sessionTimeoutMs, this.#options.limits)
    checkProtocolType(request.protocolType)
    // A member that has an id knows the group; if it is gone, nobody makes it again under the old id.
    const group = await this.#groups.use(groupId, memberId === '')
    if (!group) throw memberUnknown()
    if (memberId === '') this.#groups.checkMemory()
    return group.join(request)
  }

  async sync(request: SyncRequest): Promise<SyncAnswer> {
    checkMemberGroupId(request.groupId)
    const group = await this.#groups.use(request.groupId)
    if (!group) throw memberUnknown()
    return group.sync(request)
  }

  async heartbeat(member: GroupMemberRef): Promise<void> {
    checkMemberGroupId(member.groupId)
    const group = await this.#groups.use(member.groupId)
    if (!group) throw memberUnknown()
    group.heartbeat(member)
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly (HeadraceError | undefined)[]> {
    checkMemberGroupId(groupId)
    const group = await this.#groups.use(groupId)
    return group ? group.leave(members) : members.map(() => memberUnknown())
  }

  // ---- offsets

  async commitOffsets(request: OffsetCommit): Promise<readonly (HeadraceError | undefined)[]> {
    checkGroupId(request.groupId)
    const group = await this.#groups.use(request.groupId, request.generationId < 0)
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
    const group = await this.#groups.use(groupId)
    if (!group) throw groupUnknown(groupId)
    return group.deleteOffsets(partitions)
  }

  // ---- groups

  async list(): Promise<readonly GroupListing[]> {
    const rows = await this.#read(() => this.#options.catalog.listGroups())
    return rows
      .filter(({ groupId }) => this.#groups.isOurs(groupId))
      .map(({ groupId, protocolType, state }) => {
        const machine = this.#groups.find(groupId)?.machine
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
          const group = await this.#groups.use(groupId)
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
    return this.#groups.all
  }

  /** Takes groups into memory that nobody asks for: their members have sessions, which must run out somewhere. */
  async adopt(groupId: string): Promise<void> {
    await this.#groups.use(groupId)
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#groups.close()
  }

  async #read<Result>(read: () => Promise<Result>): Promise<Result> {
    try {
      return await read()
    } catch (error) {
      throw failureOf(error)
    }
  }
}
