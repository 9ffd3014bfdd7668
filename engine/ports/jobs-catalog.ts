import type { PartitionRef, SegmentId, TopicId } from '../model.js'
import type { Extent, ExtentPlace, PartitionOffsets } from './catalog.js'

/**
 * The catalog as the background jobs see it: leases, retention, compaction, deletion of objects, the orphan sweep. Errors and
 * retries are as for the rest of the port. Every method is bounded by its arguments and safe beside any other.
 *
 * Who removes or replaces extents locks their segments first, in the order of their ids: a segment's row is the lock of its
 * extents and of their count. No partition is locked while extents are removed.
 */
export interface JobsCatalog {
  /** Milliseconds since the Unix epoch by the database's clock. */
  databaseTimeMs(): Promise<number>

  // ---- leases

  /**
   * Takes the lease if nobody holds it, its holder has let it expire, or its rest is over; also where `holder` has it
   * already, which resolves an unknown outcome. Undefined: somebody else works, or it rests.
   */
  acquireLease(name: string, holder: string, durationMs: number): Promise<Lease | undefined>
  /** False when the lease has passed to somebody else: stop working. */
  renewLease(lease: Lease, durationMs: number): Promise<boolean>
  /** Gives the lease back; nobody gets it before `restMs` have passed. Does nothing when it has passed on meanwhile. */
  releaseLease(lease: Lease, rest?: LeaseRest): Promise<void>
  /** Leaves a note to whoever takes the lease next, whoever holds it now. */
  noteLease(name: string, note: string): Promise<void>

  // ---- retention

  /**
   * The oldest extents of each partition, in order, below its log start too; undefined where the partition does not exist. One
   * consistent picture per partition; few statements.
   */
  oldestExtents(requests: readonly OldestExtentsRequest[]): Promise<(LogHead | undefined)[]>
  /**
   * Removes those of `extents` that are still as given and wholly below the log start, or whose partition is gone; others stay.
   * A segment that loses its last extent is dead in the same transaction.
   */
  removeExtents(extents: readonly ExtentRef[]): Promise<Removal>
  /** Topics that are deleted and not cleared away yet, the longest deleted first. */
  deletedTopics(limit: number): Promise<TopicId[]>
  /** Removes some of a deleted topic's extents, and its last trace when none are left. */
  clearDeletedTopic(topicId: TopicId, extentCountMax: number): Promise<Removal & { readonly done: boolean }>

  // ---- compaction

  /** Live segments of a level, the oldest id first, with ids greater than `after`. */
  liveSegments(request: LiveSegmentsRequest): Promise<SegmentInfo[]>
  /** All extents of the given segments, also those below log starts or of deleted topics. */
  extentsOfSegments(segmentIds: readonly SegmentId[]): Promise<SegmentExtent[]>
  /**
   * Puts a segment written by compaction in the place of its inputs, in one transaction. Idempotent by the output's id, which is how
   * an unknown outcome is resolved. Extents of the inputs that are not replaced must be below their log start or of a deleted
   * topic, and go; so do replacements of which nothing is left above the log start. In any other case nothing happens.
   */
  swapSegments(swap: SegmentSwap, limits: { readonly commitAgeMaxMs: number }): Promise<SwapOutcome>

  // ---- deletion

  /** Dead segments whose grace is over, a bounded number. */
  deadSegments(graceMs: number, limit: number): Promise<SegmentInfo[]>
  /** Their objects are confirmed to be gone. */
  markObjectsDeleted(segmentIds: readonly SegmentId[]): Promise<void>
  /** Removes rows of segments whose object is gone and whose id is older than `ageMinMs`; answers how many. */
  forgetSegments(ageMinMs: number, limit: number): Promise<number>

  // ---- sweep

  /** Those of `segmentIds` that no row claims an object for and whose id is older than `ageMinMs`. */
  orphansAmong(segmentIds: readonly SegmentId[], ageMinMs: number): Promise<SegmentId[]>
  /** The greatest segment id there is: tells whether anything was written since the last sweep. */
  newestSegmentId(): Promise<SegmentId | undefined>

  // ---- inspection

  /** Counts and sizes by state and level. */
  segmentTotals(): Promise<SegmentTotal[]>
  /** What extents point at in each segment, in order. */
  liveUseOf(segmentIds: readonly SegmentId[]): Promise<LiveUse[]>
}

export interface Lease {
  readonly name: string
  readonly holder: string
  /** Grows each time the lease changes hands. */
  readonly token: number
  /** What the last release wrote; '' at first. */
  readonly note: string
}

export interface LeaseRest {
  readonly restMs: number
  /** Kept for the next holder, at most 255 characters; by default the old one stays. */
  readonly note?: string
}

export interface OldestExtentsRequest extends PartitionRef {
  readonly extentCountMax: number
}

export interface LogHead extends PartitionOffsets {
  readonly extents: readonly Extent[]
}

/** Names one extent as it is now. */
export interface ExtentRef extends PartitionRef {
  readonly endOffset: number
  readonly segmentId: SegmentId
}

export interface Removal {
  readonly extentCount: number
  /** Of blocks that no extent points at any more; blocks shared with other extents count, too. */
  readonly bytes: number
  readonly deadSegmentCount: number
}

export const NOTHING_REMOVED: Removal = { extentCount: 0, bytes: 0, deadSegmentCount: 0 }

export interface LiveSegmentsRequest {
  readonly level: number
  readonly limit: number
  readonly after?: SegmentId
}

export interface SegmentInfo {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly objectBytes: number
  readonly level: number
  readonly liveExtentCount: number
  readonly committedAtMs: number
}

export interface SegmentExtent extends Extent {
  /** False: wholly below the log start, or of a partition that is gone. */
  readonly wanted: boolean
}

export interface SegmentSwap {
  readonly inputs: readonly SegmentId[]
  /** Durable in the object store. Undefined when nothing of the inputs was wanted. */
  readonly output: OutputSegment | undefined
  /** Only what is replaced goes; the inputs' other extents stay where they are. */
  readonly partial?: boolean
}

export interface OutputSegment {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly objectBytes: number
  readonly level: number
  readonly extents: readonly OutputExtent[]
}

/** An extent of the output, and the input extents that it overlaps, in order. All outputs of a partition cover all they replace. */
export interface OutputExtent extends PartitionRef, ExtentPlace {
  readonly replaces: readonly ExtentRef[]
}

export type SwapOutcome =
  | { readonly swapped: true }
  /** Nothing happened; the output is an orphan. */
  | { readonly swapped: false; readonly code: 'INPUTS_CHANGED' | 'SEGMENT_TOO_OLD' }

export interface LiveUse {
  readonly extentCount: number
  /** Of blocks; one that two extents share counts twice. */
  readonly bytes: number
  readonly batchCount: number
}

export type SegmentState = 'live' | 'dead' | 'deleted'

export interface SegmentTotal {
  readonly state: SegmentState
  readonly level: number
  readonly segmentCount: number
  readonly objectBytes: number
  /** Of dead ones: how long the oldest has been. */
  readonly deadForMs: number
}
