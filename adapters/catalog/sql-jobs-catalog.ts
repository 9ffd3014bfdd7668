import type { SegmentId, TopicId } from '../../engine/model.js'
import type { CommitLimits } from '../../engine/ports/catalog.js'
import type {
  ExtentRef,
  JobsCatalog,
  Lease,
  LeaseRest,
  LiveSegmentsRequest,
  LiveUse,
  LogHead,
  OldestExtentsRequest,
  Removal,
  SegmentExtent,
  SegmentInfo,
  SegmentSwap,
  SegmentTotal,
  SwapOutcome,
} from '../../engine/ports/jobs-catalog.js'
import * as compaction from './compaction.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { removeExtents } from './extent-removal.js'
import * as leases from './leases.js'
import type { PartitionNumbers } from './partition-numbers.js'
import * as retention from './retention.js'
import * as segmentRows from './segment-rows.js'
import { swapSegments } from './swap.js'

/** The part of the catalog that background jobs use. */
export class SqlJobsCatalog implements JobsCatalog {
  readonly #database: Database
  readonly #numbers: PartitionNumbers

  constructor(database: Database, numbers: PartitionNumbers) {
    this.#database = database
    this.#numbers = numbers
  }

  databaseTimeMs(): Promise<number> {
    return this.#read(segmentRows.databaseTimeMs)
  }

  acquireLease(name: string, holder: string, durationMs: number): Promise<Lease | undefined> {
    return leases.acquireLease(this.#database, name, holder, durationMs)
  }

  renewLease(lease: Lease, durationMs: number): Promise<boolean> {
    return leases.renewLease(this.#database, lease, durationMs)
  }

  releaseLease(lease: Lease, rest?: LeaseRest): Promise<void> {
    return leases.releaseLease(this.#database, lease, rest)
  }

  noteLease(name: string, note: string): Promise<void> {
    return leases.noteLease(this.#database, name, note)
  }

  oldestExtents(requests: readonly OldestExtentsRequest[]): Promise<(LogHead | undefined)[]> {
    return this.#read((dialect, session) => retention.oldestExtents(dialect, session, this.#numbers, requests))
  }

  removeExtents(extents: readonly ExtentRef[]): Promise<Removal> {
    return removeExtents(this.#database, this.#numbers, extents)
  }

  deletedTopics(limit: number): Promise<TopicId[]> {
    return this.#database.read((session) => retention.deletedTopics(session, limit))
  }

  clearDeletedTopic(topicId: TopicId, extentCountMax: number): Promise<Removal & { readonly done: boolean }> {
    return retention.clearDeletedTopic(this.#database, topicId, extentCountMax)
  }

  liveSegments(request: LiveSegmentsRequest): Promise<SegmentInfo[]> {
    return this.#database.read((session) => compaction.liveSegments(session, request))
  }

  extentsOfSegments(segmentIds: readonly SegmentId[]): Promise<SegmentExtent[]> {
    return this.#read((dialect, session) => compaction.extentsOfSegments(dialect, session, segmentIds))
  }

  swapSegments(swap: SegmentSwap, limits: CommitLimits): Promise<SwapOutcome> {
    return swapSegments(this.#database, this.#numbers, swap, limits.commitAgeMaxMs)
  }

  deadSegments(graceMs: number, limit: number): Promise<SegmentInfo[]> {
    return this.#read((dialect, session) => segmentRows.deadSegments(dialect, session, graceMs, limit))
  }

  markObjectsDeleted(segmentIds: readonly SegmentId[]): Promise<void> {
    return segmentRows.markObjectsDeleted(this.#database, segmentIds)
  }

  forgetSegments(ageMinMs: number, limit: number): Promise<number> {
    return segmentRows.forgetSegments(this.#database, ageMinMs, limit)
  }

  orphansAmong(segmentIds: readonly SegmentId[], ageMinMs: number): Promise<SegmentId[]> {
    return this.#read((dialect, session) => segmentRows.orphansAmong(dialect, session, segmentIds, ageMinMs))
  }

  newestSegmentId(): Promise<SegmentId | undefined> {
    return this.#database.read(segmentRows.newestSegmentId)
  }

  segmentTotals(): Promise<SegmentTotal[]> {
    return this.#read(segmentRows.segmentTotals)
  }

  liveUseOf(segmentIds: readonly SegmentId[]): Promise<LiveUse[]> {
    return this.#read((dialect, session) => segmentRows.liveUseOf(dialect, session, segmentIds))
  }

  #read<Result>(work: (dialect: Dialect, session: Session) => Promise<Result>): Promise<Result> {
    return this.#database.read((session) => work(this.#database.dialect, session))
  }
}
