import type { Catalog } from '../ports/catalog.js'
import type { Clock, Random } from '../ports/clock.js'
import type { JobMetrics } from '../ports/job-metrics.js'
import type { Logger } from '../ports/logger.js'
import type { ObjectStore } from '../ports/object-store.js'
import type { SegmentMerger } from '../ports/segment-merger.js'
import { CompactionJob } from './compaction-job.js'
import type { CompactionLimits } from './compaction-plan.js'
import { DeletionJob } from './deletion-job.js'
import { type Job, JobRunner } from './job-runner.js'
import { KeyCompactionJob } from './key-compaction-job.js'
import { RetentionJob } from './retention-job.js'
import type { RetentionPolicy } from './retention-plan.js'
import { SweepJob } from './sweep-job.js'

export interface JobsOptions {
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly merger: SegmentMerger
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: JobMetrics
  /** Tells this agent from all others in leases. */
  readonly holder: string
  readonly commitAgeMaxMs: number
  readonly retention: RetentionPolicy & { readonly intervalMs: number; readonly producerIdExpirationMs: number }
  readonly compaction: CompactionLimits & { readonly intervalMs: number; readonly readBytesMax: number }
  readonly deletion: { readonly intervalMs: number; readonly graceMs: number }
}

/** All background work of an agent. */
export function createJobs(options: JobsOptions): readonly Job[] {
  const { catalog, objectStore, merger, clock, random, logger, metrics, holder, commitAgeMaxMs } = options
  const base = { catalog, clock, logger, holder, metrics }
  const { ageMaxMs, bytesMax, ...retention } = options.retention
  const { intervalMs, readBytesMax, ...limits } = options.compaction
  return [
    new RetentionJob({ ...base, ...retention, defaults: { ageMaxMs, bytesMax } }),
    new CompactionJob({ ...base, random, merger, intervalMs, readBytesMax, limits, commitAgeMaxMs }),
    new KeyCompactionJob({
      ...base,
      random,
      merger,
      intervalMs,
      readBytesMax,
      ageMinMs: limits.ageMinMs,
      commitAgeMaxMs,
    }),
    new DeletionJob({ ...base, objectStore, ...options.deletion, commitAgeMaxMs }),
    new SweepJob({ ...base, objectStore, commitAgeMaxMs }),
  ]
}

/** Runs them until closed. */
export function startJobs(options: JobsOptions): JobRunner {
  const { clock, random, logger, metrics } = options
  const onFailure = () => metrics.count('job_failures', 1)
  return new JobRunner({ jobs: createJobs(options), clock, random, logger, onFailure })
}

export { CompactionJob } from './compaction-job.js'
export type { CompactionLimits } from './compaction-plan.js'
export { type Job, JobRunner } from './job-runner.js'
export { deleteOrphans, type SweepReport, sweep } from './sweep-job.js'
