import { Piscina } from 'piscina'
import { HeadraceError } from '../../engine/errors.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import {
  type MergeInput,
  MergeInputError,
  type MergeOutput,
  type SegmentMerger,
} from '../../engine/ports/segment-merger.js'
import { mergeSegments } from '../../workers/merge-segments.js'
import type { MergeSegmentsResult, MergeSegmentsTask, WorkerSettings } from '../../workers/messages.js'

export interface PiscinaMergerOptions {
  /** Undefined: the store lives in this process, and so does the merging. */
  readonly objectStoreUrl: string | undefined
  readonly objectStore: ObjectStore
}

/** How long a thread without work stays. */
const IDLE_MS = 30_000
/** The scheduler gives a merging thread what the others leave. */
const NICENESS = 10

/**
 * Merges in one thread of its own, which is there only while there is something to merge: segments being written never
 * wait for it in a queue, and its lower priority leaves them the processor.
 */
export class PiscinaSegmentMerger implements SegmentMerger {
  readonly #pool: Piscina | undefined
  readonly #store: ObjectStore
  #closing: Promise<void> | undefined

  constructor({ objectStoreUrl, objectStore }: PiscinaMergerOptions) {
    const workerData: WorkerSettings = { objectStoreUrl, uploadPartConcurrency: 1 }
    this.#store = objectStore
    if (objectStoreUrl === undefined) return
    this.#pool = new Piscina({
      filename: new URL('../../workers/main.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      maxQueue: 8,
      atomics: 'disabled',
      niceIncrement: NICENESS,
      recordTiming: false,
      workerData,
    })
  }

  async merge(input: MergeInput, signal: AbortSignal): Promise<MergeOutput> {
    signal.throwIfAborted()
    if (this.#pool === undefined) return mergeSegments(input, this.#store, { signal })
    const task: MergeSegmentsTask = { kind: 'merge-segments', input }
    const result = await this.#run(this.#pool, task, signal)
    if (result.ok) return result.output
    if (result.badObject !== undefined) throw new MergeInputError(result.badObject, result.message)
    throw new HeadraceError(result.code, result.retry, result.message)
  }

  /** What still runs is ended where it stands: its upload becomes nothing, or an orphan. */
  close(): Promise<void> {
    this.#closing ??= this.#pool?.destroy() ?? Promise.resolve()
    return this.#closing
  }

  async #run(pool: Piscina, task: MergeSegmentsTask, signal: AbortSignal): Promise<MergeSegmentsResult> {
    try {
      return await pool.run(task, { signal })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const message = error instanceof Error ? error.message : String(error)
      throw new HeadraceError('WORKER_FAILED', 'safe', `a worker died at merging: ${message}`, { cause: error })
    }
  }
}
