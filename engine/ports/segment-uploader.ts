import type { SegmentIndex } from '../../format/index.js'
import type { TopicId } from '../model.js'

/**
 * Turns a sealed segment into an object: validates, compresses, encodes and uploads it, off the main thread in
 * production (Piscina), inline in simulations. Several uploads may be under way; each settles on its own.
 */
export interface SegmentUploader {
  /**
   * Resolves once the object is durable, or, when no batch was valid, without having written one. Rejects with a
   * `HeadraceError` when the upload finally failed (retries happen in the object store's retry decorator, nowhere else) or the
   * worker died (WORKER_FAILED). `input.arena` is only read, and not after the promise settled.
   */
  upload(input: SegmentInput): Promise<SegmentOutput>
  /** Lets running uploads finish, then releases the workers. Idempotent. */
  close(): Promise<void>
}

/** All that a segment's bytes are a function of. Plain data: it crosses the thread boundary as it is. */
export interface SegmentInput {
  readonly segmentId: string
  readonly objectKey: string
  readonly createdAtMs: number
  readonly arena: SharedArrayBuffer
  readonly topicIds: readonly TopicId[]
  /** `BATCH_COLUMNS` numbers per batch, in arrival order. */
  readonly batches: Int32Array
}

/** Columns of `SegmentInput.batches`. */
export const BATCH_TOPIC = 0
export const BATCH_PARTITION = 1
export const BATCH_POSITION = 2
export const BATCH_BYTES = 3
export const BATCH_FLAGS = 4
export const BATCH_COLUMNS = 5

/** Flag: the Produce version knows zstd (>= 7); without it a zstd batch is refused. */
export const BATCH_FLAG_ZSTD_ALLOWED = 1
/** Flag: the batch is stored with the segment's creation time as the time of all its records. */
export const BATCH_FLAG_LOG_APPEND_TIME = 2
/** Flag: a record without a key refuses the batch. */
export const BATCH_FLAG_KEYS_REQUIRED = 4

export interface SegmentOutput {
  /** 0 when no batch was valid; then nothing was uploaded. */
  readonly objectBytes: number
  readonly index: SegmentIndex
  /** The input number of each batch of the index, in index order. */
  readonly batchOrder: Uint32Array
  readonly refusals: readonly BatchInputRefusal[]
  readonly putRequestCount: number
  readonly encodeMs: number
  readonly uploadMs: number
}

export interface BatchInputRefusal {
  /** Input number of the batch. */
  readonly batch: number
  readonly code: 'BATCH_CORRUPT' | 'BATCH_INVALID' | 'BATCH_COMPRESSION_UNSUPPORTED' | 'BATCH_TIMESTAMP_INVALID'
  readonly message: string
  /** The records at fault, where it was records; at most `RECORD_ERRORS_MAX` of them. */
  readonly recordErrors?: readonly { readonly record: number; readonly message: string }[]
}

/** A client fails the records it is told of and may send the others again; no batch needs more. */
export const RECORD_ERRORS_MAX = 10_000
