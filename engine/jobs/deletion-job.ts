import type { JobMetrics } from '../ports/job-metrics.js'
import type { SegmentInfo } from '../ports/jobs-catalog.js'
import type { ObjectStore } from '../ports/object-store.js'
import type { Job } from './job-runner.js'
import { type LeasedOptions, leasedPass } from './leased.js'

export interface DeletionJobOptions extends LeasedOptions {
  readonly objectStore: ObjectStore
  readonly metrics: JobMetrics
  readonly intervalMs: number
  /** Dead objects wait this long: a reader may still hold a pointer to them. */
  readonly graceMs: number
  readonly commitAgeMaxMs: number
}

/** As many as one bulk delete takes. */
const OBJECTS_PER_ROUND = 1000
const ROUNDS_PER_PASS = 20

/**
 * Deletes the objects of dead segments once their grace is over, and their rows once the store has confirmed it and no commit could ask
 * for them any more. What the store did not delete this time stays dead, and is tried again.
 */
export class DeletionJob implements Job {
  readonly name = 'deletion'
  readonly intervalMs: number
  readonly #options: DeletionJobOptions

  constructor(options: DeletionJobOptions) {
    this.#options = options
    this.intervalMs = options.intervalMs
  }

  run(signal: AbortSignal): Promise<boolean> {
    return leasedPass(this.#options, this, signal, (leaseSignal) => this.#pass(leaseSignal))
  }

  async #pass(signal: AbortSignal): Promise<boolean> {
    const { catalog, metrics, graceMs, commitAgeMaxMs } = this.#options
    for (let round = 0; round < ROUNDS_PER_PASS && !signal.aborted; round++) {
      const dead = await catalog.deadSegments(graceMs, OBJECTS_PER_ROUND)
      const deletedCount = dead.length === 0 ? 0 : await this.#delete(dead, signal)
      // Commits are refused by age; twice that, in case one is just being decided.
      const forgottenCount = await catalog.forgetSegments(2 * commitAgeMaxMs, OBJECTS_PER_ROUND)
      const full = dead.length === OBJECTS_PER_ROUND || forgottenCount === OBJECTS_PER_ROUND
      if (!full || (deletedCount === 0 && forgottenCount === 0)) break
      if (round === ROUNDS_PER_PASS - 1) return true
    }
    const totals = await catalog.segmentTotals()
    const deadForMs = totals.filter(({ state }) => state === 'dead').map((total) => total.deadForMs)
    metrics.gauge('oldest_dead_object_ms', Math.max(0, ...deadForMs))
    metrics.segments(totals)
    return false
  }

  /** Answers how many are confirmed to be gone. */
  async #delete(dead: readonly SegmentInfo[], signal: AbortSignal): Promise<number> {
    const { catalog, objectStore, metrics, logger } = this.#options
    const results = await objectStore.delete(
      dead.map(({ objectKey }) => objectKey),
      { signal },
    )
    const deleted = new Set(results.filter((result) => result.deleted).map(({ key }) => key))
    const gone = dead.filter(({ objectKey }) => deleted.has(objectKey))
    await catalog.markObjectsDeleted(gone.map(({ segmentId }) => segmentId))
    metrics.count('objects_deleted', gone.length)
    metrics.count(
      'object_bytes_deleted',
      gone.reduce((sum, { objectBytes }) => sum + objectBytes, 0),
    )
    const failed = results.find((result) => !result.deleted)
    if (failed !== undefined && !failed.deleted) {
      metrics.count('object_deletions_failed', dead.length - gone.length)
      logger.warn(
        { err: failed.error, failed: dead.length - gone.length },
        'some dead objects could not be deleted yet',
      )
    }
    return gone.length
  }
}
