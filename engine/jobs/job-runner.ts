import type { CancelTimer, Clock, Random } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'

/** One kind of background work. */
export interface Job {
  readonly name: string
  /** About how long to wait between two passes with nothing left to do. */
  readonly intervalMs: number
  /** One bounded pass, ended early by the signal; answers whether there is more to do at once. */
  run(signal: AbortSignal): Promise<boolean>
}

export interface JobRunnerOptions {
  readonly jobs: readonly Job[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onFailure: (job: string) => void
}

/** Between two passes when there is more to do: other work of the process gets its turn. */
const PAUSE_MS = 5
/** The share by which an interval varies, so that agents do not tick together. */
const JITTER = 0.3

/** Runs each job again and again, one pass of a kind at a time, until it is closed. A pass that fails is tried at the next tick. */
export class JobRunner {
  readonly #options: JobRunnerOptions
  readonly #closing = new AbortController()
  readonly #timers = new Map<Job, CancelTimer>()
  readonly #running = new Set<Promise<void>>()

  constructor(options: JobRunnerOptions) {
    this.#options = options
    for (const job of options.jobs) this.#schedule(job, job.intervalMs * (0.3 + 0.7 * options.random.fraction()))
  }

  /** Ends what runs, soon, and starts nothing more. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the agent is closing'))
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    await Promise.all(this.#running)
  }

  #schedule(job: Job, delayMs: number): void {
    if (this.#closing.signal.aborted) return
    const cancel = this.#options.clock.schedule(delayMs, () => {
      this.#timers.delete(job)
      const running = this.#run(job).finally(() => this.#running.delete(running))
      this.#running.add(running)
    })
    this.#timers.set(job, cancel)
  }

  async #run(job: Job): Promise<void> {
    const { logger, random, onFailure } = this.#options
    let more = false
    try {
      more = await job.run(this.#closing.signal)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      onFailure(job.name)
      logger.warn({ err: error, job: job.name }, 'a background job failed; it is tried again later')
    }
    const jitter = 1 + JITTER * (2 * random.fraction() - 1)
    this.#schedule(job, more ? PAUSE_MS : job.intervalMs * jitter)
  }
}
