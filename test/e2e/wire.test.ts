import t from 'tap'
import { BATCH_CRC, encodeRecordBatch } from '../../format/index.js'
import { startAgentProcess } from '../support/agent-process.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume } from '../support/kcat.js'
import { embedded } from '../support/store-pairs.js'

/** What real clients do not send, against the built agent. */

const CORRUPT_MESSAGE = 2
const MESSAGE_TOO_LARGE = 10
const INVALID_RECORD = 87

t.test('a bad batch fails alone', async (t) => {
  const agent = await startAgentProcess(await embedded.open(t))
  t.teardown(async () => void (await agent.stop()))
  await createTopic(kafkajsClient([agent.address]), 'wire', 4)
  const client = await RawClient.open(agent.port)
  t.teardown(() => client.destroy())

  const corrupt = batchOf('corrupt')
  corrupt[corrupt.byteLength - 1]! ^= 1
  const lying = batchOf('lying')
  new DataView(lying.buffer, lying.byteOffset).setUint32(BATCH_CRC, 0)
  const partitions = [batchOf('first'), corrupt, lying, batchOf('last')]
  const topics = [{ name: 'wire', partitions: partitions.map((records, partition) => ({ partition, records })) }]
  const response = await client.request('produce', 7, { acks: -1, topics })
  t.same(
    response.topics[0].partitions.map(({ errorCode, baseOffset }: { errorCode: number; baseOffset: number }) => ({
      errorCode,
      baseOffset,
    })),
    [
      { errorCode: 0, baseOffset: 0 },
      { errorCode: CORRUPT_MESSAGE, baseOffset: -1 },
      { errorCode: CORRUPT_MESSAGE, baseOffset: -1 },
      { errorCode: 0, baseOffset: 0 },
    ],
  )

  t.equal(await errorOf(client, batchOf('x'.repeat(2_000_000))), MESSAGE_TOO_LARGE)
  const miscounted = encodeRecordBatch({ records: [{ timestampMs: 1, value: Buffer.from('v'), offsetDelta: 7 }] })
  t.equal(await errorOf(client, miscounted), INVALID_RECORD)
  t.equal(await errorOf(client, batchOf('good')), 0)

  const read = await kcatConsume('wire', { brokers: agent.address })
  t.same(read.map(({ partition, offset, value }) => `${partition} ${offset} ${value}`).sort(), [
    '0 0 first',
    '1 0 good',
    '3 0 last',
  ])
})

function batchOf(value: string): Uint8Array {
  return encodeRecordBatch({ records: [{ timestampMs: 1_000, value: Buffer.from(value) }] })
}

async function errorOf(client: RawClient, records: Uint8Array): Promise<number> {
  const topics = [{ name: 'wire', partitions: [{ partition: 1, records }] }]
  return (await client.request('produce', 7, { acks: -1, topics })).topics[0].partitions[0].errorCode
}
