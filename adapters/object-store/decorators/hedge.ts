import { HeadraceError } from '../../../engine/errors.js'
import type { Clock } from '../../../engine/ports/clock.js'

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

interface Attempt<T> {
  readonly outcome: Promise<Outcome<T>>
  readonly abort: () => void
}

/**
 * Starts `attempt` a second time when the first has not settled after `hedgeAfterMs` and `mayHedge` agrees: the store's
 * slow tail is usually one slow server. The first success wins. The loser is aborted and waited for, because until it has settled
 * it may still read the body, which belongs to the caller again once we resolve.
 *
 * When both fail, the failure that leaves more open is reported, so that the caller knows what may have happened.
 */
export async function hedged<T>(
  clock: Clock,
  hedgeAfterMs: number,
  signal: AbortSignal | undefined,
  attempt: (signal: AbortSignal) => Promise<T>,
  mayHedge: () => boolean,
): Promise<T> {
  const first = launch(signal, attempt)
  const isSlow = await slowerThan(clock, hedgeAfterMs, first.outcome)
  if (!isSlow || !mayHedge()) return unwrap(await first.outcome)
  const second = launch(signal, attempt)
  const winner = await firstSuccess(first, second)
  if (winner) {
    for (const other of [first, second]) if (other !== winner.attempt) other.abort()
    await Promise.all([first.outcome, second.outcome])
    return winner.value
  }
  throw worse(await first.outcome, await second.outcome)
}

function launch<T>(signal: AbortSignal | undefined, attempt: (signal: AbortSignal) => Promise<T>): Attempt<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const outcome = attempt(controller.signal)
    .then(
      (value): Outcome<T> => ({ value }),
      (error: unknown): Outcome<T> => ({ error }),
    )
    .finally(() => signal?.removeEventListener('abort', onAbort))
  return { outcome, abort: () => controller.abort() }
}

async function slowerThan(clock: Clock, delayMs: number, outcome: Promise<unknown>): Promise<boolean> {
  let cancel = () => {}
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.schedule(delayMs, () => resolve(true))
  })
  try {
    return await Promise.race([outcome.then(() => false), late])
  } finally {
    cancel()
  }
}

function firstSuccess<T>(...attempts: Attempt<T>[]): Promise<{ attempt: Attempt<T>; value: T } | undefined> {
  return new Promise((resolve) => {
    let pendingCount = attempts.length
    for (const attempt of attempts) {
      attempt.outcome.then((outcome) => {
        if ('value' in outcome) resolve({ attempt, value: outcome.value })
        else if (--pendingCount === 0) resolve(undefined)
      })
    }
  })
}

function unwrap<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

function worse(first: Outcome<unknown>, second: Outcome<unknown>): unknown {
  const errors = [first, second].flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
  const leavesOpen = errors.find((error) => error instanceof HeadraceError && error.retry === 'unknown')
  const isFinal = errors.find((error) => !(error instanceof HeadraceError) || error.retry === 'never')
  return leavesOpen ?? isFinal ?? errors[0]
}
