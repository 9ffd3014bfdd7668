import { createJobs, JobRunner } from '../../engine/jobs/index.js'
import type { CancelTimer, Clock } from '../../engine/ports/clock.js'
import { NO_JOB_METRICS } from '../../engine/ports/job-metrics.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import type { SegmentMerger } from '../../engine/ports/segment-merger.js'
import { mergeSegments } from '../../workers/merge-segments.js'
import { SeededRandom } from '../support/virtual-clock.js'
import type { CatalogDatabase } from './catalog-database.js'
import { DELETION_GRACE_MS } from './history.js'
import { simulatedJobsCatalog } from './simulated-jobs-catalog.js'
import type { SimulatedObjectStore } from './simulated-object-store.js'
import type { Life, World } from './world.js'

/** The jobs count in minutes and a run takes seconds: their timers and rests pass so much faster, timestamps do not. */
const SPEED = 100
const JOBS: readonly string[] = ['retention', 'compaction', 'deletion']

/** What all agents of a run have in common, as one cluster's settings. */
export interface JobsPolicy {
  readonly fanIn: number
  readonly targetBytes: number
  readonly batchCountMax: number
  readonly retentionBytes: number | undefined
  readonly leaseDivisor: number
  readonly intervalMs: number
}

export function choosePolicy(world: World): JobsPolicy {
  return {
    fanIn: 2 + world.int(3),
    targetBytes: world.pick([4000, 12_000, 50_000]) ?? 12_000,
    batchCountMax: world.pick([20, 100]) ?? 100,
    retentionBytes: world.pick([undefined, 500, 3000]),
    // With the longer ones a lease ends while its holder works: then two do the same.
    leaseDivisor: world.pick([SPEED, 10 * SPEED, 100 * SPEED]) ?? SPEED,
    intervalMs: world.between(80, 400),
  }
}

export interface SimulatedJobsOptions {
  readonly life: Life
  readonly clock: Clock
  readonly database: CatalogDatabase
  readonly objectStore: SimulatedObjectStore
  readonly policy: JobsPolicy
  readonly commitAgeMaxMs: number
}

/** The engine's background jobs in one agent. The sweep is apart: it runs in every seed. */
export function startSimulatedJobs(world: World, options: SimulatedJobsOptions): JobRunner {
  const { jobs, ...shared } = simulatedJobs(world, options)
  return new JobRunner({ ...shared, jobs: jobs.filter(({ name }) => JOBS.includes(name)), onFailure: () => {} })
}

/** One pass of the deletion, in a world that has become quiet. */
export async function deleteDeadObjects(world: World, options: Omit<SimulatedJobsOptions, 'clock'>): Promise<void> {
  const { jobs } = simulatedJobs(world, { ...options, clock: world.clock })
  await jobs.find(({ name }) => name === 'deletion')?.run(new AbortController().signal)
}

function simulatedJobs(world: World, options: SimulatedJobsOptions) {
  const { life, database, objectStore, policy, commitAgeMaxMs } = options
  const { retentionBytes, leaseDivisor, fanIn, targetBytes, batchCountMax } = policy
  const configs: Record<string, string> =
    retentionBytes === undefined ? {} : { 'retention.bytes': String(retentionBytes) }
  const merger: SegmentMerger = {
    merge: async (input, signal) => mergeSegments(input, objectStore, { signal }),
    close: async () => {},
  }
  const intervalMs = policy.intervalMs * SPEED
  const shared = {
    clock: new FastClock(options.clock),
    random: new SeededRandom(world.int(2 ** 31)),
    logger: NO_LOGGER,
  }
  const jobs = createJobs({
    ...shared,
    catalog: simulatedJobsCatalog(world, life, database, { configs, leaseDivisor }),
    objectStore,
    merger,
    metrics: NO_JOB_METRICS,
    holder: life.name,
    commitAgeMaxMs,
    retention: { ageMaxMs: undefined, bytesMax: undefined, intervalMs, producerIdExpirationMs: 86_400_000 },
    compaction: { fanIn, targetBytes, ageMinMs: 0, batchCountMax, intervalMs, readBytesMax: 65_536 },
    deletion: { intervalMs, graceMs: world.bug === 'deletion-without-grace' ? 0 : DELETION_GRACE_MS },
  })
  return { ...shared, jobs }
}

class FastClock implements Clock {
  constructor(private readonly clock: Clock) {}

  nowMs(): number {
    return this.clock.nowMs()
  }

  monotonicMs(): number {
    return this.clock.monotonicMs() * SPEED
  }

  schedule(delayMs: number, callback: () => void): CancelTimer {
    return this.clock.schedule(delayMs / SPEED, callback)
  }
}
