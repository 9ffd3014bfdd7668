import type { PartitionRef, SegmentId } from '../model.js'
import type { Extent, ExtentPlace } from './catalog.js'

/**
 * Writes what extents of many segments point at into one new segment, off the main thread in production. Offsets, order and bytes
 * of batches stay; base offsets are written into them. Memory is bounded by `readBytesMax`, one upload, and the index, whatever the
 * inputs' size.
 */
export interface SegmentMerger {
  /**
   * Resolves once the object is durable. Rejects with the store's `HeadraceError`, a `MergeInputError`, WORKER_FAILED, or the
   * signal's reason; then no object is visible, or an orphan.
   */
  merge(input: MergeInput, signal: AbortSignal): Promise<MergeOutput>
  close(): Promise<void>
}

export interface MergeInput {
  readonly segmentId: SegmentId
  readonly objectKey: string
  /** At least 1. */
  readonly level: number
  readonly createdAtMs: number
  readonly objects: readonly MergeObject[]
  /** Not empty. In order of topic id, partition, offset; of one object in order of their positions, too. */
  readonly extents: readonly MergeExtent[]
  /** Memory for what is being read, over all objects. */
  readonly readBytesMax: number
  /** An output extent ends when it has this many bytes of batches. */
  readonly extentBytesMax: number
  /** Set: keep the latest record of each key only. The extents are then adjacent ones of one partition. */
  readonly keys?: KeyCompaction
}

export interface KeyCompaction {
  /** Extents before this one hold no key twice; those from it on say which keys have later records. */
  readonly firstDirty: number
  /** Tombstones (records without a value) older than this go, too. */
  readonly tombstonesBeforeMs: number
  /** Memory for keys, about. Where they do not all fit, the last extents are left out. */
  readonly keyBytesMax: number
}

export interface MergeObject {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly objectBytes: number
}

export type MergeExtent = PartitionRef &
  Pick<Extent, 'baseOffset' | 'endOffset' | 'level' | 'position' | 'bytes' | 'batchSkipCount' | 'batchCount'> & {
    /** Which of the objects. */
    readonly object: number
  }

export interface MergeOutput {
  readonly objectBytes: number
  readonly extents: readonly MergedExtent[]
  /** How many of the input extents went in: all, unless keys took too much memory. */
  readonly inputCount: number
  readonly readBytes: number
  readonly getRequestCount: number
  readonly putRequestCount: number
}

/** Adjacent input extents that have become one; compaction by key moves the bounds between them. */
export interface MergedExtent extends PartitionRef, ExtentPlace {
  /** The input extents it covers: `inputCount` from number `firstInput` on. */
  readonly firstInput: number
  readonly inputCount: number
}

/** The bytes of one input are damaged, or not what the catalog says. */
export class MergeInputError extends Error {
  override readonly name = 'MergeInputError'

  constructor(
    /** Which of the objects. */
    readonly object: number,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options)
  }
}
