import { HeadraceError, type HeadraceErrorCode } from '../../../engine/errors.js'
import type { Clock } from '../../../engine/ports/clock.js'
import type {
  DeleteResult,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  ObjectTail,
  PutOptions,
  PutResult,
  RequestOptions,
} from '../../../engine/ports/object-store.js'

export type ObjectStoreOperation = 'put' | 'put_stream' | 'get_range' | 'get_tail' | 'head' | 'list' | 'delete'

/** `error`: not one of ours, such as an abort or a body that threw. */
export type ObjectStoreOutcome = 'ok' | 'error' | HeadraceErrorCode

export interface ObjectStoreObservation {
  readonly operation: ObjectStoreOperation
  readonly outcome: ObjectStoreOutcome
  readonly durationMs: number
  /** Body bytes written or read; 0 for what carries none and for failures. */
  readonly bytes: number
  /** Requests that reached for the store, as far as the operation tells. */
  readonly requestCount: number
}

/** Where observations go: Prometheus in production, an array in tests. It must not throw. */
export interface ObjectStoreSink {
  observed(observation: ObjectStoreObservation): void
}

/** Below the retry layer it sees every attempt; above it, what callers wait for. */
export class MeteredObjectStore implements ObjectStore {
  readonly location: string
  readonly #inner: ObjectStore
  readonly #sink: ObjectStoreSink
  readonly #clock: Clock

  constructor(inner: ObjectStore, sink: ObjectStoreSink, clock: Clock) {
    this.location = inner.location
    this.#inner = inner
    this.#sink = sink
    this.#clock = clock
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#measure('put', this.#inner.put(key, body, options), (result) => result)
  }

  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    return this.#measure('put_stream', this.#inner.putStream(key, body, options), (result) => result)
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#measure('get_range', this.#inner.getRange(key, position, bytes, options), (range) => ({
      bytes: range.byteLength,
    }))
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    return this.#measure('get_tail', this.#inner.getTail(key, bytes, options), ({ tail }) => ({
      bytes: tail.byteLength,
    }))
  }

  head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    return this.#measure('head', this.#inner.head(key, options), () => ({}))
  }

  /** One observation per listing, without the time its reader takes between keys. */
  async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    const listing = this.#inner.list(prefix, options)[Symbol.asyncIterator]()
    let durationMs = 0
    let outcome: ObjectStoreOutcome = 'ok'
    try {
      for (;;) {
        const startMs = this.#clock.monotonicMs()
        const step = await listing.next().catch((error: unknown) => {
          outcome = outcomeOf(error)
          throw error
        })
        durationMs += this.#clock.monotonicMs() - startMs
        if (step.done) return
        yield step.value
      }
    } finally {
      await listing.return?.()
      this.#sink.observed({ operation: 'list', outcome, durationMs, bytes: 0, requestCount: 1 })
    }
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    const startMs = this.#clock.monotonicMs()
    let outcome: ObjectStoreOutcome = 'ok'
    try {
      const results = await this.#inner.delete(keys, options)
      const failure = results.find((result) => !result.deleted)
      if (failure?.deleted === false) outcome = outcomeOf(failure.error)
      return results
    } catch (error) {
      outcome = outcomeOf(error)
      throw error
    } finally {
      const durationMs = this.#clock.monotonicMs() - startMs
      this.#sink.observed({ operation: 'delete', outcome, durationMs, bytes: 0, requestCount: 1 })
    }
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #measure<T>(
    operation: ObjectStoreOperation,
    running: Promise<T>,
    measure: (result: T) => { readonly bytes?: number; readonly requestCount?: number },
  ): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    const observed = (outcome: ObjectStoreOutcome, bytes: number, requestCount: number) =>
      this.#sink.observed({ operation, outcome, durationMs: this.#clock.monotonicMs() - startMs, bytes, requestCount })
    try {
      const result = await running
      const { bytes = 0, requestCount = 1 } = measure(result)
      observed('ok', bytes, requestCount)
      return result
    } catch (error) {
      observed(outcomeOf(error), 0, 1)
      throw error
    }
  }
}

function outcomeOf(error: unknown): ObjectStoreOutcome {
  return error instanceof HeadraceError ? error.code : 'error'
}
