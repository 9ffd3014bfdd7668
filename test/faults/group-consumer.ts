import { kafkajsClient } from '../support/kafkajs-client.js'
import { GROUP, GROUP_TOPIC } from './group-workload.js'

/**
 * A process of its own, so that it can be killed: reads as a member of the group, says what it processed (`R partition offset`),
 * then commits, then says what was acknowledged (`C partition next-offset first-offset`).
 */
const agents = (process.env['GROUP_AGENTS'] ?? '').split(',')
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 }
const kafka = kafkajsClient(agents, { requestTimeout: 8_000, connectionTimeout: 2_000, retry })
const consumer = kafka.consumer({
  groupId: GROUP,
  sessionTimeout: 6_000,
  rebalanceTimeout: 8_000,
  heartbeatInterval: 1_000,
  maxWaitTimeInMs: 300,
  retry,
})

const say = (lines: string) =>
  new Promise<void>((resolve) => {
    process.stdout.write(lines, () => resolve())
  })

process.once('SIGTERM', async () => {
  await consumer.disconnect().catch(() => {})
  process.exit(0)
})

// kafkajs gives up for good at what it holds for not worth a retry; an orchestrator would start the process again.
consumer.on(consumer.events.CRASH, async ({ payload: { error, restart } }) => {
  await say(`X ${restart ? 'again' : 'gone'} ${error.name}: ${error.message}\n`)
  if (!restart) process.exit(1)
})

await consumer.connect()
await consumer.subscribe({ topics: [GROUP_TOPIC], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 4,
  eachBatch: async ({ batch: { partition, messages, topic }, heartbeat, isStale, resolveOffset }) => {
    const next = Number(messages.at(-1)?.offset ?? -1) + 1
    if (isStale() || next === 0) return
    await say(messages.map(({ offset, value }) => `R ${partition} ${offset} ${value}\n`).join(''))
    await consumer.commitOffsets([{ topic, partition, offset: `${next}` }])
    // A heartbeat that fails would make kafkajs begin the batch again, though it is committed.
    resolveOffset(`${next - 1}`)
    await say(`C ${partition} ${next} ${messages[0]?.offset}\n`)
    await heartbeat()
  },
})
