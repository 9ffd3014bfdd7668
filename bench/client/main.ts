/** The load generator: a process of its own, which is told its load by message and answers with what it saw. */
import { setTimeout as sleep } from 'node:timers/promises'
import { BatchPool } from './batch-pool.js'
import type { Load, LoadMessage, LoadResult } from './load.js'
import { LoadConnection, type LoadRun } from './load-connection.js'
import { LoadWindows } from './load-windows.js'
import { pace } from './pace.js'
import { deleteTopic, prepare } from './prepare.js'
import { TailConsumer } from './tail-consumer.js'

/** How long answers are waited for after the last request. */
const DRAIN_MAX_MS = 15_000
const DRAIN_POLL_MS = 10

process.once('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

function tell(message: LoadMessage): void {
  process.send?.(message)
}

async function run(load: Load): Promise<LoadResult> {
  const producerIds = await prepare(load)
  const windows = new LoadWindows(load.windowCount ?? 1, load.durationMs)
  const consumer = load.consume
    ? await TailConsumer.open(load, (dueAtMs) => windows.consumed(dueAtMs, performance.now()))
    : undefined
  const batches = new BatchPool(load.payload, load.recordsPerBatch)
  const shared: LoadRun = {
    load,
    windows,
    batches,
    errorCount: 0,
    errorCodes: new Set(),
    ...(consumer && { onSend: consumer.expect.bind(consumer) }),
  }
  let sending = true
  const connections: LoadConnection[] = []
  for (const [number, producerId] of producerIds.entries()) {
    const refill = () => {
      if (sending && load.requestsPerS === undefined) connections[number]?.submit(performance.now())
    }
    connections.push(await LoadConnection.open(shared, number, producerId, refill))
  }
  if (load.requestsPerS === undefined) {
    for (const connection of connections) while (connection.hasRoom) connection.submit(performance.now())
  } else {
    const send = (number: number, dueAtMs: number) => connections[number % connections.length]?.submit(dueAtMs)
    pace(load.requestsPerS, () => sending, send)
  }
  await sleep(load.warmupMs)
  windows.start(performance.now())
  tell('measuring')
  const cpuBefore = process.cpuUsage()
  await sleep(load.durationMs)
  const cpu = process.cpuUsage(cpuBefore)
  sending = false
  tell('measured')
  const unanswered = await drain(connections, consumer)
  for (const connection of connections) connection.end()
  consumer?.end()
  if (load.deleteTopic) await deleteTopic(load)
  const { acknowledged, consumed: _, ...total } = windows.total()
  return {
    ...total,
    topic: load.topic,
    errorCount: shared.errorCount + unanswered,
    errorCodes: [...shared.errorCodes],
    p50Ms: acknowledged.p50Ms,
    p99Ms: acknowledged.p99Ms,
    p999Ms: acknowledged.p999Ms,
    windows: windows.results(),
    cpuShare: (cpu.user + cpu.system) / 1000 / load.durationMs,
  }
}

/** Waits for the answers to all that was due; answers how many are missing in the end. */
async function drain(connections: readonly LoadConnection[], consumer: TailConsumer | undefined): Promise<number> {
  const deadlineMs = performance.now() + DRAIN_MAX_MS
  for (;;) {
    const unanswered = connections.reduce((sum, connection) => sum + connection.unanswered, 0)
    const missing = consumer?.missing ?? 0
    if (unanswered + missing === 0 || performance.now() > deadlineMs) return unanswered + missing
    await sleep(DRAIN_POLL_MS)
  }
}
