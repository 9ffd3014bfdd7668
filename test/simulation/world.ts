import { HeadraceError } from '../../engine/errors.js'
import type { CancelTimer, Clock } from '../../engine/ports/clock.js'
import { SeededRandom } from '../support/virtual-clock.js'
import { History } from './history.js'
import { SimulatedClock } from './scheduler.js'

/** Ways in which a simulated system can be wrong, so that the checker can be seen to find them. */
export type SeededBug =
  | 'ack-before-commit'
  | 'commit-without-locking'
  | 'dedupe-outside-transaction'
  | 'sweep-without-age-rule'
  | 'blind-commit-retry'
  | 'request-split'
  | 'swap-without-condition'
  | 'deletion-without-grace'

export interface FaultRates {
  /** Of calls that fail without an effect. */
  readonly before: number
  /** Of calls that have their effect and whose answer is lost. */
  readonly after: number
  /** Of calls that take seconds instead of milliseconds. */
  readonly slow: number
}

const NO_FAULTS: FaultRates = { before: 0, after: 0, slow: 0 }

/** What the network makes of one call. */
export interface Fate {
  readonly kind: 'ok' | 'before' | 'after'
  readonly requestMs: number
  readonly responseMs: number
}

/** An agent's life as the world sees it: who is dead gets no answers, and what it has not sent yet is never sent. */
export interface Life {
  readonly name: string
  alive: boolean
  die(): void
}

/** Everything that the parts of a run share: time, chance, the history, and who dies when. */
export class World {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly history = new History(() => this.clock.monotonicMs())
  readonly bug: SeededBug | undefined
  /** What a statement of the database usually takes at most. */
  readonly statementMs: number
  readonly #crashBoundaries: Set<number>
  isCalm = false
  #rates: FaultRates
  #boundary = 0
  #sequence = 0

  constructor(seed: number, bug: SeededBug | undefined) {
    this.random = new SeededRandom(seed)
    this.bug = bug
    this.statementMs = this.pick([2, 5, 20]) ?? 5
    const stormy = this.random.fraction()
    // A third of the runs have a calm network, so that crashes and races are seen without its noise.
    this.#rates =
      stormy < 0.33
        ? { before: 0.01, after: 0.01, slow: 0.01 }
        : { before: 0.12 * stormy, after: 0.12 * stormy, slow: 0.06 * stormy }
    const crashCount = this.int(5)
    this.#crashBoundaries = new Set(Array.from({ length: crashCount }, () => this.int(1000)))
  }

  /** The faults end: what can be finished must be finished now. */
  calm(): void {
    this.isCalm = true
    this.#rates = NO_FAULTS
    this.#crashBoundaries.clear()
  }

  int(endExclusive: number): number {
    return Math.floor(this.random.fraction() * endExclusive)
  }

  between(from: number, to: number): number {
    return from + this.random.fraction() * (to - from)
  }

  chance(probability: number): boolean {
    return this.random.fraction() < probability
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.int(items.length)]
  }

  nextNumber(): number {
    return this.#sequence++
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.schedule(delayMs, resolve)
    })
  }

  fate(usualMs: number): Fate {
    const kind = this.chance(this.#rates.before) ? 'before' : this.chance(this.#rates.after) ? 'after' : 'ok'
    const slow = this.chance(this.#rates.slow) ? this.between(300, 2500) : 0
    const early = this.chance(0.5)
    return {
      kind,
      requestMs: this.between(0.2, usualMs) + (early ? slow : 0),
      responseMs: this.between(0.1, usualMs / 2) + (early ? 0 : slow),
    }
  }

  /** A place where an agent can die: around every call it makes and every answer it gives. */
  boundary(life: Life): void {
    if (life.alive && this.#crashBoundaries.has(this.#boundary++)) life.die()
  }

  /**
   * A call over the network on behalf of an agent. The effect of a call that is under way when its agent dies may still
   * come, or not; the answer never does.
   */
  async call<T>(life: Life, call: RemoteCall<T>): Promise<T> {
    this.boundary(life)
    if (!life.alive) return never()
    const fate = this.fate(call.usualMs)
    if (fate.kind !== 'ok') this.history.add({ kind: 'call', agent: life.name, call: call.name, fate: fate.kind })
    await this.sleep(fate.requestMs)
    if (!life.alive && this.chance(0.5)) return never()
    let answer: () => T
    if (fate.kind === 'before') {
      answer = () => {
        throw call.failedBefore()
      }
    } else {
      answer = await settled(call.effect)
      if (fate.kind === 'after') {
        answer = () => {
          throw call.failedAfter()
        }
      }
    }
    await this.sleep(fate.responseMs)
    this.boundary(life)
    if (!life.alive) return never()
    return answer()
  }
}

export interface RemoteCall<T> {
  readonly name: string
  readonly usualMs: number
  effect(): Promise<T> | T
  failedBefore(): Error
  failedAfter(): Error
}

/** An agent's view of time: its wall clock is a little wrong, and its timers end with it. */
export class AgentClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly life: Life,
    private readonly skewMs: number,
  ) {}

  nowMs(): number {
    return this.clock.nowMs() + this.skewMs
  }

  monotonicMs(): number {
    return this.clock.monotonicMs()
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    return this.clock.schedule(delayMs, () => {
      if (this.life.alive) callback()
    })
  }
}

export function never<T>(): Promise<T> {
  return new Promise(() => {})
}

async function settled<T>(effect: () => Promise<T> | T): Promise<() => T> {
  try {
    const value = await effect()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

export function storeFailure(kind: 'before' | 'after', text: string): HeadraceError {
  if (kind === 'before') return new HeadraceError('OBJECT_STORE_THROTTLED', 'safe', text)
  return new HeadraceError('OBJECT_STORE_TIMEOUT', 'unknown', text)
}

export function catalogFailure(kind: 'before' | 'after', text: string): HeadraceError {
  if (kind === 'before') return new HeadraceError('CATALOG_UNAVAILABLE', 'safe', text)
  return new HeadraceError('CATALOG_OUTCOME_UNKNOWN', 'unknown', text)
}
