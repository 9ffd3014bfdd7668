import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import type { Load, LoadMessage, LoadResult } from './client/load.js'

const CLIENT = new URL('./client/main.js', import.meta.url)
const CLIENT_TIMEOUT_MS = 90_000
/** What the agents of benchmarks may use. */
export const MEMORY_MIB = 1_024

export type LoadShape = Omit<Load, 'host' | 'port' | 'topic' | keyof LoadTimes>

/** Requests as busy producers send them: batches of 16 KiB and more for several partitions. */
export const THROUGHPUT: LoadShape = {
  partitionCount: 64,
  connectionCount: 8,
  inFlightMax: 5,
  partitionsPerRequest: 8,
  recordsPerBatch: 256,
  payload: 'json',
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
    const agent = await startAgentProcess({
      args: [...stores, '--log-level', 'info', '--memory', `${MEMORY_MIB}MiB`, ...args],
    })
    return await use(agent).finally(() => agent.stop())
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

let loadCount = 0

/** Whatever speaks Kafka's protocol there. */
export type Broker = Pick<AgentProcess, 'host' | 'port'>

export type LoadTimes = Pick<Load, 'warmupMs' | 'durationMs' | 'windowCount'>

/**
 * Runs the load generator in a process of its own, on a topic of its own. `onStage` is called when its measurement begins and
 * when it is over. @throws when batches were not acknowledged
 */
export function runLoad(
  { host, port }: Broker,
  shape: LoadShape,
  times: LoadTimes,
  onStage: (stage: 'measuring' | 'measured') => void = () => {},
): Promise<LoadResult> {
  // Brokers that outlive this process may know topics of earlier ones.
  const load: Load = { ...shape, ...times, topic: `bench-${process.pid}-${loadCount++}`, host, port }
  const child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), times.warmupMs + times.durationMs + CLIENT_TIMEOUT_MS)
  return new Promise<LoadResult>((resolve, reject) => {
    child.on('message', (message: LoadMessage) => {
      if (typeof message === 'string') onStage(message)
      else resolve(message)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the load generator ended with ${signal ?? code}`)))
    child.send(load)
  })
    .then((result) => {
      if (result.errorCount > 0)
        throw new Error(`${result.errorCount} batches were not acknowledged; codes: ${result.errorCodes.join(', ')}`)
      return result
    })
    .finally(() => clearTimeout(timer))
}
