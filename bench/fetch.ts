import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { metricOf } from '../test/support/agent-metrics.js'
import { startAgentProcess } from '../test/support/agent-process.js'
import { type LoadShape, runLoad, THROUGHPUT } from './agent.js'
import { type Measurement, mibPerS } from './measurement.js'
import { PAYLOAD_NAMES } from './samples.js'

const REPETITIONS = 3
const WRITE = { warmupMs: 0, durationMs: 4_000 }
const SHAPES: readonly LoadShape[] = [THROUGHPUT, { ...THROUGHPUT, payload: 'json-lz4' }]

/** What a consumer gets out of an agent that has nothing in memory: kcat reads a topic from its beginning. */
export async function benchmarkFetch(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const stores = ['--object-store', `file://${join(directory, 'objects')}`]
  stores.push('--catalog', `sqlite://${join(directory, 'catalog.db')}`, '--log-level', 'info')
  try {
    const measurements: Measurement[] = []
    for (const shape of SHAPES) measurements.push(await measure(stores, shape))
    return measurements
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(stores: readonly string[], shape: LoadShape): Promise<Measurement> {
  const writer = await startAgentProcess({ args: stores })
  const topic = await runLoad(writer, shape, WRITE)
    .then((result) => result.topic)
    .finally(() => writer.stop())
  const values: number[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const reader = await startAgentProcess({ args: stores })
    try {
      const startedAtMs = performance.now()
      await readAll(reader.address, topic)
      const durationMs = performance.now() - startedAtMs
      values.push(mibPerS(await metricOf(reader, 'headrace_fetch_bytes_total'), durationMs))
    } finally {
      await reader.stop()
    }
  }
  return {
    benchmark: 'fetch',
    case: `cold, ${PAYLOAD_NAMES[shape.payload]}`,
    unit: 'MiB/s',
    values,
    settings: `kcat on ${shape.partitionCount} partitions, file store, an agent started for it; bytes as producers sent them`,
  }
}

async function readAll(address: string, topic: string): Promise<void> {
  const args = ['-C', '-b', address, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '']
  const [code] = await once(spawn('kcat', args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')
  if (code !== 0) throw new Error(`kcat ended with ${code}`)
}
