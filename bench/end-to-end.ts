import { setTimeout as sleep } from 'node:timers/promises'
import { encodeRecordBatch } from '../format/index.js'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import { RawClient } from '../test/support/kafka/raw-client.js'
import { agentsKnowEachOther } from '../test/support/kafkajs-client.js'
import { scaleOut } from '../test/support/store-pairs.js'
import { type Measurement, percentile } from './measurement.js'

const RECORD_COUNT = 150
const PAUSE_MS = 20
const TOPIC = 'end-to-end'

/**
 * From sending a record to having it: a consumer that waits at the agent that writes it, and one that waits at another agent,
 * which learns of it from the catalog and reads it from the object store. One record at a time, so nothing but the way is measured.
 */
export async function benchmarkEndToEnd(): Promise<Measurement[]> {
  const ends: (() => void | Promise<void>)[] = []
  const stores = await scaleOut.open({ teardown: (end) => void ends.unshift(end) })
  const agents: AgentProcess[] = []
  try {
    for (let number = 0; number < 2; number++) agents.push(await startAgentProcess(stores))
    await agentsKnowEachOther(agents.map(({ address }) => address))
    const [writer, other] = agents as [AgentProcess, AgentProcess]
    const here = await measure(writer, writer, 0)
    const there = await measure(writer, other, RECORD_COUNT)
    return [...rowsOf('consumer at the writing agent', here), ...rowsOf('consumer at another agent', there)]
  } finally {
    await Promise.all(agents.map((agent) => agent.stop()))
    for (const end of ends) await end()
  }
}

interface Latencies {
  readonly acknowledgedMs: number[]
  readonly consumedMs: number[]
}

async function measure(writer: AgentProcess, reader: AgentProcess, startOffset: number): Promise<Latencies> {
  const [producer, consumer] = await Promise.all([RawClient.open(writer.port), RawClient.open(reader.port)])
  const latencies: Latencies = { acknowledgedMs: [], consumedMs: [] }
  try {
    if (startOffset === 0) await createTopic(producer)
    for (let offset = startOffset; offset < startOffset + RECORD_COUNT; offset++) {
      const consumed = fetchFrom(consumer, offset)
      await sleep(PAUSE_MS)
      const sentAtMs = performance.now()
      const acknowledged = produce(producer).then(() => latencies.acknowledgedMs.push(performance.now() - sentAtMs))
      await consumed
      latencies.consumedMs.push(performance.now() - sentAtMs)
      await acknowledged
    }
    return latencies
  } finally {
    producer.destroy()
    consumer.destroy()
  }
}

async function createTopic(client: RawClient): Promise<void> {
  const topic = { name: TOPIC, partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] }
  await client.request('createTopics', 4, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
}

async function produce(client: RawClient): Promise<void> {
  const records = encodeRecordBatch({ records: [{ timestampMs: 0, value: new Uint8Array(100) }] })
  const response = await client.request('produce', 7, {
    acks: -1,
    topics: [{ name: TOPIC, partitions: [{ partition: 0, records }] }],
  })
  const { errorCode } = response.topics[0].partitions[0]
  if (errorCode !== 0) throw new Error(`Produce answered ${errorCode}`)
}

/** Resolves when there is a record at the offset. */
async function fetchFrom(client: RawClient, fetchOffset: number): Promise<void> {
  for (;;) {
    const answer = await client.request('fetch', 11, {
      waitMaxMs: 5_000,
      bytesMin: 1,
      bytesMax: 1 << 20,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      rackId: '',
      topics: [{ name: TOPIC, partitions: [{ partition: 0, fetchOffset, bytesMax: 1 << 20 }] }],
    })
    const { errorCode, records } = answer.topics[0].partitions[0]
    if (errorCode !== 0) throw new Error(`Fetch answered ${errorCode}`)
    if (records !== null && records.bytes > 0) return
  }
}

function rowsOf(name: string, { acknowledgedMs, consumedMs }: Latencies): Measurement[] {
  const acknowledged = Float64Array.from(acknowledgedMs).sort()
  const consumed = Float64Array.from(consumedMs).sort()
  return Object.entries({ p50: 0.5, p99: 0.99 }).map(([label, fraction]) => ({
    benchmark: 'end-to-end',
    case: `${name}, ${label}`,
    unit: 'ms',
    values: [percentile(consumed, fraction)],
    limit: { name: 'acknowledgement', values: [percentile(acknowledged, fraction)] },
    settings: `S3 (s3rver) and MariaDB, flush interval 25 ms, ${RECORD_COUNT} records one by one`,
  }))
}
