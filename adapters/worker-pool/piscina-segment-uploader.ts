import { Piscina } from 'piscina'
import { HeadraceError } from '../../engine/errors.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import type { SegmentInput, SegmentOutput, SegmentUploader } from '../../engine/ports/segment-uploader.js'
import { decodeIndex } from '../../format/index.js'
import type { WorkerSettings, WriteSegmentResult, WriteSegmentTask } from '../../workers/messages.js'

/**
 * A worker makes few objects, but each LZ4 block is memory outside of its heap, which a collection of young objects sets free. A
 * small young generation makes these frequent enough to spare most of the full ones (docs/performance.md).
 */
const YOUNG_GENERATION_MIB = 2

/**
 * Encodes and uploads segments in a Piscina pool. A worker holds several tasks at a time, because most of a task is
 * waiting for the store; `atomics: 'disabled'` keeps its event loop turning between tasks, which uploads need.
 *
 * The queue is bounded by the arenas: a segment has one, so no more tasks than arenas can exist.
 */
export class PiscinaSegmentUploader implements SegmentUploader {
  readonly #pool: Piscina
  readonly #callerStore: ObjectStore | undefined
  #closing: Promise<void> | undefined

  constructor(options: PiscinaUploaderOptions) {
    const workerData: WorkerSettings = { objectStoreUrl: options.objectStoreUrl }
    this.#callerStore = options.objectStoreUrl === undefined ? options.objectStore : undefined
    this.#pool = new Piscina({
      filename: new URL('../../workers/main.js', import.meta.url).href,
      minThreads: options.workerCount,
      maxThreads: options.workerCount,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: options.tasksPerWorker,
      maxQueue: options.taskCountMax,
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
      workerData,
    })
  }

  async upload(input: SegmentInput): Promise<SegmentOutput> {
    const task: WriteSegmentTask = { kind: 'write-segment', input }
    const result = await this.#run(task)
    if (!result.ok) throw new HeadraceError(result.code, result.retry, result.message)
    const { objectBytes, batchOrder, refusals, encodeMs } = result
    const upload = await this.#uploadHere(input.objectKey, result)
    return { objectBytes, index: decodeIndex(result.index), batchOrder, refusals, encodeMs, ...upload }
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.close({ force: false })
    return this.#closing
  }

  async #run(task: WriteSegmentTask): Promise<WriteSegmentResult> {
    try {
      return await this.#pool.run(task)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new HeadraceError('WORKER_FAILED', 'safe', `a worker died at a segment: ${message}`, { cause: error })
    }
  }

  /** Stores that live in this process cannot be reached from a worker: what it encoded is uploaded from here. */
  async #uploadHere(
    objectKey: string,
    result: Extract<WriteSegmentResult, { ok: true }>,
  ): Promise<Pick<SegmentOutput, 'putRequestCount' | 'uploadMs'>> {
    if (this.#callerStore === undefined || result.object === undefined || result.objectBytes === 0) {
      return { putRequestCount: result.putRequestCount, uploadMs: result.uploadMs }
    }
    const startedAtMs = performance.now()
    const put = await this.#callerStore.put(objectKey, result.object)
    return { putRequestCount: put.requestCount, uploadMs: performance.now() - startedAtMs }
  }
}

export interface PiscinaUploaderOptions {
  /** Where workers upload to; undefined: they hand the object back and `objectStore` takes it. */
  readonly objectStoreUrl: string | undefined
  readonly objectStore: ObjectStore
  readonly workerCount: number
  readonly tasksPerWorker: number
  /** Segments that can exist at a time. */
  readonly taskCountMax: number
}
