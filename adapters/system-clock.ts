import { randomFillSync } from 'node:crypto'
import type { CancelTimer, Clock, Random } from '../engine/ports/clock.js'

/** Node's timers know whole milliseconds, and take one or two where less is asked for. */
const TIMER_MS = 1

/** The process's clock and randomness: the edge where they enter. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, callback) => {
    if (delayMs < TIMER_MS / 2) return scheduleTurns(delayMs, callback)
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
}

export const systemRandom: Random = {
  bytes: (count) => randomFillSync(new Uint8Array(count)),
  fraction: () => Math.random(),
}

/** Waits turn by turn of the event loop, which goes on meanwhile. */
function scheduleTurns(delayMs: number, callback: () => void): CancelTimer {
  const dueAtMs = performance.now() + delayMs
  const turn = () => {
    if (performance.now() >= dueAtMs) callback()
    else immediate = setImmediate(turn)
  }
  let immediate = setImmediate(turn)
  return () => clearImmediate(immediate)
}
