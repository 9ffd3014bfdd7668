import type { HeadraceError } from '../errors.js'
import type { PartitionRef } from '../model.js'

/**
 * Consumer groups as protocol adapters see them: Kafka's classic protocol. A group is run by one agent at a time, its
 * coordinator; its state is in the catalog and fenced, so that another agent can take over and the former one cannot commit.
 *
 * Errors are `HeadraceError`s, thrown where they concern the request and in the result where they concern a part of it:
 * GROUP_ID_INVALID, NOT_COORDINATOR (ask again who is), COORDINATOR_UNAVAILABLE (the catalog does not answer: retry),
 * MEMBER_UNKNOWN, MEMBER_FENCED (another process has this group instance id), GENERATION_ILLEGAL, REBALANCE_IN_PROGRESS,
 * PROTOCOL_INCONSISTENT, SESSION_TIMEOUT_INVALID, GROUP_FULL, GROUP_UNKNOWN, GROUP_NOT_EMPTY, GROUP_SUBSCRIBED,
 * OFFSET_METADATA_TOO_LARGE, PARTITION_UNKNOWN.
 */
export interface GroupCoordinator {
  /**
   * Enters a member and answers when the rebalance has ended, or at once with `memberIdRequired`. The leader's answer alone
   * carries the members. Errors carry no member id: the caller answers with the one it was given.
   */
  join(request: JoinRequest): Promise<JoinAnswer>
  /** The leader brings the assignments; everybody's answer waits for them. */
  sync(request: SyncRequest): Promise<SyncAnswer>
  /** @throws REBALANCE_IN_PROGRESS when the member should join again. */
  heartbeat(member: GroupMemberRef): Promise<void>
  /** One result per member, in order; undefined: it left. */
  leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly (HeadraceError | undefined)[]>

  /** One result per offset, in order; undefined: committed. All accepted ones are committed in one transaction. */
  commitOffsets(request: OffsetCommit): Promise<readonly (HeadraceError | undefined)[]>
  /** In the order asked; without `partitions` all that the group has committed. Any agent may answer. */
  fetchOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<readonly FetchedOffset[]>
  /** One result per partition, in order. @throws GROUP_UNKNOWN; result GROUP_SUBSCRIBED where a member reads the topic. */
  deleteOffsets(
    groupId: string,
    partitions: readonly (PartitionRef & { readonly topicName: string })[],
  ): Promise<readonly (HeadraceError | undefined)[]>

  /** The groups this agent coordinates, so that the answers of all agents together name each group once. */
  list(): Promise<readonly GroupListing[]>
  /** One per id, in order. A group nobody knows: GROUP_UNKNOWN. */
  describe(groupIds: readonly string[]): Promise<readonly (GroupDescription | HeadraceError)[]>
  /** One per id, in order; undefined: deleted, its offsets with it. */
  delete(groupIds: readonly string[]): Promise<readonly (HeadraceError | undefined)[]>
}

/** As Kafka writes them. */
export type GroupState = 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Empty' | 'Dead'

export interface GroupMemberRef {
  readonly groupId: string
  readonly memberId: string
  /** The static member's name (KIP-345). */
  readonly groupInstanceId: string | null
  readonly generationId: number
}

export interface GroupProtocol {
  readonly name: string
  /** The member's subscription, opaque here but for the topics in it (`protocolType` "consumer"). */
  readonly metadata: Uint8Array
}

export interface JoinRequest {
  readonly groupId: string
  /** Empty: a new member. */
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** In the member's order of preference. */
  readonly protocols: readonly GroupProtocol[]
  /** The client knows MEMBER_ID_REQUIRED (JoinGroup 4, KIP-394): it is given its id first and joins with it. */
  readonly memberIdRequiredKnown: boolean
  /** The client knows that a leader may be told to assign nothing (JoinGroup 9, KIP-814). */
  readonly skipAssignmentKnown: boolean
}

export type JoinAnswer =
  | { readonly kind: 'member-id-required'; readonly memberId: string }
  | {
      readonly kind: 'joined'
      readonly memberId: string
      readonly generationId: number
      readonly protocolType: string
      readonly protocolName: string
      readonly leaderId: string
      readonly skipAssignment: boolean
      /** Of everybody else: none. */
      readonly members: readonly JoinedMember[]
    }

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Uint8Array
}

export interface SyncRequest extends GroupMemberRef {
  /** Null where the client's version does not say (SyncGroup below 5); else they must be the group's. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export interface SyncAnswer {
  readonly protocolType: string
  readonly protocolName: string
  readonly assignment: Uint8Array
}

export interface LeavingMember {
  /** May be empty where a static member is removed by its name, as admin tools do. */
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface OffsetCommit extends GroupMemberRef {
  /** Generation -1 and member "" come from consumers that assign themselves: legal while the group has no members. */
  readonly offsets: readonly OffsetToCommit[]
}

export interface OffsetToCommit extends PartitionRef {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface FetchedOffset extends PartitionRef {
  /** -1: nothing committed. */
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly state: GroupState
}

export interface GroupDescription extends GroupListing {
  /** Empty unless the group is stable. */
  readonly protocolName: string
  readonly members: readonly DescribedMember[]
}

export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Uint8Array
  readonly assignment: Uint8Array
}
