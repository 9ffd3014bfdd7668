import type { JobsOptions } from '../engine/jobs/index.js'
import type { Catalog } from '../engine/ports/catalog.js'
import type { JobMetrics } from '../engine/ports/job-metrics.js'
import type { Logger } from '../engine/ports/logger.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import type { SegmentMerger } from '../engine/ports/segment-merger.js'
import type { AgentConfig } from './config/index.js'
import { systemClock, systemRandom } from './system-clock.js'
import { PiscinaSegmentMerger } from './worker-pool/piscina-segment-merger.js'

/** Each takes a place in an index that writers and readers hold: some hundred bytes once decoded. */
const BATCHES_PER_MERGE = 250_000
const DELETION_INTERVAL_MAX_MS = 30_000

export interface JobParts {
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly merger: SegmentMerger
  readonly metrics: JobMetrics
  readonly logger: Logger
  readonly holder: string
  readonly readBytesMax: number
}

/** Background work as the configuration wants it. */
export function jobsOptions(config: AgentConfig, parts: JobParts): JobsOptions {
  const { readBytesMax, ...ports } = parts
  return {
    ...ports,
    clock: systemClock,
    random: systemRandom,
    commitAgeMaxMs: config.commitAgeMaxMs,
    retention: {
      ageMaxMs: config.retentionTimeMs ?? undefined,
      bytesMax: config.retentionBytes ?? undefined,
      intervalMs: config.retentionIntervalMs,
      producerIdExpirationMs: config.producerIdExpirationMs,
    },
    compaction: {
      fanIn: config.compactionFanIn,
      targetBytes: config.compactionBytes,
      ageMinMs: config.compactionDelayMs,
      batchCountMax: BATCHES_PER_MERGE,
      intervalMs: config.compactionIntervalMs,
      readBytesMax,
    },
    deletion: {
      intervalMs: Math.min(DELETION_INTERVAL_MAX_MS, Math.max(250, Math.floor(config.deletionGraceMs / 4))),
      graceMs: config.deletionGraceMs,
    },
  }
}

/** Merging in a thread of its own, or in this one where the store lives in this process. */
export function openMerger(config: Pick<AgentConfig, 'objectStore'>, objectStore: ObjectStore): SegmentMerger {
  const inMemory = config.objectStore.startsWith('memory:')
  return new PiscinaSegmentMerger({ objectStoreUrl: inMemory ? undefined : config.objectStore, objectStore })
}
