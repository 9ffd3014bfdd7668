import type { CancelTimer, Clock } from '../../engine/ports/clock.js'
import { settle } from '../support/virtual-clock.js'

/** Wall clock of the simulated database when a run begins. */
export const START_MS = 1_700_000_000_000

interface Timer {
  readonly atMs: number
  readonly sequence: number
  callback: (() => void) | undefined
}

/**
 * Simulated time for a whole world. Between two timers every promise that can settle does so, in the order Node gives to
 * microtasks; timers fire by time, then by age. So a run is a function of its seed.
 */
export class SimulatedClock implements Clock {
  #nowMs = 0
  #sequence = 0
  /** Binary heap. */
  readonly #timers: Timer[] = []

  nowMs(): number {
    return Math.floor(START_MS + this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, callback }
    this.#push(timer)
    return () => {
      timer.callback = undefined
    }
  }

  /** Fires timers until `done` says so, or nothing is left, or `limitMs` is reached; answers whether `done`. */
  async run(done: () => boolean, limitMs: number): Promise<boolean> {
    await settle()
    while (!done()) {
      const timer = this.#pop()
      if (timer === undefined) return false
      if (timer.callback === undefined) continue
      if (timer.atMs > limitMs) return false
      this.#nowMs = timer.atMs
      timer.callback()
      await settle()
    }
    return true
  }

  #push(timer: Timer): void {
    const heap = this.#timers
    let place = heap.length
    heap.push(timer)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (isBefore(heap[parent]!, timer)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = timer
  }

  #pop(): Timer | undefined {
    const heap = this.#timers
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (child >= heap.length || isBefore(last, heap[child]!)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}
