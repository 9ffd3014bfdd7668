/** How long a rebalance waits for whom. Knows times only; what they mean to the group is the state machine's. */
export class RebalanceClock {
  readonly #initialDelayMs: number
  /** Who has not joined by then is removed. */
  #joinDeadlineMs = Number.POSITIVE_INFINITY
  /** First rebalance of an empty group: it waits until then, even when all known members have joined. */
  #delayUntilMs: number | undefined
  #hasNewMember = false
  /** A generation has begun: who has not asked for its assignment by then is removed. */
  #syncDeadlineMs = Number.POSITIVE_INFINITY

  constructor(initialDelayMs: number) {
    this.#initialDelayMs = initialDelayMs
  }

  get isDelaying(): boolean {
    return this.#delayUntilMs !== undefined
  }

  get nextDeadlineMs(): number {
    return Math.min(this.#delayUntilMs ?? this.#joinDeadlineMs, this.#syncDeadlineMs)
  }

  awaitJoins(now: number, timeoutMs: number, isFirst: boolean): void {
    this.stop()
    this.#joinDeadlineMs = now + timeoutMs
    if (isFirst && this.#initialDelayMs > 0) this.#delay(now)
  }

  awaitSyncs(now: number, timeoutMs: number): void {
    this.stop()
    this.#syncDeadlineMs = now + timeoutMs
  }

  /** Nobody could come meanwhile. */
  postpone(ms: number): void {
    this.#joinDeadlineMs += ms
    this.#syncDeadlineMs += ms
    if (this.#delayUntilMs !== undefined) this.#delayUntilMs += ms
  }

  stop(): void {
    this.#joinDeadlineMs = Number.POSITIVE_INFINITY
    this.#syncDeadlineMs = Number.POSITIVE_INFINITY
    this.#delayUntilMs = undefined
  }

  /** While the first rebalance waits, each new member makes it wait once more. */
  noteNewMember(): void {
    this.#hasNewMember = true
  }

  #delay(now: number): void {
    this.#delayUntilMs = Math.min(now + this.#initialDelayMs, this.#joinDeadlineMs)
    this.#hasNewMember = false
  }

  isJoinOverdue(now: number): boolean {
    return this.#joinDeadlineMs <= now
  }

  isSyncOverdue(now: number): boolean {
    return this.#syncDeadlineMs <= now
  }

  /** Ends the initial delay when it is over. */
  tick(now: number): void {
    if (this.#delayUntilMs === undefined || this.#delayUntilMs > now) return
    if (this.#hasNewMember && now < this.#joinDeadlineMs) this.#delay(now)
    else this.#delayUntilMs = undefined
  }
}
