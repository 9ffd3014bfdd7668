import { Counter, Gauge, type Registry } from 'prom-client'
import type { JobCounter, JobMetrics } from '../../engine/ports/job-metrics.js'

const COUNTERS: Readonly<Record<JobCounter, string>> = {
  compactions: 'Compactions done',
  compaction_read_bytes: 'Bytes compaction read from the object store',
  compaction_written_bytes: 'Bytes of the segments compaction wrote',
  compaction_reclaimed_bytes: 'Bytes by which the segments compaction replaced were larger than those it wrote',
  compaction_gets: 'GET requests of compaction',
  compaction_puts: 'Requests of compaction the object store charges as writes',
  compactions_failed: 'Compactions that came to nothing: refused by the catalog, or an input could not be read',
  retention_extents: 'Catalog rows of expired, deleted or trimmed data removed',
  retention_bytes: 'Bytes of expired, deleted or trimmed data, as stored',
  objects_deleted: 'Objects deleted from the object store',
  object_bytes_deleted: 'Bytes of dead segments deleted from the object store',
  object_deletions_failed: 'Deletions of dead objects the object store did not confirm; they are tried again',
  orphans_found: 'Objects the sweep found that no catalog row claims',
  job_failures: 'Passes of background jobs that failed',
}

/** What background jobs report, as series. */
export function createJobSeries(registry: Registry): JobMetrics {
  const registers = [registry]
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, help]) => [
      name,
      new Counter({ name: `headrace_${name}_total`, help, registers }),
    ]),
  )
  const gauges = {
    retention_lag_ms: new Gauge({
      name: 'headrace_retention_lag_seconds',
      help: 'How far the oldest expired record was beyond its time when retention last looked',
      registers,
    }),
    oldest_dead_object_ms: new Gauge({
      name: 'headrace_oldest_dead_object_seconds',
      help: 'For how long the oldest object without live data has waited to be deleted',
      registers,
    }),
  }
  const labelNames = ['state', 'level'] as const
  const segmentCount = new Gauge({
    name: 'headrace_segments',
    help: 'Segments in the catalog by state (live, dead, deleted) and level; live ones of level 0 are the backlog',
    labelNames,
    registers,
  })
  const segmentBytes = new Gauge({
    name: 'headrace_segments_bytes',
    help: 'Bytes of their objects',
    labelNames,
    registers,
  })
  return {
    count: (counter, increment) => counters.get(counter)?.inc(increment),
    gauge: (gauge, value) => gauges[gauge].set(value / 1000),
    segments: (totals) => {
      segmentCount.reset()
      segmentBytes.reset()
      for (const { state, level, ...total } of totals) {
        segmentCount.set({ state, level }, total.segmentCount)
        segmentBytes.set({ state, level }, total.objectBytes)
      }
    },
  }
}
