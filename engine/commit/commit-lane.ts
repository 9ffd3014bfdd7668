import type { BatchEntry } from '../../format/index.js'
import type { ProduceResult } from '../broker.js'
import { HeadraceError, isHeadraceError } from '../errors.js'
import type { UploadState } from '../intake/flush-policy.js'
import type { CommittedSegment, SealedSegment, UploadedSegment } from '../intake/segments.js'
import type { BatchOutcome, Catalog, CommitBatch, CommitSegment, SegmentOutcome } from '../ports/catalog.js'
import { type Clock, type Random, sleep } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { Metrics } from '../ports/metrics.js'
import type { SegmentUploader } from '../ports/segment-uploader.js'
import { LostSequences } from './lost-sequences.js'
import { failedResults, refusedResults, segmentResults } from './produce-results.js'

/** How much the last upload counts in what one takes lately. */
const RECENT_WEIGHT = 0.1

/**
 * Uploads concurrently, commits in seal order. One commit is in flight; segments that became ready meanwhile go
 * together into the next one (group commit). A segment whose upload finally failed fails its own requests and does not
 * hold up those behind it.
 *
 * Commits are repeated until their outcome is known: `Catalog.commit` is idempotent by segment id, so a lost answer is
 * resolved by asking again with the same group. After `commitRetryMaxMs` the requests are answered with a retriable
 * error, which for an unknown outcome says so.
 */
export class CommitLane {
  readonly #options: CommitLaneOptions
  readonly #entries: LaneEntry[] = []
  readonly #idle: (() => void)[] = []
  readonly #lost = new LostSequences()
  #uploadsInFlight = 0
  #uploadMs: number | undefined
  #committing = false

  constructor(options: CommitLaneOptions) {
    this.#options = options
  }

  get uploads(): UploadState {
    return { inFlightCount: this.#uploadsInFlight, recentMs: this.#uploadMs }
  }

  /** Takes over the segment: its arena, and the duty to settle its requests. */
  submit(sealed: SealedSegment): void {
    const entry: LaneEntry = { sealed, state: 'uploading', uploaded: undefined }
    this.#entries.push(entry)
    this.#uploadsInFlight++
    this.#report()
    void this.#upload(entry)
  }

  /** Resolves once everything submitted so far, and until then, is settled. */
  drain(): Promise<void> {
    if (this.#entries.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  async #upload(entry: LaneEntry): Promise<void> {
    const { uploader, clock, metrics, logger } = this.#options
    const { sealed } = entry
    try {
      const output = await uploader.upload(sealed.input)
      metrics.stage('encode', output.encodeMs)
      metrics.stage('upload', output.uploadMs)
      metrics.count('object_store_puts', output.putRequestCount)
      metrics.count('segment_bytes', output.objectBytes)
      if (output.objectBytes > 0) metrics.count('segments_written', 1)
      const uploadedAtMs = clock.monotonicMs()
      entry.uploaded = { stage: 'uploaded', sealed, output, index: output.index, uploadedAtMs }
      this.#noteUpload(uploadedAtMs - sealed.sealedAtMs)
      entry.state = 'uploaded'
      // Nothing valid, nothing uploaded: the refusals need no commit.
      if (output.objectBytes === 0) this.#settle(entry, refusedResults(sealed, output))
    } catch (error) {
      logger.warn(
        { segmentId: sealed.segmentId, error },
        'a segment could not be written; its requests are answered with a retriable error',
      )
      metrics.count('segments_failed', 1)
      this.#settle(entry, failedResults(sealed, writeFailure(error)))
    }
    this.#uploadsInFlight--
    this.#report()
    this.#options.onUploadSettled()
    void this.#pump()
  }

  #noteUpload(ms: number): void {
    this.#uploadMs = this.#uploadMs === undefined ? ms : this.#uploadMs + (ms - this.#uploadMs) * RECENT_WEIGHT
  }

  async #pump(): Promise<void> {
    if (this.#committing) return
    this.#committing = true
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) await this.#commitGroup(group)
    this.#committing = false
    if (this.#entries.length === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The uploaded segments at the head of the lane, as many as one transaction may take. */
  #nextGroup(): readonly UploadedEntry[] {
    while (this.#entries[0]?.state === 'settled') this.#entries.shift()
    this.#report()
    const group: UploadedEntry[] = []
    let batchCount = 0
    for (const entry of this.#entries) {
      if (entry.state === 'settled') continue
      if (entry.state === 'uploading' || entry.uploaded === undefined) break
      batchCount += entry.sealed.batchCount
      if (group.length > 0 && batchCount > this.#options.groupBatchCountMax) break
      group.push(entry as UploadedEntry)
    }
    return group
  }

  async #commitGroup(group: readonly UploadedEntry[]): Promise<void> {
    const { clock, metrics } = this.#options
    const startedAtMs = clock.monotonicMs()
    for (const entry of group) metrics.stage('commit_wait', startedAtMs - entry.uploaded.uploadedAtMs)
    let outcomes: readonly SegmentOutcome[]
    try {
      outcomes = await this.#commitUntilKnown(commitSegments(group, this.#lost))
    } catch (error) {
      for (const entry of group) this.#settle(entry, failedResults(entry.sealed, commitFailure(error)))
      return
    }
    metrics.stage('commit_run', clock.monotonicMs() - startedAtMs)
    metrics.count('commits', 1)
    for (const [number, entry] of group.entries()) this.#finish(entry, outcomes[number])
  }

  async #commitUntilKnown(segments: readonly CommitSegment[]): Promise<readonly SegmentOutcome[]> {
    const { catalog, clock, random, limits, logger, metrics } = this.#options
    const giveUpAtMs = clock.monotonicMs() + limits.commitRetryMaxMs
    let outcomeUnknown = false
    for (let attempt = 0; ; attempt++) {
      try {
        return await catalog.commit(segments, { commitAgeMaxMs: limits.commitAgeMaxMs })
      } catch (error) {
        const retry = isHeadraceError(error) ? error.retry : 'never'
        if (retry === 'unknown') outcomeUnknown = true
        const delayMs = (0.5 + random.fraction()) * Math.min(2000, 20 * 2 ** Math.min(attempt, 7))
        if (retry === 'never' || clock.monotonicMs() + delayMs > giveUpAtMs) throw gaveUp(error, outcomeUnknown)
        metrics.count('commit_retries', 1)
        logger.warn({ attempt, delayMs, error }, 'the catalog did not confirm a commit; asking again')
        await sleep(clock, delayMs)
      }
    }
  }

  #finish(entry: UploadedEntry, outcome: SegmentOutcome | undefined): void {
    if (outcome === undefined) throw new Error('the catalog answered fewer outcomes than segments')
    if (outcome.committed) {
      this.#forgetLost(entry.uploaded, outcome.batches)
      this.#options.onCommitted({ stage: 'committed', uploaded: entry.uploaded, outcome })
    }
    this.#settle(entry, segmentResults(entry.uploaded, outcome))
  }

  #settle(entry: LaneEntry, results: readonly ProduceResult[]): void {
    const { sealed } = entry
    const { clock, metrics } = this.#options
    entry.state = 'settled'
    entry.uploaded = undefined
    this.#lost.remember(sealed, results)
    sealed.arena.release()
    const nowMs = clock.monotonicMs()
    for (const request of sealed.requests) {
      metrics.stage('buffer_wait', sealed.sealedAtMs - request.arrivedAtMs)
      metrics.stage('total', nowMs - request.arrivedAtMs)
      request.settle(results.slice(request.firstBatch, request.firstBatch + request.batchCount))
    }
    let refused = 0
    for (const result of results) if (!result.ok) refused++
    metrics.count('produce_requests', sealed.requests.length)
    metrics.count('produce_batches', sealed.batchCount)
    metrics.count('produce_bytes', sealed.bytes)
    if (refused > 0) metrics.count('batches_refused', refused)
  }

  #forgetLost(uploaded: UploadedSegment, outcomes: readonly BatchOutcome[]): void {
    if (this.#lost.empty) return
    let number = 0
    for (const { topicId, partition, batches } of uploaded.index.blocks) {
      for (const { producerId } of batches) {
        if (outcomes[number++]?.kind !== 'refused') this.#lost.forget(topicId, partition, producerId)
      }
    }
  }

  #report(): void {
    this.#options.metrics.gauge('uploads_in_flight', this.#uploadsInFlight)
    this.#options.metrics.gauge('commit_lane_segments', this.#entries.length)
  }
}

export interface CommitLaneOptions {
  readonly uploader: SegmentUploader
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  readonly logger: Logger
  readonly limits: CommitLaneLimits
  /** A transaction takes at most this many batches, unless one segment alone has more. */
  readonly groupBatchCountMax: number
  readonly onUploadSettled: () => void
  /** Called before the producers are answered and before the arena is reused. Must not throw. */
  readonly onCommitted: (segment: CommittedSegment) => void
}

export interface CommitLaneLimits {
  readonly commitAgeMaxMs: number
  /** How long one commit is asked for before its producers are told to try again themselves. */
  readonly commitRetryMaxMs: number
}

interface LaneEntry {
  readonly sealed: SealedSegment
  state: 'uploading' | 'uploaded' | 'settled'
  uploaded: UploadedSegment | undefined
}

type UploadedEntry = LaneEntry & { readonly uploaded: UploadedSegment }

function commitSegments(group: readonly UploadedEntry[], lost: LostSequences): CommitSegment[] {
  const loss = lost.forCommit()
  return group.map(({ uploaded }) => {
    const segment = commitSegment(uploaded, loss)
    if (group.length > 1) loss.mayBeLost(uploaded.index)
    return segment
  })
}

function commitSegment(uploaded: UploadedSegment, lost: Pick<LostSequences, 'has'>): CommitSegment {
  return {
    segmentId: uploaded.sealed.segmentId,
    objectKey: uploaded.sealed.input.objectKey,
    objectBytes: uploaded.output.objectBytes,
    blocks: uploaded.index.blocks.map((block) => ({
      topicId: block.topicId,
      partition: block.partition,
      position: block.position,
      bytes: block.bytes,
      batches: block.batches.map((batch) =>
        commitBatch(batch, lost.has(block.topicId, block.partition, batch.producerId)),
      ),
    })),
  }
}

function commitBatch(entry: BatchEntry, afterLoss: boolean): CommitBatch {
  const batch = {
    offsetCount: entry.lastOffsetDelta + 1,
    producerId: entry.producerId,
    producerEpoch: entry.producerEpoch,
    baseSequence: entry.baseSequence,
    maxTimestampMs: entry.maxTimestampMs,
  }
  // No spread for all the others: it costs as much as all else here.
  return afterLoss ? { ...batch, afterLoss } : batch
}

/** Nothing of a segment that was never committed is in any log, whatever became of its object. */
function writeFailure(error: unknown): HeadraceError {
  const message = error instanceof Error ? error.message : String(error)
  const code = isHeadraceError(error) ? error.code : 'WORKER_FAILED'
  return new HeadraceError(code, 'safe', `the segment was not written: ${message}`, { cause: error })
}

function gaveUp(error: unknown, outcomeUnknown: boolean): unknown {
  if (!outcomeUnknown) return error
  return new HeadraceError('CATALOG_OUTCOME_UNKNOWN', 'unknown', 'the catalog did not tell whether it committed', {
    cause: error,
  })
}

function commitFailure(error: unknown): HeadraceError {
  if (isHeadraceError(error)) return error
  return new HeadraceError('CATALOG_OUTCOME_UNKNOWN', 'unknown', 'the commit failed in an unforeseen way', {
    cause: error,
  })
}
