import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAgentProcess } from '../test/support/agent-process.js'
import { startCountingProxy } from '../test/support/counting-proxy.js'
import { startS3Server } from '../test/support/s3-server.js'
import { s3Stores } from '../test/support/store-pairs.js'
import { runLoad, THROUGHPUT } from './agent.js'
import type { Measurement } from './measurement.js'

const IDLE_MS = 10_000
const LOAD_MS = 8_000
const GIB = 2 ** 30
const SECONDS_PER_MONTH = 30 * 86_400

/** US dollars, list prices of S3 Standard and of traffic between zones in us-east-1. */
const PUT_PRICE = 0.005 / 1_000
const GET_PRICE = 0.0004 / 1_000
const CROSS_ZONE_PRICE_PER_GIB = 0.02
/** Of three zones a producer and a consumer meet their leader in another one twice out of three times; replicas always. */
const KAFKA_CROSS_ZONE_SHARE = 2 / 3 + 2 + 2 / 3
const STEADY_MIB_PER_S = 100

/** What an agent asks of S3: the requests that are paid for, idle and under load, and the bill they make. */
export async function benchmarkCost(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const s3 = await startS3Server()
  const proxy = await startCountingProxy(s3.endpoint)
  const catalog = `sqlite://${join(directory, 'catalog.db')}`
  const stores = s3Stores(s3.url.replace(s3.endpoint, proxy.endpoint), catalog)
  try {
    // As on S3: the interval at which the bill was agreed.
    const agent = await startAgentProcess({ ...stores, args: [...stores.args, '--flush-interval', '250ms'] })
    try {
      const count = (method: string, from: number) => proxy.methods.slice(from).filter((one) => one === method).length
      const idleFrom = proxy.methods.length
      await sleep(IDLE_MS)
      const idleCount = proxy.methods.length - idleFrom
      const loadFrom = proxy.methods.length
      const shape = { ...THROUGHPUT, requestsPerS: 100 }
      const result = await runLoad(agent, shape, { warmupMs: 0, durationMs: LOAD_MS })
      const gib = result.bytes / GIB
      const settings = `s3rver, flush interval 250 ms, ${(result.bytes / 2 ** 20 / (LOAD_MS / 1000)).toFixed(0)} MiB/s for ${LOAD_MS / 1000} s`
      const row = { benchmark: 'cost', settings }
      const putCount = count('PUT', loadFrom) + count('POST', loadFrom)
      const getCount = count('GET', loadFrom)
      return [
        { ...row, case: 'idle, requests', unit: 'requests', values: [idleCount], settings: `${IDLE_MS / 1000} s` },
        { ...row, case: 'load, PUT per GiB', unit: 'requests', values: [putCount / gib] },
        { ...row, case: 'load, GET per GiB', unit: 'requests', values: [getCount / gib] },
        ...monthly(putCount / gib, getCount / gib),
      ]
    } finally {
      await agent.stop()
    }
  } finally {
    await proxy.close()
    await s3.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Requests of one agent at a steady rate, and what the same bytes cost a Kafka cluster over three zones in traffic alone. */
function monthly(putsPerGib: number, getsPerGib: number): Measurement[] {
  const gibPerMonth = (STEADY_MIB_PER_S / 1024) * SECONDS_PER_MONTH
  const requests = gibPerMonth * (putsPerGib * PUT_PRICE + getsPerGib * GET_PRICE)
  const crossZone = gibPerMonth * KAFKA_CROSS_ZONE_SHARE * CROSS_ZONE_PRICE_PER_GIB
  return [
    {
      benchmark: 'cost',
      case: `requests per month at ${STEADY_MIB_PER_S} MiB/s`,
      unit: '$',
      values: [requests],
      limit: { name: "Kafka's cross-zone traffic", values: [crossZone] },
      settings: 'list prices of us-east-1; replication factor 3, one consumer; storage not counted on either side',
    },
  ]
}
