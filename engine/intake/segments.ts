import type { SegmentIndex } from '../../format/index.js'
import type { ProduceResult } from '../broker.js'
import type { SegmentId } from '../model.js'
import type { SegmentOutcome } from '../ports/catalog.js'
import type { SegmentInput, SegmentOutput } from '../ports/segment-uploader.js'
import type { Arena } from './arena-pool.js'

/**
 * The life stages of a segment after `OpenSegment`, each a type of its own: what was not uploaded cannot be committed,
 * and what was not committed cannot be acknowledged, because it does not compile.
 */
export interface SealedSegment {
  readonly stage: 'sealed'
  readonly segmentId: SegmentId
  readonly input: SegmentInput
  readonly arena: Arena
  readonly requests: readonly SegmentRequest[]
  readonly batchCount: number
  readonly bytes: number
  /** Monotonic times. */
  readonly openedAtMs: number
  readonly sealedAtMs: number
}

export interface UploadedSegment {
  readonly stage: 'uploaded'
  readonly sealed: SealedSegment
  readonly output: SegmentOutput
  readonly index: SegmentIndex
  readonly uploadedAtMs: number
}

export interface CommittedSegment {
  readonly stage: 'committed'
  readonly uploaded: UploadedSegment
  readonly outcome: SegmentOutcome
}

/** One Produce request inside a segment: a run of its batches, and who waits for them. */
export interface SegmentRequest {
  readonly firstBatch: number
  readonly batchCount: number
  readonly arrivedAtMs: number
  settle(results: readonly ProduceResult[]): void
}
