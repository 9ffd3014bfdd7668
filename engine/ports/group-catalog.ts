import type { PartitionRef } from '../model.js'

/**
 * The part of the catalog that keeps consumer groups: their state, opaque here, and the offsets they committed. It extends
 * `Catalog` and shares its contract of errors, clocks and concurrency. Executable as `test/conformance/catalog-groups.ts`.
 *
 * A group has one writer: whoever claimed it last. Each claim bumps the group's epoch, and everything that changes the
 * group names its claim; with an older one it changes nothing and throws NOT_COORDINATOR. So an agent that was replaced
 * without noticing can neither save nor commit. The group's row is locked while offsets are written, so a claim that
 * has been answered sees all that the former claims committed, and nothing of theirs comes later.
 *
 * Every change here may be repeated under its claim, also after CATALOG_OUTCOME_UNKNOWN: repeated, it changes nothing more.
 */
export interface GroupCatalog {
  /**
   * Takes the group over, from whoever had it, and answers what was saved last. Undefined: there is no such group, and
   * `create` is false. Group ids are compared byte by byte.
   */
  claimGroup(groupId: string, options: { readonly create: boolean }): Promise<ClaimedGroup | undefined>

  /** @throws NOT_COORDINATOR */
  saveGroup(claim: GroupClaim, group: StoredGroup): Promise<void>

  /**
   * Writes all offsets whose partitions exist, in one transaction and a number of statements that does not grow with them.
   * Answers for each, in order, whether its partition exists. Of the same partition named twice the last one counts.
   * @throws NOT_COORDINATOR
   */
  commitGroupOffsets(claim: GroupClaim, offsets: readonly GroupOffset[]): Promise<boolean[]>

  /**
   * What is committed for the partitions asked for, or for all that exist, in no particular order. Partitions without
   * a committed offset are absent, and so is everything of a group that is not there. Needs no claim.
   */
  readGroupOffsets(groupId: string, partitions?: readonly PartitionRef[]): Promise<GroupOffset[]>

  /** @throws NOT_COORDINATOR */
  deleteGroupOffsets(claim: GroupClaim, partitions: readonly PartitionRef[]): Promise<void>

  /** The group and its offsets. That it is gone already is fine. @throws NOT_COORDINATOR when it was claimed since. */
  deleteGroup(claim: GroupClaim): Promise<void>

  /** All groups, in no particular order. */
  listGroups(): Promise<GroupRow[]>

  /**
   * Deletes, offsets included, at most `limit` groups whose saved state is Empty and that were neither saved nor committed to for
   * `retentionMs`, or for `unusedMs` where they have no offsets. Answers how many went. Needs no claim: a group in that
   * state has nobody who would miss it.
   */
  expireGroups(limits: GroupExpiry): Promise<number>

  /**
   * Deletes the group's offsets that are older than `retentionMs` and whose topic is not one of `topicNames`, and those of
   * topics that are gone. Answers how many went. @throws NOT_COORDINATOR
   */
  expireGroupOffsets(claim: GroupClaim, retentionMs: number, topicNames: ReadonlySet<string>): Promise<number>
}

/** The right to change a group, until it is claimed again. A group made again after it was deleted has another number. */
export interface GroupClaim {
  readonly groupNo: number
  readonly coordinatorEpoch: number
}

export interface ClaimedGroup {
  readonly claim: GroupClaim
  readonly group: StoredGroup
}

export interface StoredGroup {
  /** Empty until a member brings one; 255 bytes of UTF-8 at most. */
  readonly protocolType: string
  /** A name of Kafka's group states, 32 letters at most. New groups are `Empty`. */
  readonly state: string
  /** Written and read by the engine; empty for a new group. 6 MiB at most. */
  readonly record: Uint8Array
}

export interface GroupRow {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
}

export interface GroupOffset extends PartitionRef {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  /** 4096 bytes of UTF-8 at most. */
  readonly metadata: string
}

export interface GroupExpiry {
  readonly retentionMs: number
  readonly unusedMs: number
  readonly limit: number
}

/** The state of a group without members: the only one the catalog knows the meaning of. */
export const GROUP_STATE_EMPTY = 'Empty'
