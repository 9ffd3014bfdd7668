import { isHeadraceError } from '../../../engine/errors.js'
import type { Clock, Random } from '../../../engine/ports/clock.js'
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
import { abortable } from '../streams.js'
import { hedged } from './hedge.js'
import { type AttemptState, isRetriable, RETRY_POLICY_DEFAULT, Retries, type RetryPolicy } from './retries.js'

const MEBIBYTE = 2 ** 20

export interface RetryStoreOptions {
  readonly clock: Clock
  readonly random: Random
  readonly policy?: Partial<RetryPolicy>
  /** Start a second PUT of the same key when the first is not done after so long. Default: never. */
  readonly hedgeAfterMs?: number
  /** A stream up to this size is kept and repeated as a whole; of a longer one, the adapter repeats parts. */
  readonly streamBytesKept?: number
}

/**
 * The one layer that retries. All operations of the port are repeatable: reads have no effect, deletes are idempotent,
 * and a put is create-only. Only put needs a rule for what it may meet, see `#settle`.
 */
export class RetryingObjectStore implements ObjectStore {
  readonly location: string
  readonly #inner: ObjectStore
  readonly #retries: Retries
  readonly #clock: Clock
  readonly #hedgeAfterMs: number | undefined
  readonly #streamBytesKept: number
  #hedgeInFlight = false

  constructor(inner: ObjectStore, options: RetryStoreOptions) {
    this.location = inner.location
    this.#inner = inner
    this.#clock = options.clock
    this.#retries = new Retries({ ...RETRY_POLICY_DEFAULT, ...options.policy }, options.clock, options.random)
    this.#hedgeAfterMs = options.hedgeAfterMs
    this.#streamBytesKept = options.streamBytesKept ?? 9 * MEBIBYTE
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#retries.run(options?.signal, async (state) => {
      try {
        const result = await this.#putOnce(key, body, options)
        return { ...result, requestCount: result.requestCount + state.attempt - 1 }
      } catch (error) {
        const own = await this.#settle(key, body.byteLength, state, error, options)
        if (own) return own
        throw error
      }
    })
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    const source = new KeptStream(abortable(body, options?.signal), this.#streamBytesKept)
    const whole = await source.gather()
    if (whole) return this.put(key, whole, options)
    try {
      return await this.#inner.putStream(key, source, options)
    } catch (error) {
      // The stream cannot be read again, but whether its lost completion worked can be asked.
      if (options?.signal?.aborted || !source.ended || !isRetriable(error) || error.retry !== 'unknown') throw error
      const stored = await this.#existing(key, options)
      if (stored?.bytes === source.bytes) return { bytes: source.bytes, requestCount: 1 }
      throw error
    } finally {
      source.close()
    }
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#retries.run(options?.signal, () => this.#inner.getRange(key, position, bytes, options))
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    return this.#retries.run(options?.signal, () => this.#inner.getTail(key, bytes, options))
  }

  head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    return this.#retries.run(options?.signal, () => this.#inner.head(key, options))
  }

  /** A failing listing goes on after the last key it gave; each key it gives starts the count of attempts anew. */
  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    let resumeAt = options
    let listing = this.#inner.list(prefix, resumeAt)[Symbol.asyncIterator]()
    let broken = false
    try {
      for (;;) {
        const step = await this.#retries.run(options.signal, async () => {
          if (broken) listing = this.#inner.list(prefix, resumeAt)[Symbol.asyncIterator]()
          broken = true
          const next = await listing.next()
          broken = false
          return next
        })
        if (step.done) return
        resumeAt = { ...options, startAfter: step.value.key }
        yield step.value
      }
    } finally {
      await listing.return?.()
    }
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    const results = new Map<string, DeleteResult>()
    let remaining = keys
    await this.#retries
      .run(options?.signal, async () => {
        for (const result of await this.#inner.delete(remaining, options)) results.set(result.key, result)
        const failed = remaining.flatMap((key) => {
          const result = results.get(key)
          return result?.deleted === false && isRetriable(result.error) ? [{ key, error: result.error }] : []
        })
        remaining = failed.map(({ key }) => key)
        if (failed[0]) throw failed[0].error
      })
      .catch((error: unknown) => {
        // Failures of keys are in their results; what is left is the caller's abort.
        if (options?.signal?.aborted || remaining.some((key) => !results.has(key))) throw error
      })
    return keys.map((key) => results.get(key) as DeleteResult)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #putOnce(key: string, body: Uint8Array, options: PutOptions | undefined): Promise<PutResult> {
    if (this.#hedgeAfterMs === undefined) return this.#inner.put(key, body, options)
    let hedging = false
    const mayHedge = () => {
      // One at a time: a store that is slow as a whole must not get its load doubled.
      if (this.#hedgeInFlight) return false
      this.#hedgeInFlight = true
      hedging = true
      return true
    }
    const attempt = (signal: AbortSignal) => this.#inner.put(key, body, { ...options, signal })
    try {
      const result = await hedged(this.#clock, this.#hedgeAfterMs, options?.signal, attempt, mayHedge)
      return hedging ? { ...result, requestCount: result.requestCount + 1 } : result
    } finally {
      if (hedging) this.#hedgeInFlight = false
    }
  }

  /**
   * A put whose answer was lost may have worked, and its repetition then meets its own object. Keys carry a unique id
   * that nobody else writes under, so an existing object of exactly our size is ours; one of another size is not, and
   * neither is one met without an earlier attempt in doubt: that is the OBJECT_EXISTS the port promises.
   */
  async #settle(
    key: string,
    bytes: number,
    state: AttemptState,
    error: unknown,
    options: RequestOptions | undefined,
  ): Promise<PutResult | undefined> {
    if (!state.outcomeUnknown || !isHeadraceError(error, 'OBJECT_EXISTS')) return undefined
    const stored = await this.#existing(key, options)
    return stored?.bytes === bytes ? { bytes, requestCount: state.attempt } : undefined
  }

  async #existing(key: string, options: RequestOptions | undefined): Promise<ObjectInfo | undefined> {
    try {
      return await this.head(key, options)
    } catch (error) {
      if (isHeadraceError(error, 'OBJECT_NOT_FOUND')) return undefined
      throw error
    }
  }
}

/** A stream whose beginning is kept, so that a short one can be put as a body; it counts what has been read. */
class KeptStream implements AsyncIterable<Uint8Array> {
  bytes = 0
  ended = false
  readonly #body: AsyncIterator<Uint8Array>
  readonly #bytesKept: number
  readonly #kept: Uint8Array[] = []

  constructor(body: AsyncIterable<Uint8Array>, bytesKept: number) {
    this.#body = body[Symbol.asyncIterator]()
    this.#bytesKept = bytesKept
  }

  /** The whole body when it is short; undefined when iteration has to go on from here. */
  async gather(): Promise<Uint8Array | undefined> {
    for await (const chunk of this.#rest()) {
      // Copied: the caller may reuse a chunk once the next one is asked for.
      this.#kept.push(Uint8Array.from(chunk))
      if (this.bytes > this.#bytesKept) return undefined
    }
    return Buffer.concat(this.#kept)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.#kept.splice(0)
    yield* this.#rest()
  }

  /** Idempotent. Not awaited: a source that stalls would hold up whoever has given it up. */
  close(): void {
    if (!this.ended) this.#body.return?.()?.then(undefined, () => {})
  }

  #rest(): AsyncIterable<Uint8Array> {
    // A bare iterator, without `return`: leaving a loop over it must not close the source.
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      const step = await this.#body.next()
      if (step.done) this.ended = true
      else this.bytes += step.value.byteLength
      return step
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }
}
