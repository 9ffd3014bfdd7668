import { metricOf } from '../test/support/agent-metrics.js'
import type { AgentProcess } from '../test/support/agent-process.js'
import { type Broker, type LoadShape, type LoadTimes, MEMORY_MIB, runLoad, withAgent } from './agent.js'
import { MATRIX, type MatrixEntry } from './agent-matrix.js'
import type { LoadResult } from './client/load.js'
import { engineRates } from './engine.js'
import { benchmarkFileStore } from './file-store.js'
import { type Measurement, mibPerS } from './measurement.js'
import { type Usage, UsageMeter } from './process-usage.js'
import { rounded } from './report.js'
import { PAYLOAD_NAMES } from './samples.js'

const TIMES: LoadTimes = { warmupMs: 1_000, durationMs: 3_600, windowCount: 3 }
/** What a process needs beside what `memory` bounds; the overload test holds agents to the same sum. */
const PROCESS_MIB = 256
const MIB = 2 ** 20

/**
 * The whole agent as a process, over TCP, with the load generator in another process: idempotent producers with acks=all.
 * Generator, agent and workers share the machine's cores, which is what the rates mean. Held against the engine without
 * a network; what the disk takes stands above.
 */
export async function benchmarkAgent(): Promise<Measurement[]> {
  const measurements: Measurement[] = [await benchmarkFileStore()]
  for (const store of ['file', 'memory'] as const) {
    await withAgent(store, [], async (agent) => {
      for (const entry of MATRIX.filter(({ store: its = 'file' }) => its === store)) {
        const [engine] = await engineRates(entry.shape.payload)
        const name = caseOf(store, entry)
        const observed = await observe(agent, agent.pid, entry.shape, TIMES, agent)
        const limit = { name: 'engine', values: engine?.values ?? [] }
        measurements.push(...rowsOf(name, entry, observed, observed.result.windows.map(rateOf), limit))
      }
    })
  }
  return measurements
}

export interface Observed {
  readonly result: LoadResult
  /** Of the broker; undefined where its process is not known. */
  readonly usage: Usage | undefined
  /** Of an agent: the share of time its main thread was busy. */
  readonly eventLoopShare: number | undefined
}

/** A load, and what the broker took for it. */
export async function observe(
  broker: Broker,
  pid: number | undefined,
  shape: LoadShape,
  times: LoadTimes,
  agent?: Pick<AgentProcess, 'httpPort'>,
): Promise<Observed> {
  const meter = pid === undefined ? undefined : new UsageMeter(pid)
  let usage: Usage | undefined
  let eventLoopShare = Promise.resolve(Number.NaN)
  // The series tells of the time since it was read last.
  const readEventLoop = () => (agent ? metricOf(agent, 'headrace_event_loop_utilization_ratio') : eventLoopShare)
  const result = await runLoad(broker, shape, times, (stage) => {
    eventLoopShare = readEventLoop().catch(() => Number.NaN)
    if (stage === 'measuring') meter?.begin()
    else usage = meter?.end()
  })
  return { result, usage, eventLoopShare: agent ? await eventLoopShare : undefined }
}

export function caseOf(store: string, { name, shape }: MatrixEntry): string {
  const place = `${store} store, ${PAYLOAD_NAMES[shape.payload]}, ${shape.partitionCount} partitions`
  return name === '' ? place : `${place}, ${name}`
}

export function settingsOf(shape: LoadShape, { bytes, requestCount, cpuShare }: LoadResult): string {
  const requestKib = Math.round(bytes / requestCount / 1024)
  const batchKib = rounded(bytes / requestCount / shape.partitionsPerRequest / 1024)
  return (
    `${shape.connectionCount} connections x ${shape.inFlightMax} in flight, requests of ${requestKib} KiB with ` +
    `${shape.partitionsPerRequest} batches of ${batchKib} KiB; generator ${Math.round(cpuShare * 100)}% of a core`
  )
}

export function rateOf({ bytes, durationMs }: Pick<LoadResult, 'bytes' | 'durationMs'>): number {
  return mibPerS(bytes, durationMs)
}

/** Of the broker alone: what the generator takes is not counted. */
export function mibPerCoreS({ bytes }: LoadResult, { cpuMs }: Usage): number {
  return mibPerS(bytes, cpuMs)
}

function rowsOf(
  name: string,
  { shape, rateTarget }: MatrixEntry,
  { result, usage, eventLoopShare }: Observed,
  rates: readonly number[],
  limit: Measurement['limit'],
): Measurement[] {
  const row = { benchmark: 'agent', settings: settingsOf(shape, result) }
  const rows: Measurement[] = [
    {
      ...row,
      case: name,
      unit: 'MiB/s',
      values: rates,
      ...(limit && { limit }),
      ...(rateTarget && { target: rateTarget }),
    },
    { ...row, case: `${name}, p99`, unit: 'ms', values: result.windows.map(({ acknowledged }) => acknowledged.p99Ms) },
  ]
  if (usage === undefined) return rows
  const percent = (share: number) => `${Math.round(100 * share)}%`
  const threads =
    `agent's threads: main ${percent(usage.mainThreadShare)}, busiest other ${percent(usage.busiestOtherShare)}, ` +
    `rest ${percent(usage.restShare)} of a core`
  return [
    ...rows,
    {
      ...row,
      case: `${name}, by CPU of the agent`,
      unit: 'MiB/core-s',
      values: [mibPerCoreS(result, usage)],
      settings: threads,
    },
    {
      ...row,
      case: `${name}, main thread busy`,
      unit: '%',
      values: [100 * (eventLoopShare ?? Number.NaN)],
      settings: threads,
    },
    {
      ...row,
      case: `${name}, resident memory`,
      unit: 'MiB',
      values: [usage.rssBytesMax / MIB],
      limit: { name: `memory + ${PROCESS_MIB} MiB`, values: [MEMORY_MIB + PROCESS_MIB] },
      target: { of: 'ratio', atMost: 1 },
    },
  ]
}
