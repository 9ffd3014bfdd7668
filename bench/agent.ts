import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import type { Load, LoadResult } from './client/load.js'
import { type Measurement, mibPerS } from './report.js'
import { PAYLOAD_NAMES } from './samples.js'

const CLIENT = new URL('./client/main.js', import.meta.url)
const CLIENT_TIMEOUT_MS = 60_000

type Shape = Omit<Load, 'host' | 'port' | 'topic' | 'warmupMs' | 'durationMs'>

const THROUGHPUT: Shape = {
  partitionCount: 64,
  connectionCount: 8,
  inFlightMax: 5,
  partitionsPerRequest: 8,
  recordsPerBatch: 256,
  payload: 'json',
}

const MODERATE: Shape = { ...THROUGHPUT, partitionsPerRequest: 4, recordsPerBatch: 16, requestsPerS: 200 }

/**
 * The whole agent as a process, over TCP, with the load generator in another process: idempotent producers with acks=all.
 * Generator, agent and workers share the machine's cores, which is what the numbers mean.
 */
export async function benchmarkAgent(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  try {
    const inMemory = ['--object-store', 'memory://', '--catalog', `sqlite://${join(directory, 'memory.db')}`]
    const onDisk = ['--object-store', `file://${join(directory, 'objects')}`]
    onDisk.push('--catalog', `sqlite://${join(directory, 'catalog.db')}`)
    return [
      ...(await withAgent('memory store', inMemory, [THROUGHPUT, { ...THROUGHPUT, payload: 'json-lz4' }, MODERATE])),
      ...(await withAgent('file store', onDisk, [THROUGHPUT, MODERATE])),
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function withAgent(name: string, args: readonly string[], shapes: readonly Shape[]): Promise<Measurement[]> {
  const agent = await startAgentProcess({ args: [...args, '--log-level', 'info', '--memory', '1GiB'] })
  try {
    const measurements: Measurement[] = []
    for (const [number, shape] of shapes.entries()) {
      measurements.push(measurement(name, shape, await runLoad(agent, `bench-${number}`, shape)))
    }
    return measurements
  } finally {
    await agent.stop()
  }
}

function measurement(name: string, shape: Shape, result: LoadResult): Measurement {
  if (result.errorCount > 0) throw new Error(`${result.errorCount} batches were not acknowledged`)
  const pace = shape.requestsPerS === undefined ? 'as fast as answered' : `${shape.requestsPerS} requests/s, open loop`
  const requestKib = Math.round(result.bytes / result.requestCount / 1024)
  return {
    benchmark: 'agent',
    case: `${name}, ${PAYLOAD_NAMES[shape.payload]}`,
    mibPerS: mibPerS(result.bytes, result.durationMs),
    recordsPerS: result.recordCount / (result.durationMs / 1000),
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    note:
      `${pace}; ${shape.connectionCount} connections x ${shape.inFlightMax} in flight, requests of ${requestKib} KiB ` +
      `in ${shape.partitionsPerRequest} of ${shape.partitionCount} partitions; generator ${Math.round(result.cpuShare * 100)}% of a core`,
  }
}

function runLoad(agent: AgentProcess, topic: string, shape: Shape): Promise<LoadResult> {
  const load: Load = { ...shape, topic, host: agent.host, port: agent.port, warmupMs: 2_000, durationMs: 6_000 }
  const child = fork(CLIENT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), CLIENT_TIMEOUT_MS)
  return new Promise<LoadResult>((resolve, reject) => {
    child.once('message', (result) => resolve(result as LoadResult))
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the load generator ended with ${signal ?? code}`)))
    child.send(load)
  }).finally(() => clearTimeout(timer))
}
