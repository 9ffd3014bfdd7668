import type { CancelTimer, Clock, Random } from '../../engine/ports/clock.js'

/** A clock that stands still until it is told to go on; timers fire in order of time, then of scheduling. */
export class VirtualClock implements Clock {
  #nowMs: number
  #sequence = 0
  readonly #timers: { readonly atMs: number; readonly sequence: number; readonly callback: () => void }[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + delayMs, sequence: this.#sequence++, callback }
    this.#timers.push(timer)
    return () => {
      const place = this.#timers.indexOf(timer)
      if (place >= 0) this.#timers.splice(place, 1)
    }
  }

  get timerCount(): number {
    return this.#timers.length
  }

  /** Goes on by `ms`, firing what falls due and letting promises settle after each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settle()
    for (let timer = this.#nextBefore(untilMs); timer !== undefined; timer = this.#nextBefore(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, timer.atMs)
      this.#timers.splice(this.#timers.indexOf(timer), 1)
      timer.callback()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #nextBefore(untilMs: number) {
    const due = this.#timers.filter((timer) => timer.atMs <= untilMs)
    return due.sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence)[0]
  }
}

/** Lets every promise that can settle now do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** A small seeded generator (mulberry32): the same seed gives the same bytes. */
export class SeededRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.fraction() * 256))
  }
}
