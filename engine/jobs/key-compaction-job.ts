import { isHeadraceError } from '../errors.js'
import { partitionKey, type Topic } from '../model.js'
import type { Catalog, Extent } from '../ports/catalog.js'
import type { Random } from '../ports/clock.js'
import type { JobMetrics } from '../ports/job-metrics.js'
import type { MergeObject, SegmentMerger } from '../ports/segment-merger.js'
import { newSegmentId, segmentObjectKey } from '../segment-identity.js'
import { hasCleanupPolicy } from '../topics/topic-configs.js'
import type { Job } from './job-runner.js'
import {
  KEY_COMPACTED_LEVEL,
  type KeyCompactionPlan,
  type KeyCompactionPolicy,
  keyCompactionPolicyOf,
  overlapping,
  planKeyCompaction,
} from './key-compaction-plan.js'
import { type LeasedOptions, leased } from './leased.js'
import { swapUntilKnown } from './swap-until-known.js'
import { SWEEP_LEASE, SWEEP_NEEDED } from './sweep-job.js'

export interface KeyCompactionJobOptions extends Omit<LeasedOptions, 'catalog'> {
  readonly catalog: Catalog
  readonly random: Random
  readonly merger: SegmentMerger
  readonly metrics: JobMetrics
  readonly intervalMs: number
  /** Younger segments are left alone. */
  readonly ageMinMs: number
  readonly readBytesMax: number
  readonly commitAgeMaxMs: number
}

/** A larger compacted partition is compacted up to here: what lies behind it keeps all its records. */
const PARTITION_BYTES_MAX = 4 * 2 ** 30
const EXTENTS_PER_PARTITION = 10_000
/** How long a partition that could not be compacted is left alone: each attempt reads it. */
const FAILED_REST_MS = 600_000
const EXTENT_BYTES_MAX = 8 * 1024 * 1024
/** Some hundreds of thousands of keys. Beyond it a pass takes in fewer extents. */
const KEY_BYTES_MAX = 96 * 1024 * 1024

/**
 * Log compaction, as Kafka calls it: in topics with `cleanup.policy=compact` the latest record of each key stays, with its offset. A
 * partition is read from its start and written anew, by itself, when enough of it is new; the segments it lay in keep the rest.
 */
export class KeyCompactionJob implements Job {
  readonly name = 'key-compaction'
  readonly intervalMs: number
  readonly #options: KeyCompactionJobOptions
  /** Partitions that failed, and until when they rest. */
  readonly #resting = new Map<string, number>()

  constructor(options: KeyCompactionJobOptions) {
    this.#options = options
    this.intervalMs = options.intervalMs
  }

  async run(signal: AbortSignal): Promise<boolean> {
    const topics = (await this.#options.catalog.listTopics()).filter(({ configs }) =>
      hasCleanupPolicy(configs, 'compact'),
    )
    if (topics.length === 0) return false
    await leased(this.#options, this.name, signal, async (leaseSignal) => {
      for (const topic of topics) await this.#compactTopic(topic, leaseSignal)
      return { result: true }
    })
    return false
  }

  async #compactTopic({ topicId, partitionCount, configs }: Topic, signal: AbortSignal): Promise<void> {
    const { catalog, clock, logger, metrics, ageMinMs } = this.#options
    const policy = keyCompactionPolicyOf(configs)
    for (let partition = 0; partition < partitionCount && !signal.aborted; partition++) {
      const key = partitionKey(topicId, partition)
      if ((this.#resting.get(key) ?? 0) > clock.monotonicMs()) continue
      this.#resting.delete(key)
      const nowMs = await catalog.databaseTimeMs()
      const plan = planKeyCompaction(await this.#extents(topicId, partition), policy, {
        ageMinMs,
        bytesMax: PARTITION_BYTES_MAX,
        nowMs,
      })
      if (plan === undefined) continue
      try {
        await this.#compact(plan, policy, nowMs, signal)
      } catch (error) {
        if (signal.aborted) return
        // One partition must not keep the others from being compacted.
        metrics.count('compactions_failed', 1)
        // What the stores refused now may be there the next time.
        const isTransient = isHeadraceError(error) && (error.retry !== 'never' || error.code === 'OBJECT_NOT_FOUND')
        if (!isTransient) this.#resting.set(key, clock.monotonicMs() + FAILED_REST_MS)
        logger.warn(
          { err: error, topicId, partition },
          'a partition could not be compacted by key; it keeps all its records',
        )
      }
    }
  }

  /** From the log start on. */
  async #extents(topicId: string, partition: number): Promise<readonly Extent[]> {
    const { catalog } = this.#options
    const [start] = await catalog.partitionOffsets([{ topicId, partition }])
    if (start === undefined || start.logStartOffset === start.highWatermark) return []
    const [answer] = await catalog.findExtents([
      {
        topicId,
        partition,
        offset: start.logStartOffset,
        bytesMax: PARTITION_BYTES_MAX,
        extentCountMax: EXTENTS_PER_PARTITION,
      },
    ])
    return answer?.extents ?? []
  }

  async #compact(
    { extents, firstDirty }: KeyCompactionPlan,
    policy: KeyCompactionPolicy,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, merger, metrics, readBytesMax, commitAgeMaxMs, catalog } = this.#options
    const objects = [...new Map(extents.map((extent) => [extent.segmentId, objectOf(extent)])).values()]
    const numberOf = new Map(objects.map(({ segmentId }, number) => [segmentId, number]))
    const createdAtMs = clock.nowMs()
    const segmentId = newSegmentId(createdAtMs, random)
    const identity = { segmentId, objectKey: segmentObjectKey(segmentId), level: KEY_COMPACTED_LEVEL }
    await catalog.noteLease(SWEEP_LEASE, SWEEP_NEEDED)
    const output = await merger.merge(
      {
        ...identity,
        createdAtMs,
        objects,
        extents: extents.map((extent) => ({ ...extent, object: numberOf.get(extent.segmentId) ?? -1 })),
        readBytesMax,
        extentBytesMax: EXTENT_BYTES_MAX,
        keys: {
          firstDirty,
          tombstonesBeforeMs: nowMs - policy.tombstoneRetentionMs,
          keyBytesMax: KEY_BYTES_MAX,
        },
      },
      signal,
    )
    const used = extents.slice(0, output.inputCount)
    const outcome = await swapUntilKnown(
      catalog,
      {
        inputs: [...new Set(used.map((extent) => extent.segmentId))],
        output: { ...identity, objectBytes: output.objectBytes, extents: overlapping(used, output.extents) },
        partial: true,
      },
      commitAgeMaxMs,
    )
    metrics.count(outcome.swapped ? 'compactions' : 'compactions_failed', 1)
    metrics.count('compaction_read_bytes', output.readBytes)
    metrics.count('compaction_written_bytes', output.objectBytes)
    metrics.count('compaction_gets', output.getRequestCount)
    metrics.count('compaction_puts', output.putRequestCount)
  }
}

function objectOf({ segmentId, objectKey, objectBytes }: Extent): MergeObject {
  return { segmentId, objectKey, objectBytes }
}
