import type { AgentProcess } from '../test/support/agent-process.js'
import { type LoadShape, type LoadTimes, runLoad, THROUGHPUT, withAgent } from './agent.js'
import type { LoadResult, WindowResult } from './client/load.js'
import type { Percentiles } from './client/load-windows.js'
import type { Limit, Measurement, Target } from './measurement.js'
import { readStage, type StageTimes, stageMeanMs, stagePercentileMs, stageSince } from './stage-times.js'

const FLUSH_INTERVALS_MS = [10, 50, 250]
const SHARES = [0.01, 0.5, 0.8]
const CAPACITY_TIMES: LoadTimes = { warmupMs: 1_500, durationMs: 3_000 }
const TIMES: LoadTimes = { warmupMs: 1_000, durationMs: 3_600, windowCount: 3 }
/** Small enough that a share of capacity is many requests; in flight so many that the longest interval does not bound them. */
const SHAPE: LoadShape = { ...THROUGHPUT, recordsPerBatch: 16, connectionCount: 16, inFlightMax: 64, consume: true }
/** One client that sends a little now and then: half as often at most as the interval would write. */
const sparse = (flushMs: number): LoadShape => ({
  ...SHAPE,
  connectionCount: 1,
  partitionsPerRequest: 1,
  recordsPerBatch: 1,
  requestsPerS: Math.min(10, 500 / flushMs),
})
/** What an acknowledgement may take beside what upload and commit take. */
const OVERHEAD = 1.2
const PERCENTILES = { p50: 'p50Ms', p99: 'p99Ms', 'p99.9': 'p999Ms' } as const

/**
 * From the moment a request was due to its acknowledgement, and to a consumer's having it, at shares of what the agent can take:
 * an open loop, so that waiting behind a slow answer counts. Held against what the agent says of its uploads and commits in
 * the same seconds. Percentiles of HdrHistograms, one for each of three windows.
 */
export async function benchmarkLatency(): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const flushMs of FLUSH_INTERVALS_MS) {
    await withAgent('file', ['--flush-interval', `${flushMs}ms`], async (agent) => {
      const capacity = await runLoad(agent, SHAPE, CAPACITY_TIMES)
      const capacityPerS = capacity.requestCount / (capacity.durationMs / 1000)
      for (const share of SHARES) {
        const requestsPerS = Math.max(1, Math.round(share * capacityPerS))
        const { result, upload, commit } = await observe(agent, { ...SHAPE, requestsPerS })
        const name = `flush ${flushMs}ms, ${Math.round(share * 100)}% of capacity`
        const mayTakeMs = flushMs + OVERHEAD * (stagePercentileMs(upload, 0.99) + stagePercentileMs(commit, 0.99))
        const limit = { name: `flush + ${OVERHEAD} x (upload + commit), p99s`, values: [mayTakeMs] }
        measurements.push(
          ...rowsOf(name, requestsPerS, result, (percentile) =>
            share === 0.5 && percentile === 'p99' ? { limit, target: { of: 'ratio', atMost: 1 } } : {},
          ),
        )
      }
      measurements.push(...(await measureSparse(agent, flushMs)))
    })
  }
  return measurements
}

async function measureSparse(agent: AgentProcess, flushMs: number): Promise<Measurement[]> {
  const shape = sparse(flushMs)
  const { result, upload, commit } = await observe(agent, shape)
  const limit = { name: 'upload + commit, means', values: [stageMeanMs(upload) + stageMeanMs(commit)] }
  return rowsOf(`flush ${flushMs}ms, sparse`, shape.requestsPerS!, result, (percentile) =>
    percentile === 'p50' ? { limit, target: { of: 'ratio', atMost: OVERHEAD } } : {},
  )
}

interface Observed {
  readonly result: LoadResult
  /** Stages of the agent during the measurement. */
  readonly upload: StageTimes
  readonly commit: StageTimes
}

async function observe(agent: AgentProcess, shape: LoadShape): Promise<Observed> {
  const read = () => Promise.all([readStage(agent, 'upload'), readStage(agent, 'commit_run')])
  const readings: ReturnType<typeof read>[] = []
  const result = await runLoad(agent, shape, TIMES, () => void readings.push(read()))
  const [before, after] = await Promise.all(readings)
  return { result, upload: stageSince(before![0], after![0]), commit: stageSince(before![1], after![1]) }
}

type Held = { readonly limit?: Limit; readonly target?: Target }

function rowsOf(
  name: string,
  requestsPerS: number,
  { windows, requestCount }: LoadResult,
  acknowledgementHeld: (percentile: string) => Held,
): Measurement[] {
  const settings = `${requestsPerS} requests/s, open loop, ${requestCount} answered in ${windows.length} windows, file store`
  const rows = (
    label: string,
    percentilesOf: (window: WindowResult) => Percentiles,
    held: (percentile: string) => Held,
  ) =>
    Object.entries(PERCENTILES).map(([percentile, key]) => ({
      benchmark: 'latency',
      case: `${name}, ${label} ${percentile}`,
      unit: 'ms',
      values: windows.map((window) => percentilesOf(window)[key]),
      settings,
      ...held(percentile),
    }))
  return [
    ...rows('acknowledged', ({ acknowledged }) => acknowledged, acknowledgementHeld),
    ...rows(
      'consumed',
      ({ consumed }) => consumed,
      () => ({}),
    ),
  ]
}
