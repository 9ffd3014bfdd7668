import { HeadraceError } from '../../../engine/errors.js'
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

export interface PaceOptions {
  /** Puts at a time when the store is quick. */
  readonly concurrencyMax: number
  /** A put that is done within this is quick: one more may run beside it. Of those between quick and slow it takes a round. */
  readonly quickMs: number
  /** One that takes this long is slow, as is one that fails: half as many may run. */
  readonly slowMs: number
  /** How long one waits at a store that takes nothing. */
  readonly patienceMs: number
}

export const PACE_DEFAULT: PaceOptions = { concurrencyMax: 16, quickMs: 2_000, slowMs: 5_000, patienceMs: 20_000 }

/**
 * Runs as many puts at a time as the store is quick with. Uploads side by side share the way to the store: beyond what it
 * takes, each more makes all of them slower, until all miss their time limits and every byte is sent again and for nothing. So
 * puts begin one at a time, one more for each quick one, and half as many after a slow one. Everything else passes as it is.
 *
 * Who waits for its turn has begun nothing, and no time limit runs. But when a put fails for good and none has succeeded for a
 * while, the store is away, and those who have waited that long fail with it, not one after the other.
 */
export class PacedObjectStore implements ObjectStore {
  readonly location: string
  readonly #inner: ObjectStore
  readonly #clock: Clock
  readonly #options: PaceOptions
  readonly #waiters = new Set<Waiter>()
  #concurrency = 1
  /** Towards the next step up. */
  #credit = 0
  #runningCount = 0
  /** Puts that began before it tell nothing about the concurrency of now. */
  #changedAtMs = Number.NEGATIVE_INFINITY
  #succeededAtMs = Number.NEGATIVE_INFINITY

  constructor(inner: ObjectStore, clock: Clock, options: PaceOptions = PACE_DEFAULT) {
    this.location = inner.location
    this.#inner = inner
    this.#clock = clock
    this.#options = options
  }

  get concurrency(): number {
    return this.#concurrency
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    await this.#turn(options?.signal)
    const startedMs = this.#clock.monotonicMs()
    try {
      const result = await this.#inner.put(key, body, options)
      this.#succeededAtMs = this.#clock.monotonicMs()
      this.#learn(startedMs, false)
      return result
    } catch (error) {
      // What the caller gave up says nothing about the store.
      if (options?.signal?.aborted !== true) {
        this.#learn(startedMs, true)
        if (isStoreFailure(error)) this.#failWaiters(error)
      }
      throw error
    } finally {
      this.#runningCount -= 1
      this.#admit()
    }
  }

  #learn(startedMs: number, failed: boolean): void {
    const { concurrencyMax, quickMs, slowMs } = this.#options
    const nowMs = this.#clock.monotonicMs()
    const tookMs = nowMs - startedMs
    if (failed || tookMs >= slowMs) {
      if (startedMs < this.#changedAtMs) return
      this.#concurrency = Math.max(1, Math.floor(this.#concurrency / 2))
      this.#credit = 0
      this.#changedAtMs = nowMs
    } else if (this.#runningCount >= this.#concurrency) {
      // Only who uses all of it learns whether more would do.
      this.#credit += tookMs <= quickMs ? 1 : 1 / this.#concurrency
      if (this.#credit < 1) return
      this.#credit = 0
      this.#concurrency = Math.min(concurrencyMax, this.#concurrency + 1)
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#waiters.size === 0 && this.#runningCount < this.#concurrency) {
      this.#runningCount += 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal?.removeEventListener('abort', abort)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        sinceMs: this.#clock.monotonicMs(),
        admit: () => {
          leave()
          resolve()
        },
        fail: (error) => {
          leave()
          reject(error)
        },
      }
      const abort = () => waiter.fail(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #admit(): void {
    for (const waiter of this.#waiters) {
      if (this.#runningCount >= this.#concurrency) return
      this.#runningCount += 1
      waiter.admit()
    }
  }

  #failWaiters(cause: HeadraceError): void {
    const untilMs = this.#clock.monotonicMs() - this.#options.patienceMs
    if (this.#succeededAtMs > untilMs) return
    const retry = cause.retry === 'never' ? 'never' : 'safe'
    const message = `not begun, because a put before it failed: ${cause.message}`
    for (const waiter of [...this.#waiters]) {
      if (waiter.sinceMs <= untilMs) waiter.fail(new HeadraceError(cause.code, retry, message, { cause }))
    }
  }

  // ---- as it is

  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    return this.#inner.putStream(key, body, options)
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#inner.getRange(key, position, bytes, options)
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    return this.#inner.getTail(key, bytes, options)
  }

  head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    return this.#inner.head(key, options)
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    return this.#inner.list(prefix, options)
  }

  delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    return this.#inner.delete(keys, options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

interface Waiter {
  readonly sinceMs: number
  readonly admit: () => void
  readonly fail: (error: unknown) => void
}

/** Of the store, and not of one object. */
function isStoreFailure(error: unknown): error is HeadraceError {
  return error instanceof HeadraceError && error.code.startsWith('OBJECT_STORE_')
}
