import type { HeadraceErrorCode, Retry } from '../engine/errors.js'
import type { MergeInput, MergeOutput } from '../engine/ports/segment-merger.js'
import type { BatchInputRefusal, SegmentInput } from '../engine/ports/segment-uploader.js'

/**
 * Everything that crosses between the main thread and the workers, and nothing else does. Plain data only: a class
 * thrown in a worker arrives as a bare `Error` without its code, so failures are values. Bytes cross as whole buffers:
 * arenas are shared, results are slabs of their own, never views of a pool.
 */

/** What a worker is started with. */
export interface WorkerSettings {
  /** Undefined: the caller uploads, because the store lives in its process (`memory://`, or one given as an object). */
  readonly objectStoreUrl: string | undefined
  /** Parts of one upload under way at once, where large objects go in parts: each is memory. */
  readonly uploadPartConcurrency?: number
}

export interface WriteSegmentTask {
  readonly kind: 'write-segment'
  readonly input: SegmentInput
}

export interface MergeSegmentsTask {
  readonly kind: 'merge-segments'
  readonly input: MergeInput
}

export type WorkerTask = WriteSegmentTask | MergeSegmentsTask

export type MergeSegmentsResult =
  | { readonly ok: true; readonly output: MergeOutput }
  /** The bytes of this input object are bad. */
  | { readonly ok: false; readonly badObject: number; readonly message: string }
  | (WorkerFailure & { readonly badObject?: never })

export type WriteSegmentResult =
  | {
      readonly ok: true
      readonly objectBytes: number
      /** `encodeIndex` of the segment's index. */
      readonly index: Uint8Array
      readonly batchOrder: Uint32Array
      readonly refusals: readonly BatchInputRefusal[]
      /** The object, where the caller uploads. */
      readonly object: Uint8Array | undefined
      readonly putRequestCount: number
      readonly encodeMs: number
      readonly uploadMs: number
    }
  | WorkerFailure

export interface WorkerFailure {
  readonly ok: false
  readonly code: HeadraceErrorCode
  readonly retry: Retry
  readonly message: string
}
