import type { SegmentTotal } from './jobs-catalog.js'

/** What background jobs report about themselves. */
export interface JobMetrics {
  count(counter: JobCounter, increment: number): void
  gauge(gauge: JobGauge, value: number): void
  /** Segments by state and level, as seen last. */
  segments(totals: readonly SegmentTotal[]): void
}

export type JobCounter =
  | 'compactions'
  | 'compaction_read_bytes'
  | 'compaction_written_bytes'
  /** Bytes of objects that compaction made superfluous, beyond what it wrote. */
  | 'compaction_reclaimed_bytes'
  | 'compaction_gets'
  | 'compaction_puts'
  /** Swaps refused, and inputs that could not be read. */
  | 'compactions_failed'
  | 'retention_extents'
  | 'retention_bytes'
  | 'objects_deleted'
  | 'object_bytes_deleted'
  | 'object_deletions_failed'
  | 'orphans_found'
  | 'job_failures'

export type JobGauge =
  /** How far the oldest expired extent is beyond its time. */
  | 'retention_lag_ms'
  /** Since when the oldest dead object waits to be deleted. */
  | 'oldest_dead_object_ms'

export const NO_JOB_METRICS: JobMetrics = { count() {}, gauge() {}, segments() {} }
