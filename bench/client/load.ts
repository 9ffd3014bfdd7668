import type { Payload } from '../samples.js'

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
  /** Requests per second over all connections, sent at their time whatever the answers do; undefined: as fast as they are answered. */
  readonly requestsPerS?: number
}

export interface LoadResult {
  readonly topic: string
  readonly requestCount: number
  readonly bytes: number
  readonly recordCount: number
  readonly errorCount: number
  readonly durationMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Share of one core that the generator itself took: above 0.9 it may have been the limit. */
  readonly cpuShare: number
}
