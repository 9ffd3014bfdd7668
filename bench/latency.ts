import { runLoad, THROUGHPUT, withAgent } from './agent.js'
import type { LoadResult } from './client/load.js'
import type { Measurement } from './measurement.js'

const FLUSH_INTERVALS = ['10ms', '50ms', '250ms']
const SHARES = [0.01, 0.5, 0.8]
const TIMES = { warmupMs: 1_500, durationMs: 5_000 }
/** Small enough that a share of capacity is many requests; in flight so many that the longest interval does not bound them. */
const SHAPE = { ...THROUGHPUT, recordsPerBatch: 16, connectionCount: 16, inFlightMax: 64 }

/**
 * From the moment a request was due to its acknowledgement, at shares of what the agent can take: an open loop, so that waiting behind
 * a slow answer counts. Percentiles are exact, over all requests.
 */
export async function benchmarkLatency(): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const interval of FLUSH_INTERVALS) {
    await withAgent('file', ['--flush-interval', interval], async (agent) => {
      const capacity = await runLoad(agent, SHAPE, TIMES)
      const capacityPerS = capacity.requestCount / (capacity.durationMs / 1000)
      for (const share of SHARES) {
        const requestsPerS = Math.max(1, Math.round(share * capacityPerS))
        const result = await runLoad(agent, { ...SHAPE, requestsPerS }, TIMES)
        measurements.push(...rowsOf(interval, share, requestsPerS, result))
      }
    })
  }
  return measurements
}

function rowsOf(interval: string, share: number, requestsPerS: number, result: LoadResult): Measurement[] {
  const percentiles = { p50: result.p50Ms, p99: result.p99Ms, 'p99.9': result.p999Ms }
  return Object.entries(percentiles).map(([name, value]) => ({
    benchmark: 'latency',
    case: `flush ${interval}, ${Math.round(share * 100)}% of capacity, ${name}`,
    unit: 'ms',
    values: [value],
    settings: `${requestsPerS} requests/s, open loop, ${result.requestCount} answered, file store`,
  }))
}
