import { compress } from 'snappyjs'
import t from 'tap'
import { BATCH_HEADER_BYTES, encodeRawBatch, encodeRecordBatch } from '../../format/index.js'
import { startAgentProcess } from '../support/agent-process.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient, kafkajsCompression, withAdmin } from '../support/kafkajs-client.js'
import { runKcat } from '../support/kcat.js'
import { embedded } from '../support/store-pairs.js'

/** A timestamp is found inside a compressed batch, record by record, whoever compressed it. */

const START_MS = 1_700_000_000_000
const TOPIC = 'snappy'
/** Magic, version 1, compatible with version 1. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])

t.test('offsets by timestamp inside snappy batches', async (t) => {
  const agent = await startAgentProcess(await embedded.open(t))
  t.teardown(async () => void (await agent.stop()))
  const kafka = kafkajsClient([agent.address])
  await createTopic(kafka, TOPIC, 1)
  const client = await RawClient.open(agent.port)
  t.teardown(() => client.destroy())

  // Offsets 0..99 in one raw block, as kafkajs and librdkafka write; 100..199 in chunks, as Java clients do.
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: TOPIC, messages: messagesFrom(0), compression: kafkajsCompression.snappy })
  await producer.disconnect()
  const records = framedBatch(messagesFrom(100))
  const topics = [{ name: TOPIC, partitions: [{ partition: 0, records }] }]
  t.equal(
    (await client.request('produce', 7, { acks: -1, topics })).topics[0].partitions[0].errorCode,
    0,
    'the second batch',
  )

  for (const [timestampMs, offset] of [
    [START_MS - 1, 0],
    [START_MS + 10 * 37, 37],
    [START_MS + 10 * 37 + 1, 38],
    [START_MS + 10 * 142 - 9, 142],
    [START_MS + 10 * 199, 199],
  ] as const) {
    const [found] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsetsByTimestamp(TOPIC, timestampMs))
    t.equal(found?.offset, `${offset}`, `kafkajs, ${timestampMs - START_MS} ms after the first record`)
    const output = await runKcat(['-Q', '-t', `${TOPIC}:0:${timestampMs}`], { brokers: agent.address })
    t.match(`${output}`, `${TOPIC} [0] offset ${offset}\n`, 'kcat')
  }
})

/** A hundred records, ten milliseconds apart, which compress. */
function messagesFrom(first: number) {
  return Array.from({ length: 100 }, (_, index) => {
    const number = first + index
    return { partition: 0, value: `value ${number} `.repeat(20), timestamp: `${START_MS + 10 * number}` }
  })
}

function framedBatch(messages: ReturnType<typeof messagesFrom>): Uint8Array {
  const records = messages.map(({ value, timestamp }) => {
    return { timestampMs: Number(timestamp), value: Buffer.from(value) }
  })
  const raw = encodeRecordBatch({ records }).subarray(BATCH_HEADER_BYTES)
  const half = raw.byteLength >> 1
  const chunks = [raw.subarray(0, half), raw.subarray(half)].flatMap((part) => {
    const block = compress(Buffer.from(part))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.byteLength)
    return [length, block]
  })
  return encodeRawBatch({
    records: Buffer.concat([XERIAL_HEADER, ...chunks]),
    baseOffset: 0,
    leaderEpoch: -1,
    attributes: 2,
    lastOffsetDelta: records.length - 1,
    baseTimestampMs: records[0]?.timestampMs ?? 0,
    maxTimestampMs: records.at(-1)?.timestampMs ?? 0,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: records.length,
  })
}
