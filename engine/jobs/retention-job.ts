import type { PartitionRef, Topic } from '../model.js'
import type { Catalog, Extent } from '../ports/catalog.js'
import type { JobMetrics } from '../ports/job-metrics.js'
import type { Removal } from '../ports/jobs-catalog.js'
import type { Job } from './job-runner.js'
import { type LeasedOptions, leasedPass } from './leased.js'
import { planRetention, policyOf, type RetentionPolicy } from './retention-plan.js'

export interface RetentionJobOptions extends Omit<LeasedOptions, 'catalog'> {
  readonly catalog: Catalog
  readonly metrics: JobMetrics
  readonly intervalMs: number
  readonly defaults: RetentionPolicy
  readonly producerIdExpirationMs: number
}

/** Partitions looked at with one question. */
const PARTITIONS_PER_LOOK = 500
/** Extents of one partition that are taken at a time, once its first has expired. */
const EXTENTS_PER_PARTITION = 200
/** Extents removed in one transaction: some ten milliseconds. */
const EXTENTS_PER_REMOVAL = 1000
/** Extents a pass removes, about; agents write some thousands per second at most. */
const EXTENTS_PER_PASS = 100_000
const DELETED_TOPICS_PER_PASS = 100
const PRODUCERS_PER_PASS = 10_000

/** A partition with what retention asks of it. */
interface Candidate extends PartitionRef {
  readonly policy: RetentionPolicy
}

/**
 * Retention, DeleteRecords' and deleted topics' extents, expired producers. Every pass looks at the oldest extent of each
 * partition, and further only where that one has to go. Decisions are made on plain reads; log starts move in transactions of their
 * own, so commits never wait for an extent's removal.
 */
export class RetentionJob implements Job {
  readonly name = 'retention'
  readonly intervalMs: number
  readonly #options: RetentionJobOptions
  #budget = 0

  constructor(options: RetentionJobOptions) {
    this.#options = options
    this.intervalMs = options.intervalMs
  }

  run(signal: AbortSignal): Promise<boolean> {
    return leasedPass(this.#options, this, signal, (leaseSignal) => this.#pass(leaseSignal))
  }

  /** Answers whether the pass ended for having done enough. */
  async #pass(signal: AbortSignal): Promise<boolean> {
    const { catalog, defaults, metrics, producerIdExpirationMs } = this.#options
    this.#budget = EXTENTS_PER_PASS
    await this.#clearDeletedTopics(signal)
    await catalog.expireProducers(producerIdExpirationMs, PRODUCERS_PER_PASS)
    let lagMs = 0
    let candidates: Candidate[] = []
    const look = async () => {
      lagMs = Math.max(lagMs, await this.#look(candidates, signal))
      candidates = []
    }
    for (const topic of await catalog.listTopics()) {
      for (const candidate of candidatesOf(topic, defaults)) {
        candidates.push(candidate)
        if (candidates.length >= PARTITIONS_PER_LOOK) await look()
        if (signal.aborted || this.#budget <= 0) break
      }
    }
    if (!signal.aborted) await look()
    metrics.gauge('retention_lag_ms', lagMs)
    return this.#budget <= 0
  }

  /** Looks at these partitions until none has anything to remove; answers how late it was. */
  async #look(candidates: readonly Candidate[], signal: AbortSignal): Promise<number> {
    const { catalog } = this.#options
    const nowMs = await catalog.databaseTimeMs()
    let lagMs = 0
    let extentCountMax = 1
    for (let targets = candidates; targets.length > 0 && !signal.aborted && this.#budget > 0; ) {
      const heads = await catalog.oldestExtents(
        targets.map(({ topicId, partition }) => ({ topicId, partition, extentCountMax })),
      )
      const sizes = await this.#sizes(targets)
      const again: Candidate[] = []
      const cuts: (PartitionRef & { readonly offset: number })[] = []
      const going: Extent[] = []
      for (const [index, target] of targets.entries()) {
        const head = heads[index]
        if (head === undefined) continue
        const plan = planRetention(head, target.policy, sizes[index], nowMs)
        lagMs = Math.max(lagMs, plan.lagMs)
        const { topicId, partition } = target
        if (plan.logStartOffset !== undefined) cuts.push({ topicId, partition, offset: plan.logStartOffset })
        // Where all that was shown goes there may be more of it.
        if (plan.extents.length > 0 && plan.extents.length === head.extents.length) again.push(target)
        going.push(...plan.extents)
      }
      if (cuts.length > 0) await catalog.advanceLogStarts(cuts)
      const removedCount = await this.#remove(going, signal)
      // What could not be removed belongs to a segment that is just being replaced: next time.
      if (going.length > 0 && removedCount === 0) break
      targets = again
      extentCountMax = EXTENTS_PER_PARTITION
    }
    return lagMs
  }

  async #sizes(targets: readonly Candidate[]): Promise<readonly (number | undefined)[]> {
    const { catalog } = this.#options
    const sized = targets.filter(({ policy }) => policy.bytesMax !== undefined)
    if (sized.length === 0) return []
    const sizes = await catalog.partitionSizes(sized)
    const sizeOf = new Map(sized.map((target, index) => [target, sizes[index]]))
    return targets.map((target) => sizeOf.get(target))
  }

  async #remove(extents: readonly Extent[], signal: AbortSignal): Promise<number> {
    const { catalog } = this.#options
    let removedCount = 0
    for (let start = 0; start < extents.length && !signal.aborted; start += EXTENTS_PER_REMOVAL) {
      const removal = await catalog.removeExtents(extents.slice(start, start + EXTENTS_PER_REMOVAL))
      this.#count(removal)
      removedCount += removal.extentCount
    }
    return removedCount
  }

  async #clearDeletedTopics(signal: AbortSignal): Promise<void> {
    const { catalog } = this.#options
    for (const topicId of await catalog.deletedTopics(DELETED_TOPICS_PER_PASS)) {
      for (let done = false; !done && !signal.aborted && this.#budget > 0; ) {
        const cleared = await catalog.clearDeletedTopic(topicId, EXTENTS_PER_REMOVAL)
        this.#count(cleared)
        done = cleared.done
      }
    }
  }

  #count({ extentCount, bytes }: Removal): void {
    this.#budget -= extentCount
    this.#options.metrics.count('retention_extents', extentCount)
    this.#options.metrics.count('retention_bytes', bytes)
  }
}

function* candidatesOf(topic: Topic, defaults: RetentionPolicy): Generator<Candidate, void, undefined> {
  const policy = policyOf(topic.configs, defaults)
  for (let partition = 0; partition < topic.partitionCount; partition++) {
    yield { topicId: topic.topicId, partition, policy }
  }
}
