import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import type { Load, LoadResult } from './client/load.js'
import { engineRates } from './engine.js'
import { type Measurement, mibPerS } from './measurement.js'
import { PAYLOAD_NAMES } from './samples.js'

const CLIENT = new URL('./client/main.js', import.meta.url)
const CLIENT_TIMEOUT_MS = 60_000

export type LoadShape = Omit<Load, 'host' | 'port' | 'topic' | 'warmupMs' | 'durationMs'>

const REPETITIONS = 3
const WARMUP_MS = 2_000
const DURATION_MS = 4_000

/** Requests as busy producers send them: batches of 16 KiB and more for several partitions. */
export const THROUGHPUT: LoadShape = {
  partitionCount: 64,
  connectionCount: 8,
  inFlightMax: 5,
  partitionsPerRequest: 8,
  recordsPerBatch: 256,
  payload: 'json',
}

const SHAPES: readonly LoadShape[] = [
  THROUGHPUT,
  { ...THROUGHPUT, payload: 'json-lz4' },
  { ...THROUGHPUT, recordsPerBatch: 4, connectionCount: 32 },
  { ...THROUGHPUT, partitionCount: 1_000 },
]

/**
 * The whole agent as a process, over TCP, with the load generator in another process: idempotent producers with acks=all.
 * Generator, agent and workers share the machine's cores, which is what the numbers mean. Held against the engine without
 * a network.
 */
export async function benchmarkAgent(): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  await withAgent('file', [], async (agent) => {
    for (const shape of SHAPES) measurements.push(...(await measure(agent, 'file', shape)))
  })
  await withAgent('memory', [], async (agent) => {
    measurements.push(...(await measure(agent, 'memory', THROUGHPUT)))
  })
  return measurements
}

/** An agent with stores of its own in a temporary directory, for as long as `use` runs. */
export async function withAgent<T>(
  store: 'file' | 'memory',
  args: readonly string[],
  use: (agent: AgentProcess) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const objectStore = store === 'memory' ? 'memory://' : `file://${join(directory, 'objects')}`
  const stores = ['--object-store', objectStore, '--catalog', `sqlite://${join(directory, 'catalog.db')}`]
  try {
    const agent = await startAgentProcess({ args: [...stores, '--log-level', 'info', '--memory', '1GiB', ...args] })
    return await use(agent).finally(() => agent.stop())
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(agent: AgentProcess, store: string, shape: LoadShape): Promise<Measurement[]> {
  const results: LoadResult[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition++) results.push(await runLoad(agent, shape))
  const [engine] = await engineRates(shape.payload)
  const first = results[0]!
  const requestKib = Math.round(first.bytes / first.requestCount / 1024)
  const row = {
    benchmark: 'agent',
    settings:
      `${shape.connectionCount} connections x ${shape.inFlightMax} in flight, requests of ${requestKib} KiB in ` +
      `${shape.partitionsPerRequest} of ${shape.partitionCount} partitions; generator ${Math.round(first.cpuShare * 100)}% of a core`,
  }
  const name = `${store} store, ${PAYLOAD_NAMES[shape.payload]}, ${requestKib} KiB, ${shape.partitionCount} partitions`
  return [
    {
      ...row,
      case: name,
      unit: 'MiB/s',
      values: results.map(({ bytes, durationMs }) => mibPerS(bytes, durationMs)),
      limit: { name: 'engine', values: engine?.values ?? [] },
    },
    { ...row, case: `${name}, p99`, unit: 'ms', values: results.map(({ p99Ms }) => p99Ms) },
  ]
}

let loadCount = 0

/** Runs the load generator in a process of its own, on a topic of its own. @throws when batches were not acknowledged */
export function runLoad(
  agent: Pick<AgentProcess, 'host' | 'port'>,
  shape: LoadShape,
  times: { readonly warmupMs: number; readonly durationMs: number } = { warmupMs: WARMUP_MS, durationMs: DURATION_MS },
): Promise<LoadResult> {
  const load: Load = { ...shape, ...times, topic: `bench-${loadCount++}`, host: agent.host, port: agent.port }
  const child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), times.warmupMs + times.durationMs + CLIENT_TIMEOUT_MS)
  return new Promise<LoadResult>((resolve, reject) => {
    child.once('message', (result) => resolve(result as LoadResult))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the load generator ended with ${signal ?? code}`)))
    child.send(load)
  })
    .then((result) => {
      if (result.errorCount > 0) throw new Error(`${result.errorCount} batches were not acknowledged`)
      return result
    })
    .finally(() => clearTimeout(timer))
}
