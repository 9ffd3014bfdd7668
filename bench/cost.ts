import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { metricOf } from '../test/support/agent-metrics.js'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import { startCountedS3 } from '../test/support/counted-s3.js'
import type { CountingProxy } from '../test/support/counting-proxy.js'
import { s3Stores } from '../test/support/store-pairs.js'
import { type LoadShape, runLoad, THROUGHPUT } from './agent.js'
import { type MeasuredCost, monthlyBill } from './bill.js'
import type { Measurement } from './measurement.js'

const IDLE_MS = 6_000
const LOAD_MS = 8_000
const GIB = 2 ** 30
const SHAPE: LoadShape = { ...THROUGHPUT, requestsPerS: 100, consume: true }

/** What an agent asks of S3: the requests that are paid for, idle and under load, and the bill they make. */
export async function benchmarkCost(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const s3 = await startCountedS3()
  const stores = s3Stores(s3.url, `sqlite://${join(directory, 'catalog.db')}`)
  try {
    // As on S3: the interval at which the bill was agreed.
    const agent = await startAgentProcess({ ...stores, args: [...stores.args, '--flush-interval', '250ms'] })
    try {
      const idle = await idleRow(s3.proxy)
      const { rows, cost } = await loadRows(agent, s3.proxy)
      return [idle, ...rows, ...monthlyBill(cost)]
    } finally {
      await agent.stop()
    }
  } finally {
    await s3.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function idleRow({ methods }: CountingProxy): Promise<Measurement> {
  const before = methods.length
  await sleep(IDLE_MS)
  return {
    benchmark: 'cost',
    case: 'idle, requests of any kind',
    unit: 'requests',
    values: [methods.length - before],
    target: { of: 'value', atMost: 0 },
    settings: `${IDLE_MS / 1000} s`,
  }
}

/** Producers at a steady rate and a consumer at the end of the log. */
async function loadRows(
  agent: AgentProcess,
  proxy: CountingProxy,
): Promise<{ rows: Measurement[]; cost: MeasuredCost }> {
  const before = await totals(agent, proxy)
  const { bytes } = await runLoad(agent, SHAPE, { warmupMs: 0, durationMs: LOAD_MS })
  const after = await totals(agent, proxy)
  const spent = (name: keyof Totals) => after[name] - before[name]
  // All that was produced: what was answered while the load ended counts in requests, too.
  const gib = spent('producedBytes') / GIB
  const rate = (bytes / 2 ** 20 / (LOAD_MS / 1000)).toFixed(0)
  const settings = `s3rver, flush interval 250 ms, ${rate} MiB/s of JSON logs for ${LOAD_MS / 1000} s, a consumer at the end`
  const row = { benchmark: 'cost', settings }
  const cost: MeasuredCost = {
    putsPerGib: spent('puts') / gib,
    getsPerGib: spent('gets') / gib,
    listsPerGib: spent('lists') / gib,
    storedShare: spent('storedBytes') / spent('producedBytes'),
  }
  const rows: Measurement[] = [
    { ...row, case: 'load, PUT per GiB', unit: 'requests', values: [cost.putsPerGib] },
    { ...row, case: 'load, GET per GiB', unit: 'requests', values: [cost.getsPerGib] },
    { ...row, case: 'load, LIST per GiB', unit: 'requests', values: [cost.listsPerGib] },
    { ...row, case: 'load, bytes stored per GiB', unit: 'MiB', values: [1024 * cost.storedShare] },
    {
      ...row,
      case: 'load, PUT',
      unit: 'requests',
      values: [spent('puts')],
      limit: { name: 'level-0 segments', values: [spent('segments')] },
      target: { of: 'ratio', atMost: 1 },
    },
  ]
  return { rows, cost }
}

interface Totals {
  readonly puts: number
  readonly gets: number
  readonly lists: number
  readonly segments: number
  readonly storedBytes: number
  readonly producedBytes: number
}

async function totals(agent: AgentProcess, { countOf, listCount }: CountingProxy): Promise<Totals> {
  return {
    puts: countOf('PUT', 'POST'),
    gets: countOf('GET', 'HEAD') - listCount,
    lists: listCount,
    segments: await metricOf(agent, 'headrace_segments_written_total'),
    storedBytes: await metricOf(agent, 'headrace_segment_bytes_total'),
    producedBytes: await metricOf(agent, 'headrace_produce_bytes_total'),
  }
}
