import { performance } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { JobMetrics } from '../../engine/ports/job-metrics.js'
import type { EngineCounter, EngineGauge, Metrics, WriteStage } from '../../engine/ports/metrics.js'
import { createJobSeries } from './job-series.js'
import { createKafkaSeries, type KafkaSeries } from './kafka-series.js'
import { createObjectStoreSeries, type ObjectStoreSeries } from './object-store-series.js'

/** The engine's metrics as Prometheus series, in a registry of their own: several agents may live in one process. */
export interface PrometheusMetrics extends Metrics {
  /** What a Kafka listener reports. */
  readonly kafka: KafkaSeries
  /** What background jobs report. */
  readonly jobs: JobMetrics
  /** What the object store reports. */
  readonly objectStore: ObjectStoreSeries
  readonly contentType: string
  render(): Promise<string>
}

/** 0.5 ms to 30 s: from a commit on a local SQLite to the last retry of an upload. */
const BUCKETS_SECONDS = [
  0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2, 5, 10, 30,
]

const COUNTERS: Readonly<Record<EngineCounter, string>> = {
  produce_bytes: 'Bytes of record batches taken from producers',
  produce_batches: 'Record batches taken from producers',
  produce_requests: 'Produce requests taken from producers',
  batches_refused: 'Record batches refused: invalid, fenced, out of sequence, or of an unknown partition',
  batches_duplicate: 'Record batches answered with the offset they already had',
  segments_written: 'Segments uploaded',
  segment_bytes: 'Bytes of uploaded segments',
  segments_failed: 'Segments whose upload or commit finally failed',
  object_store_puts: 'Requests the object store charges as writes',
  commits: 'Commit transactions',
  commit_retries: 'Commit transactions that had to be repeated',
  fetch_bytes: 'Bytes of record batches given to consumers',
  fetch_requests: 'Fetch requests answered',
  cache_hit_bytes: 'Bytes read from memory',
  cache_miss_bytes: 'Bytes read from the object store',
  group_rebalances: 'Rebalances of consumer groups that ended in a new generation',
  group_offsets_committed: 'Offsets committed by consumer groups',
}

const GAUGES: Readonly<Record<EngineGauge, string>> = {
  arena_bytes_in_use: 'Bytes of write memory in use',
  arena_bytes_max: 'Bytes of write memory there may be',
  arena_waiters: 'Produce requests that wait for write memory',
  uploads_in_flight: 'Segments being encoded or uploaded',
  commit_lane_segments: 'Segments between sealing and the end of their commit',
  cache_bytes: 'Bytes of the read cache in use',
  answer_bytes: 'Bytes of answers to fetches that have not left yet',
  groups: 'Consumer groups this agent coordinates and has in memory',
  group_members: 'Members of these groups',
}

export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  addEventLoopUtilization(registry)
  const stages = new Histogram<'stage'>({
    name: 'headrace_write_stage_seconds',
    help: 'How long segments spend in each stage of the write path',
    labelNames: ['stage'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  })
  const counters = eachOf(COUNTERS, (name, help) => new Counter({ name, help, registers: [registry] }), '_total')
  const gauges = eachOf(GAUGES, (name, help) => new Gauge({ name, help, registers: [registry] }), '')
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    stage: (stage: WriteStage, durationMs) => stages.observe({ stage }, durationMs / 1000),
    count: (counter, increment) => counters[counter].inc(increment),
    gauge: (gauge, value) => gauges[gauge].set(value),
    kafka: createKafkaSeries(registry, BUCKETS_SECONDS),
    jobs: createJobSeries(registry),
    objectStore: createObjectStoreSeries(registry, BUCKETS_SECONDS),
  }
}

function eachOf<K extends string, T>(
  descriptions: Readonly<Record<K, string>>,
  create: (name: string, help: string) => T,
  suffix: string,
): Readonly<Record<K, T>> {
  const entries = Object.entries<string>(descriptions).map(([key, help]) => [
    key,
    create(`headrace_${key}${suffix}`, help),
  ])
  return Object.fromEntries(entries) as Record<K, T>
}

/** The share of time the main thread was busy since the last scrape: what says first that an agent is at its limit. */
function addEventLoopUtilization(registry: Registry): void {
  let last = performance.eventLoopUtilization()
  new Gauge({
    name: 'headrace_event_loop_utilization_ratio',
    help: 'Share of time the main thread was busy since the last scrape',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization()
      this.set(performance.eventLoopUtilization(now, last).utilization)
      last = now
    },
  })
}
