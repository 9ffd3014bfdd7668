import { type CommitState, decideCommit, producerKey, TIMESTAMP_NONE } from '../../engine/commit/commit-decisions.js'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { type PartitionRef, partitionKey, type SegmentId, type TopicId } from '../../engine/model.js'
import type {
  CommitSegment,
  Extent,
  ExtentAnswer,
  ExtentRequest,
  LogStartRequest,
  PartitionOffsets,
  SegmentOutcome,
} from '../../engine/ports/catalog.js'
import type { SegmentSwap, SwapOutcome } from '../../engine/ports/jobs-catalog.js'
import { segmentObjectKey, segmentTimeMs } from '../../engine/segment-identity.js'
import type { FakePartition } from '../support/fake-jobs-catalog.js'
import { storedBytesOf } from '../support/stored-bytes.js'
import type { LayoutCause } from './history.js'
import { JobRows } from './job-rows.js'
import { LockTable } from './lock-table.js'
import type { World } from './world.js'

/** The database connection of one transaction. */
export interface Session {
  /** Travels to the next statement; throws when the connection is lost before it runs. */
  statement(): Promise<void>
  /** As `statement`, for COMMIT. */
  commit(): Promise<void>
}

/**
 * The catalog's database as a model of the transaction in DESIGN 4.1: it reads under row locks, decides with the engine's own
 * decisions, and writes at COMMIT, with time passing between its statements. Whatever fails before COMMIT leaves nothing.
 */
export class CatalogDatabase {
  readonly rows: JobRows
  readonly #partitions: Map<string, FakePartition>
  readonly #outcomes: Map<string, SegmentOutcome>
  readonly #producers = new Map<string, ProducerState>()
  readonly #locks: LockTable

  constructor(
    private readonly world: World,
    readonly topicId: TopicId,
    private readonly partitionCount: number,
    private readonly isDurable: (objectKey: string) => boolean,
  ) {
    this.#locks = new LockTable(world)
    this.rows = new JobRows(world.clock)
    this.#partitions = this.rows.partitions
    this.#outcomes = this.rows.committed
    for (let partition = 0; partition < partitionCount; partition++) {
      const row = { logStartOffset: 0, highWatermark: 0, maxTimestampMs: TIMESTAMP_NONE, extents: [] }
      this.#partitions.set(partitionKey(topicId, partition), row)
    }
  }

  logStartOffset(partition: number): number {
    return this.#partitions.get(partitionKey(this.topicId, partition))?.logStartOffset ?? -1
  }

  highWatermark(partition: number): number {
    return this.#partitions.get(partitionKey(this.topicId, partition))?.highWatermark ?? -1
  }

  async commit(
    segments: readonly CommitSegment[],
    commitAgeMaxMs: number,
    session: Session,
  ): Promise<SegmentOutcome[]> {
    const { bug } = this.world
    const held = this.#locks.hold()
    try {
      await session.statement()
      const nowMs = this.world.clock.nowMs()
      const young = segments.filter(({ segmentId }) => nowMs - segmentTimeMs(segmentId) <= commitAgeMaxMs)
      for (const { segmentId } of segments) await held.lock(`segment/${segmentId}`)
      const fresh = young.filter(({ segmentId }) => !this.#outcomes.has(segmentId))
      const early = bug === 'dedupe-outside-transaction' ? new Map(this.#producers) : undefined
      await session.statement()
      const keys = partitionsOf(fresh)
      if (bug !== 'commit-without-locking') for (const key of keys) await held.lock(`partition/${key}`)
      const state = this.#read(keys, early)
      await session.statement()
      const decision = decideCommit(fresh, state)
      await session.commit()
      this.#write(fresh, decision)
    } finally {
      held.release()
    }
    return segments.map(
      ({ segmentId }) => this.#outcomes.get(segmentId) ?? { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' },
    )
  }

  /** A transaction of the jobs, under the locks of the segments whose extents it changes. */
  async change<T>(
    cause: LayoutCause,
    segmentIds: readonly SegmentId[],
    session: Session,
    effect: (elapsedMs: number) => T | Promise<T>,
  ): Promise<T> {
    const held = this.#locks.hold()
    try {
      await session.statement()
      const { clock } = this.world
      const begunMs = clock.monotonicMs()
      for (const segmentId of [...segmentIds].sort()) await held.lock(`segment/${segmentId}`)
      await session.statement()
      await session.statement()
      await session.commit()
      const answer = effect(clock.monotonicMs() - begunMs)
      this.#recordLayout(cause)
      return await answer
    } finally {
      held.release()
    }
  }

  /** Compaction's swap; whether its output is young enough is decided when it begins, as for a commit. */
  async swap(swap: SegmentSwap, commitAgeMaxMs: number, session: Session): Promise<SwapOutcome> {
    const touched = [...swap.inputs, ...(swap.output === undefined ? [] : [swap.output.segmentId])]
    const { bug, history } = this.world
    const outcome = await this.change('swap', touched, session, (elapsedMs) => {
      if (bug === 'swap-without-condition') return this.rows.swapBlindly(swap)
      return this.rows.swapSegments(swap, { commitAgeMaxMs: commitAgeMaxMs + elapsedMs })
    })
    history.add({ kind: 'swap', outcome: outcome.swapped ? 'swapped' : outcome.code })
    return outcome
  }

  /** One statement: a log start only grows, up to the high watermark. */
  advanceLogStarts(cause: LayoutCause, requests: readonly LogStartRequest[]): (PartitionOffsets | undefined)[] {
    for (const { topicId, partition, offset } of requests) {
      const row = this.#partitions.get(partitionKey(topicId, partition))
      if (row === undefined) continue
      const target = offset === 'high-watermark' ? row.highWatermark : offset
      if (target > row.logStartOffset && target <= row.highWatermark) row.logStartOffset = target
    }
    this.#recordLayout(cause)
    return this.partitionOffsets(requests)
  }

  partitionSizes(refs: readonly PartitionRef[]): (number | undefined)[] {
    return refs.map((ref) => {
      const row = this.#partitions.get(partitionKey(ref.topicId, ref.partition))
      const readable = row?.extents.filter(({ endOffset }) => endOffset > row.logStartOffset)
      return readable && storedBytesOf(readable)
    })
  }

  /** What a commit would answer now: for the agent that does not wait for it. */
  foresee(segments: readonly CommitSegment[]): SegmentOutcome[] {
    const decision = decideCommit(segments, this.#read(partitionsOf(segments), undefined))
    return decision.segments.map(({ segmentId, batches }) => ({ segmentId, committed: true, batches }))
  }

  partitionOffsets(refs: readonly PartitionRef[]): (PartitionOffsets | undefined)[] {
    return refs.map((ref) => {
      const row = this.#partitions.get(partitionKey(ref.topicId, ref.partition))
      return row && { logStartOffset: row.logStartOffset, highWatermark: row.highWatermark }
    })
  }

  findExtents(requests: readonly ExtentRequest[]): (ExtentAnswer | undefined)[] {
    return requests.map((request) => {
      const row = this.#partitions.get(partitionKey(request.topicId, request.partition))
      if (row === undefined) return undefined
      const { logStartOffset, highWatermark } = row
      const inside = request.offset >= logStartOffset && request.offset < highWatermark
      return { logStartOffset, highWatermark, extents: inside ? takeExtents(row.extents, request) : [] }
    })
  }

  #read(keys: readonly string[], early: ReadonlyMap<string, ProducerState> | undefined): CommitState {
    const partitions = new Map<string, FakePartition>()
    for (const key of keys) {
      const row = this.#partitions.get(key)
      if (row !== undefined) partitions.set(key, { ...row })
    }
    return { partitions, producers: early ?? new Map(this.#producers) }
  }

  #write(segments: readonly CommitSegment[], decision: ReturnType<typeof decideCommit>): void {
    for (const [number, segment] of segments.entries()) {
      const { segmentId, objectKey, objectBytes } = segment
      const decided = decision.segments[number]
      if (decided === undefined) throw new Error('a segment was not decided')
      this.#outcomes.set(segmentId, { segmentId, committed: true, batches: decided.batches })
      this.rows.claim(segment, decided.extents.length)
      for (const { runningMaxTimestampMs: _, ...draft } of decided.extents) {
        const row = this.#partitions.get(partitionKey(draft.topicId, draft.partition))
        row?.extents.push({ ...draft, segmentId, objectKey, objectBytes, level: 0 })
      }
    }
    for (const { topicId, partition, highWatermark, maxTimestampMs } of decision.partitions) {
      const row = this.#partitions.get(partitionKey(topicId, partition))
      if (row !== undefined) Object.assign(row, { highWatermark, maxTimestampMs })
    }
    for (const { topicId, partition, producerId, ...state } of decision.producers) {
      this.#producers.set(producerKey(topicId, partition, producerId), state)
    }
    if (segments.length > 0) this.#record(segments, decision)
  }

  #recordLayout(cause: LayoutCause): void {
    const partitions = this.rows.layout()
    const segmentIds = new Set(partitions.flatMap(({ extents }) => extents.map(({ segmentId }) => segmentId)))
    const missing = [...segmentIds].filter((segmentId) => !this.isDurable(segmentObjectKey(segmentId)))
    this.world.history.add({ kind: 'layout', cause, partitions, missing })
  }

  #record(segments: readonly CommitSegment[], decision: ReturnType<typeof decideCommit>): void {
    this.world.history.add({
      kind: 'commit',
      segments: segments.map(({ segmentId, objectKey }, number) => ({
        segmentId,
        durable: this.isDurable(objectKey),
        extents: (decision.segments[number]?.extents ?? []).map(({ partition, baseOffset, endOffset }) => {
          return { partition, baseOffset, endOffset }
        }),
      })),
      highWatermarks: Array.from({ length: this.partitionCount }, (_, partition) => this.highWatermark(partition)),
    })
  }
}

function partitionsOf(segments: readonly CommitSegment[]): string[] {
  const keys = segments.flatMap(({ blocks }) => blocks.map((block) => partitionKey(block.topicId, block.partition)))
  return [...new Set(keys)].sort()
}

function takeExtents(extents: readonly Extent[], request: ExtentRequest): Extent[] {
  const taken: Extent[] = []
  let bytes = 0
  for (const extent of extents) {
    if (extent.endOffset <= request.offset) continue
    if (taken.length > 0 && (bytes >= request.bytesMax || taken.length >= request.extentCountMax)) break
    taken.push(extent)
    bytes += extent.bytes
  }
  return taken
}
