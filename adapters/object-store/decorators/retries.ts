import { HeadraceError } from '../../../engine/errors.js'
import type { Clock, Random } from '../../../engine/ports/clock.js'

export interface RetryPolicy {
  readonly attemptCountMax: number
  /** The wait before the second attempt, doubled for each further one, half of it random. */
  readonly delayMs: number
  /** The first wait after the store asked for patience. */
  readonly throttledDelayMs: number
  readonly delayMsMax: number
  /** No attempt begins later than this after the first; the last one still has its own time limit. */
  readonly totalMsMax: number
}

export const RETRY_POLICY_DEFAULT: RetryPolicy = {
  attemptCountMax: 6,
  delayMs: 50,
  throttledDelayMs: 250,
  delayMsMax: 4_000,
  // A client gives a request up after 30 s: an answer should come before, also if the last attempt takes long.
  totalMsMax: 20_000,
}

/** What earlier attempts of the same operation left behind. */
export interface AttemptState {
  /** 1 for the first. */
  readonly attempt: number
  /** One of them may have had its effect. */
  readonly outcomeUnknown: boolean
}

/** Repeats what can be repeated, with jittered exponential waits, a bounded number of times and for a bounded time. */
export class Retries {
  readonly #policy: RetryPolicy
  readonly #clock: Clock
  readonly #random: Random

  constructor(policy: RetryPolicy, clock: Clock, random: Random) {
    this.#policy = policy
    this.#clock = clock
    this.#random = random
  }

  /** An operation that failed for good while an earlier attempt may have worked is reported as `unknown`, never `safe`. */
  async run<T>(signal: AbortSignal | undefined, attempt: (state: AttemptState) => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    let outcomeUnknown = false
    for (let count = 1; ; count++) {
      signal?.throwIfAborted()
      try {
        return await attempt({ attempt: count, outcomeUnknown })
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        if (!isRetriable(error)) throw error
        outcomeUnknown ||= error.retry === 'unknown'
        const waitMs = this.#waitMs(error, count)
        const elapsedMs = this.#clock.monotonicMs() - startMs
        if (count >= this.#policy.attemptCountMax || elapsedMs + waitMs > this.#policy.totalMsMax) {
          throw outcomeUnknown ? asUnknown(error) : error
        }
        await this.#pause(waitMs, signal)
      }
    }
  }

  #waitMs(error: HeadraceError, attempt: number): number {
    const { delayMs, throttledDelayMs, delayMsMax } = this.#policy
    const firstMs = error.code === 'OBJECT_STORE_THROTTLED' ? throttledDelayMs : delayMs
    const fullMs = Math.min(delayMsMax, firstMs * 2 ** (attempt - 1))
    return (fullMs / 2) * (1 + this.#random.fraction())
  }

  #pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.#clock.schedule(waitMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

export function isRetriable(error: unknown): error is HeadraceError {
  return error instanceof HeadraceError && error.retry !== 'never'
}

function asUnknown(error: HeadraceError): HeadraceError {
  if (error.retry === 'unknown') return error
  return new HeadraceError(error.code, 'unknown', error.message, { cause: error })
}
