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
const GROUP_SIZE = 2
const WRITE = { warmupMs: 0, durationMs: 2_000 }
const SHAPES: readonly LoadShape[] = [THROUGHPUT, { ...THROUGHPUT, payload: 'json-lz4' }]

/** What consumers get out of an agent that has nothing in memory: kcat reads a topic from its beginning, alone and as a group. */
export async function benchmarkFetch(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const stores = ['--object-store', `file://${join(directory, 'objects')}`]
  stores.push('--catalog', `sqlite://${join(directory, 'catalog.db')}`, '--log-level', 'info')
  // The members of a group are to begin together.
  stores.push('--group-initial-rebalance-delay', '1s')
  try {
    const measurements: Measurement[] = []
    for (const shape of SHAPES) measurements.push(...(await measure(stores, shape)))
    return measurements
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One reading of a topic. */
interface Reading {
  readonly mibPerS: number
  /** How often each stored byte was loaded from the object store. */
  readonly loads: number
}

async function measure(stores: readonly string[], shape: LoadShape): Promise<Measurement[]> {
  const writer = await startAgentProcess({ args: stores })
  let topic: string
  let storedBytes: number
  try {
    topic = (await runLoad(writer, shape, WRITE)).topic
    storedBytes = await metricOf(writer, 'headrace_segment_bytes_total')
  } finally {
    await writer.stop()
  }
  const alone: Reading[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    alone.push(await readCold(stores, storedBytes, [['-C', '-t', topic, '-o', 'beginning']]))
  }
  const member = ['-X', 'auto.offset.reset=earliest', '-G', `group-${topic}`]
  const group = await readCold(
    stores,
    storedBytes,
    Array.from({ length: GROUP_SIZE }, () => member),
    topic,
  )
  const settings = `${shape.partitionCount} partitions, file store, an agent started for it`
  const row = (name: string) => ({ benchmark: 'fetch', case: `cold, ${name}${PAYLOAD_NAMES[shape.payload]}` })
  return [
    {
      ...row(''),
      unit: 'MiB/s',
      values: alone.map((reading) => reading.mibPerS),
      settings: `kcat on ${settings}; bytes as producers sent them`,
    },
    {
      ...row('loads of each byte, '),
      unit: 'loads',
      values: alone.map((reading) => reading.loads),
      target: { of: 'value', atMost: 1.1 },
      settings: `kcat on ${settings}`,
    },
    {
      ...row('loads of each byte by a group, '),
      unit: 'loads',
      values: [group.loads],
      target: { of: 'value', atMost: 1.3 },
      settings: `${GROUP_SIZE} kcat as members of a group on ${settings}`,
    },
  ]
}

/** Readers with these arguments, side by side, through an agent of their own. */
async function readCold(
  stores: readonly string[],
  storedBytes: number,
  readers: readonly (readonly string[])[],
  ...topics: readonly string[]
): Promise<Reading> {
  const agent = await startAgentProcess({ args: stores })
  try {
    const startedAtMs = performance.now()
    await Promise.all(readers.map((args) => runReader(agent.address, args, topics)))
    const durationMs = performance.now() - startedAtMs
    return {
      mibPerS: mibPerS(await metricOf(agent, 'headrace_fetch_bytes_total'), durationMs),
      loads: (await metricOf(agent, 'headrace_cache_miss_bytes_total')) / storedBytes,
    }
  } finally {
    await agent.stop()
  }
}

async function runReader(address: string, args: readonly string[], topics: readonly string[]): Promise<void> {
  const all = ['-b', address, '-e', '-q', '-f', '', ...args, ...topics]
  const [code] = await once(spawn('kcat', all, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')
  if (code !== 0) throw new Error(`kcat ended with ${code}`)
}
