import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { encodeRecordBatch, iterateBatches } from '../../format/index.js'
import { startAgentProcess } from '../support/agent-process.js'
import { startCountedS3 } from '../support/counted-s3.js'
import { decodeFrame, RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { s3Stores } from '../support/store-pairs.js'

const READER_COUNT = 100
const RECORD_COUNT = 20
const PAUSE_MS = 100

t.test('a hundred readers of a tail that another agent writes cause no more GETs than one', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-tail-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const s3 = await startCountedS3()
  t.teardown(() => s3.stop())
  const stores = s3Stores(s3.url, `sqlite://${join(directory, 'catalog.db')}`)
  const [writer, reader] = await Promise.all([startAgentProcess(stores), startAgentProcess(stores)])
  t.teardown(() => Promise.all([writer.stop(), reader.stop()]).then(() => {}))
  await createTopic(kafkajsClient([writer.address]), 'tail', 1)
  const producer = await RawClient.open(writer.port)
  t.teardown(() => producer.destroy())
  const clients = await Promise.all(Array.from({ length: READER_COUNT }, () => RawClient.open(reader.port)))
  t.teardown(() => {
    for (const client of clients) client.destroy()
  })

  let endOffset = 0
  const getsOf = async (readers: readonly RawClient[]): Promise<number> => {
    const before = s3.proxy.countOf('GET')
    const startOffset = endOffset
    endOffset += RECORD_COUNT
    const reading = Promise.all(readers.map((client) => readTo(client, startOffset, endOffset)))
    for (let number = 0; number < RECORD_COUNT; number++) {
      await produce(producer)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    const sizes = await reading
    t.same([...new Set(sizes)], sizes.slice(0, 1), 'all of them read the same')
    return s3.proxy.countOf('GET') - before
  }
  const one = await getsOf(clients.slice(0, 1))
  const hundred = await getsOf(clients)
  t.comment(`${one} GETs for one reader, ${hundred} for ${READER_COUNT}`)
  t.ok(one > 0, 'what another agent wrote comes from the store')
  t.ok(hundred <= RECORD_COUNT, `${hundred} GETs for ${RECORD_COUNT} segments`)
})

async function produce(client: RawClient): Promise<void> {
  const records = encodeRecordBatch({ records: [{ timestampMs: Date.now(), value: randomBytes(10_000) }] })
  const topics = [{ name: 'tail', partitions: [{ partition: 0, records }] }]
  const response = await client.request('produce', 7, { acks: -1, topics })
  const { errorCode } = response.topics[0].partitions[0]
  if (errorCode !== 0) throw new Error(`Produce answered ${errorCode}`)
}

/** Follows the partition as a consumer does; answers the bytes it was given. */
async function readTo(client: RawClient, startOffset: number, endOffset: number): Promise<number> {
  let offset = startOffset
  let bytes = 0
  while (offset < endOffset) {
    const correlationId = client.begin('fetch', 11, {
      waitMaxMs: 5_000,
      bytesMin: 1,
      bytesMax: 50 << 20,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      rackId: '',
      topics: [{ name: 'tail', partitions: [{ partition: 0, fetchOffset: offset, bytesMax: 1 << 20 }] }],
    })
    const frame = await client.receive()
    if (frame === undefined) throw new Error('the agent closed the connection')
    const { errorCode, records } = decodeFrame('fetch', 11, frame, correlationId).topics[0].partitions[0]
    if (errorCode !== 0) throw new Error(`Fetch answered ${errorCode}`)
    const { position = 0, bytes: size = 0 } = records ?? {}
    // The high watermark may be later news than the records.
    for (const { header } of iterateBatches(frame.subarray(position, position + size))) {
      offset = header.baseOffset + header.lastOffsetDelta + 1
    }
    bytes += size
  }
  return bytes
}
