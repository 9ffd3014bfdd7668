/**
 * Time as the engine sees it. The process clock in production, a simulated one in tests: nothing in `engine/` reads
 * `Date`, sets a timer or draws a random number on its own.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May jump; used for ids and timestamps, never for intervals. */
  nowMs(): number
  /** Monotonic clock in milliseconds with sub-millisecond fraction; its zero means nothing. */
  monotonicMs(): number
  /** Runs `callback` once, `delayMs` or later from now; the returned function cancels it and may be called twice. */
  schedule(delayMs: number, callback: () => void): CancelTimer
}

export type CancelTimer = () => void

/** Randomness as the engine sees it: uniform bytes, and uniform fractions in [0, 1) for jitter. */
export interface Random {
  bytes(count: number): Uint8Array
  fraction(): number
}

/** Resolves `delayMs` or later from now on `clock`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve)
  })
}
