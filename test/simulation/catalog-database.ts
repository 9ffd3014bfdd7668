import {
  type CommitDecision,
  type CommitState,
  commitStateOf,
  decideCommit,
  producerKey,
} from '../../engine/commit/commit-decisions.js'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { type PartitionRef, partitionKey, type SegmentId, type TopicId } from '../../engine/model.js'
import type {
  CommitSegment,
  ExtentAnswer,
  ExtentRequest,
  LogStartRequest,
  PartitionOffsets,
  SegmentOutcome,
} from '../../engine/ports/catalog.js'
import type { SegmentSwap, SwapOutcome } from '../../engine/ports/jobs-catalog.js'
import { segmentObjectKey, segmentTimeMs } from '../../engine/segment-identity.js'
import type { FakeLog, FakeLogs } from '../support/fake-logs.js'
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
  readonly #logs: FakeLogs
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
    this.#logs = this.rows.logs
    this.#logs.add(topicId, 0, partitionCount)
  }

  logStartOffset(partition: number): number {
    return this.#logs.find({ topicId: this.topicId, partition })?.logStartOffset ?? -1
  }

  highWatermark(partition: number): number {
    return this.#logs.find({ topicId: this.topicId, partition })?.highWatermark ?? -1
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
      const fresh = young.filter((segment) => !this.rows.isCommitted(segment))
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
    return this.rows.outcomesOf(segments)
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
    const offsets = this.#logs.advanceStarts(requests)
    this.#recordLayout(cause)
    return offsets
  }

  partitionSizes(refs: readonly PartitionRef[]): (number | undefined)[] {
    return this.#logs.sizes(refs)
  }

  /** What a commit would answer now: for the agent that does not wait for it. */
  foresee(segments: readonly CommitSegment[]): SegmentOutcome[] {
    const decision = decideCommit(segments, this.#read(partitionsOf(segments), undefined))
    return decision.segments.map(({ segmentId, batches }) => ({ segmentId, committed: true, batches }))
  }

  partitionOffsets(refs: readonly PartitionRef[]): (PartitionOffsets | undefined)[] {
    return this.#logs.offsets(refs)
  }

  findExtents(requests: readonly ExtentRequest[]): (ExtentAnswer | undefined)[] {
    return this.#logs.findExtents(requests)
  }

  #read(keys: readonly string[], early: ReadonlyMap<string, ProducerState> | undefined): CommitState {
    const partitions = new Map<string, FakeLog>()
    for (const key of keys) {
      const row = this.#logs.rows.get(key)
      if (row !== undefined) partitions.set(key, { ...row })
    }
    return commitStateOf(partitions, early ?? new Map(this.#producers))
  }

  #write(segments: readonly CommitSegment[], decision: CommitDecision): void {
    this.rows.writeCommit(segments, decision)
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

  #record(segments: readonly CommitSegment[], decision: CommitDecision): void {
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
