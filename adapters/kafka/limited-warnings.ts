import type { Clock } from '../../engine/ports/clock.js'
import type { Logger } from '../../engine/ports/logger.js'
import type { WireErrorCode } from './wire/wire-error.js'

/** What clients can make the listener warn of. A closed set: nothing that a client sends can add to it. */
export type WarningReason = WireErrorCode | 'RESPONSE_STALLED' | 'PRODUCE_UNACKNOWLEDGED' | 'CONNECTIONS_MAX'

/** Warnings of one reason that are written in one period. */
export const WARNINGS_PER_PERIOD_MAX = 10
export const PERIOD_MS = 10_000

interface Period {
  written: number
  leftOut: number
  /** Of those left out, the last one. */
  lastMessage: string
  readonly cancelTimer: () => void
}

/**
 * Warnings that clients cause, as often as they like: one that connects again and again would fill the log and hide the
 * others in it. Of each reason some are written; a period later one line says how many were left out. Reasons do not
 * share their limit, so a flood of one hides none of the others.
 *
 * Owned by the listener. `close` says what was left out until then; warnings that come later are written.
 */
export class LimitedWarnings {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #periods = new Map<WarningReason, Period>()
  #closed = false

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  warn(reason: WarningReason, fields: object, message: string): void {
    const period = this.#closed ? undefined : this.#periodOf(reason)
    if (period !== undefined && period.written >= WARNINGS_PER_PERIOD_MAX) {
      period.leftOut += 1
      period.lastMessage = message
      return
    }
    if (period !== undefined) period.written += 1
    this.#logger.warn({ reason, ...fields }, message)
  }

  close(): void {
    this.#closed = true
    for (const [reason, period] of [...this.#periods]) {
      period.cancelTimer()
      this.#end(reason, period)
    }
  }

  /** Begins with the first warning, so a quiet listener has no timers. */
  #periodOf(reason: WarningReason): Period {
    const open = this.#periods.get(reason)
    if (open !== undefined) return open
    const cancelTimer = this.#clock.schedule(PERIOD_MS, () => this.#end(reason, period))
    const period: Period = { written: 0, leftOut: 0, lastMessage: '', cancelTimer }
    this.#periods.set(reason, period)
    return period
  }

  #end(reason: WarningReason, { leftOut, lastMessage }: Period): void {
    this.#periods.delete(reason)
    if (leftOut === 0) return
    const fields = { reason, leftOut, periodMs: PERIOD_MS }
    this.#logger.warn(fields, `Left out ${leftOut} more warnings of this kind, the last of them: ${lastMessage}`)
  }
}
