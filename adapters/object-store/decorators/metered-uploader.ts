import { HeadraceError } from '../../../engine/errors.js'
import type { Clock } from '../../../engine/ports/clock.js'
import type { SegmentInput, SegmentOutput, SegmentUploader } from '../../../engine/ports/segment-uploader.js'
import type { ObjectStoreOutcome, ObjectStoreSink } from './metrics.js'

/**
 * Reports the puts of workers, whose object stores are in other threads, by how they ended: one observation per segment,
 * when the retries are over.
 */
export class MeteredUploader implements SegmentUploader {
  readonly #inner: SegmentUploader
  readonly #sink: ObjectStoreSink
  readonly #clock: Clock

  constructor(inner: SegmentUploader, sink: ObjectStoreSink, clock: Clock) {
    this.#inner = inner
    this.#sink = sink
    this.#clock = clock
  }

  async upload(input: SegmentInput): Promise<SegmentOutput> {
    const startMs = this.#clock.monotonicMs()
    try {
      const output = await this.#inner.upload(input)
      const { objectBytes, putRequestCount, uploadMs } = output
      if (objectBytes > 0) this.#observed('ok', uploadMs, objectBytes, putRequestCount)
      return output
    } catch (error) {
      // With the time of its encoding, which a failure does not tell apart.
      if (isOfStore(error)) this.#observed(error.code, this.#clock.monotonicMs() - startMs, 0, 1)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #observed(outcome: ObjectStoreOutcome, durationMs: number, bytes: number, requestCount: number): void {
    this.#sink.observed({ operation: 'put', outcome, durationMs, bytes, requestCount })
  }
}

/** Not of the worker, nor of what it was given. */
function isOfStore(error: unknown): error is HeadraceError {
  return error instanceof HeadraceError && error.code.startsWith('OBJECT_')
}
