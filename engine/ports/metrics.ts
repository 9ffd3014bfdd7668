/**
 * What the engine reports about itself. `adapters/http/` turns it into Prometheus series; tests count with it; a no-op
 * serves where nobody listens. Durations are milliseconds here and seconds on `/metrics`.
 */
export interface Metrics {
  /** One observation of a stage of the write path (DESIGN 4). */
  stage(stage: WriteStage, durationMs: number): void
  count(counter: EngineCounter, increment: number): void
  gauge(gauge: EngineGauge, value: number): void
}

export type WriteStage = 'buffer_wait' | 'encode' | 'upload' | 'commit_wait' | 'commit_run' | 'total'

export type EngineCounter =
  | 'produce_bytes'
  | 'produce_batches'
  | 'produce_requests'
  | 'batches_refused'
  | 'batches_duplicate'
  | 'segments_written'
  | 'segment_bytes'
  | 'segments_failed'
  | 'object_store_puts'
  | 'commits'
  | 'commit_retries'
  | 'fetch_bytes'
  | 'fetch_requests'
  | 'cache_hit_bytes'
  | 'cache_miss_bytes'
  | 'group_rebalances'
  | 'group_offsets_committed'

export type EngineGauge =
  | 'arena_bytes_in_use'
  | 'arena_bytes_max'
  | 'arena_waiters'
  | 'uploads_in_flight'
  | 'commit_lane_segments'
  | 'cache_bytes'
  | 'answer_bytes'
  | 'groups'
  | 'group_members'

export const NO_METRICS: Metrics = { stage() {}, count() {}, gauge() {} }
