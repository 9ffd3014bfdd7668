/** The load generator: a process of its own, which is told its load by message and answers with what it saw. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient } from '../../test/support/kafka/raw-client.js'
import { percentile } from '../measurement.js'
import type { Load, LoadResult } from './load.js'
import { LoadConnection, type LoadCounts } from './load-connection.js'

const TICK_MS = 2

process.once('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

async function run(load: Load): Promise<LoadResult> {
  const producerIds = await prepare(load)
  const counts: LoadCounts = { requestCount: 0, bytes: 0, recordCount: 0, errorCount: 0, latenciesMs: [] }
  let sending = true
  const connections: LoadConnection[] = []
  for (const [number, producerId] of producerIds.entries()) {
    const refill = () => {
      if (sending && load.requestsPerS === undefined) connections[number]?.submit(performance.now())
    }
    connections.push(await LoadConnection.open(load, producerId, counts, refill))
  }
  if (load.requestsPerS === undefined) {
    for (const connection of connections) while (connection.hasRoom) connection.submit(performance.now())
  } else {
    pace(connections, load.requestsPerS, () => sending)
  }
  await sleep(load.warmupMs)
  const errorsBefore = counts.errorCount
  Object.assign(counts, { requestCount: 0, bytes: 0, recordCount: 0 })
  counts.latenciesMs.length = 0
  const cpuBefore = process.cpuUsage()
  const startedAtMs = performance.now()
  await sleep(load.durationMs)
  const durationMs = performance.now() - startedAtMs
  const { requestCount, bytes, recordCount, errorCount } = counts
  const cpu = process.cpuUsage(cpuBefore)
  sending = false
  const sorted = Float64Array.from(counts.latenciesMs).sort()
  for (const connection of connections) connection.end()
  return {
    topic: load.topic,
    requestCount,
    bytes,
    recordCount,
    errorCount: errorCount + errorsBefore,
    durationMs,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    p999Ms: percentile(sorted, 0.999),
    cpuShare: (cpu.user + cpu.system) / 1000 / durationMs,
  }
}

/** Creates the topic unless it exists; one producer id per connection. */
async function prepare(load: Load): Promise<number[]> {
  const client = await RawClient.open(load.port)
  const topic = {
    name: load.topic,
    partitionCount: load.partitionCount,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }
  await client.request('createTopics', 4, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
  const producerIds: number[] = []
  for (let number = 0; number < load.connectionCount; number++) {
    const request = { transactionalId: null, transactionTimeoutMs: 0 }
    const { errorCode, producerId } = await client.request('initProducerId', 1, request)
    if (errorCode !== 0) throw new Error(`InitProducerId answered ${errorCode}`)
    producerIds.push(producerId)
  }
  client.destroy()
  return producerIds
}

/** Open loop: requests are due at even distances, and counted from when they were due. */
function pace(connections: readonly LoadConnection[], requestsPerS: number, sending: () => boolean): void {
  const startedAtMs = performance.now()
  const everyMs = 1000 / requestsPerS
  let submitted = 0
  const timer = setInterval(() => {
    if (!sending()) {
      clearInterval(timer)
      return
    }
    for (; startedAtMs + submitted * everyMs <= performance.now(); submitted++) {
      connections[submitted % connections.length]?.submit(startedAtMs + submitted * everyMs)
    }
  }, TICK_MS)
}
