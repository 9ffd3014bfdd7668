import type { Payload } from '../samples.js'
import type { Percentiles } from './load-windows.js'

/** What the load generator is told to do. Plain data: it crosses a process boundary. */
export interface Load {
  readonly host: string
  readonly port: number
  readonly topic: string
  readonly partitionCount: number
  readonly connectionCount: number
  /** Requests of one connection that wait for their answer at most. */
  readonly inFlightMax: number
  readonly partitionsPerRequest: number
  readonly recordsPerBatch: number
  readonly payload: Payload
  /** Runs before the measurement, without being counted. */
  readonly warmupMs: number
  readonly durationMs: number
  /** The duration is cut into so many windows, which are the repetitions of a row. Default 1. */
  readonly windowCount?: number
  /** Requests per second over all connections, sent at their time whatever the answers do; undefined: as fast as they are answered. */
  readonly requestsPerS?: number
  /** A consumer at the end of every partition measures from when a request was due to having it. */
  readonly consume?: boolean
  /** Leaves nothing behind: for brokers that outlive the benchmark. */
  readonly deleteTopic?: boolean
}

/** What the generator says while it runs: the measurement has begun, it is over, and what came of it. */
export type LoadMessage = 'measuring' | 'measured' | LoadResult

export interface LoadResult {
  readonly topic: string
  readonly requestCount: number
  readonly bytes: number
  readonly recordCount: number
  /** Batches that were refused, or not answered until long after the end. */
  readonly errorCount: number
  /** Kafka's codes of those that were refused. */
  readonly errorCodes: readonly number[]
  readonly durationMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly windows: readonly WindowResult[]
  /** Share of one core that the generator itself took: above 0.9 it may have been the limit. */
  readonly cpuShare: number
}

export interface WindowResult {
  readonly durationMs: number
  readonly requestCount: number
  readonly bytes: number
  readonly recordCount: number
  readonly acknowledged: Percentiles
  /** Where there was a consumer. */
  readonly consumed: Percentiles
}
