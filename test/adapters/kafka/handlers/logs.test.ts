import t from 'tap'
import { handleDeleteRecords } from '../../../../adapters/kafka/handlers/delete-records.js'
import { handleDescribeLogDirs } from '../../../../adapters/kafka/handlers/describe-log-dirs.js'
import { handleDescribeProducers } from '../../../../adapters/kafka/handlers/describe-producers.js'
import { HeadraceError } from '../../../../engine/errors.js'
import { fakeBatch } from '../../../support/kafka/bytes.js'
import { fakeContext } from '../../../support/kafka/context.js'

const away = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')

async function contextWithLog() {
  const context = fakeContext()
  const topic = await context.broker.topics.create({ name: 'events', partitionCount: 2, configs: {} })
  const bytes = fakeBatch({})
  const batch = { topicId: topic.topicId, partition: 0, position: 0, bytes: bytes.byteLength, zstdAllowed: true }
  for (let count = 0; count < 3; count++) {
    await (await context.broker.intake.append({ chunks: [bytes], batches: [batch] })).results
  }
  return { context, topic, bytes: bytes.byteLength }
}

t.test('records are deleted up to an offset', async (t) => {
  const { context } = await contextWithLog()
  const end = 3 * 1
  const remove = async (offset: number, { name = 'events', partition = 0 } = {}) => {
    const request = { topics: [{ name, partitions: [{ partition, offset }] }], timeoutMs: 1000 }
    const { lowWatermark, errorCode } = (await handleDeleteRecords(context, request)).topics[0]!.partitions[0]!
    return [errorCode, lowWatermark]
  }
  t.strictSame(await remove(1), [0, 1])
  t.strictSame(await remove(0), [0, 1], 'never back')
  t.strictSame(await remove(end + 1), [1, -1])
  t.strictSame(await remove(-2), [1, -1])
  t.strictSame(await remove(-1), [0, end])
  t.strictSame(await remove(-1, { partition: 1 }), [0, 0])
  t.strictSame(await remove(0, { partition: 2 }), [3, -1])
  t.strictSame(await remove(0, { name: 'absent' }), [3, -1])
  await context.broker.topics.create({ name: 'keyed', configs: { 'cleanup.policy': 'compact' } })
  t.strictSame(await remove(0, { name: 'keyed' }), [44, -1], 'a compacted log keeps the last value of each key')
  await context.broker.topics.create({ name: 'both', configs: { 'cleanup.policy': 'compact,delete' } })
  t.strictSame(await remove(0, { name: 'both' }), [0, 0])
  context.broker.logs.deleteRecords = async () => {
    throw away
  }
  t.strictSame(await remove(0), [56, -1])
})

t.test('log directories: each partition is in the answer of its leader only', async (t) => {
  const { context, bytes } = await contextWithLog()
  context.broker.agents.push({ nodeId: 8, host: 'b', port: 9093, zone: null })
  await context.broker.topics.create({ name: 'more', partitionCount: 4, configs: {} })
  const ask = (topics: { name: string; partitions: number[] }[] | null) => handleDescribeLogDirs(context, { topics })
  t.strictSame(await ask(null), {
    errorCode: 0,
    directories: [
      {
        errorCode: 0,
        name: 'object-store',
        topics: [
          { name: 'events', partitions: [{ partition: 0, bytes: 3 * bytes }] },
          {
            name: 'more',
            partitions: [
              { partition: 0, bytes: 0 },
              { partition: 2, bytes: 0 },
            ],
          },
        ],
      },
    ],
  })
  const some = await ask([
    { name: 'events', partitions: [1] },
    { name: 'more', partitions: [2, 2, 9, -1] },
    { name: 'absent', partitions: [0] },
  ])
  t.strictSame(some.directories[0]?.topics, [{ name: 'more', partitions: [{ partition: 2, bytes: 0 }] }])
  context.broker.agents.shift()
  t.strictSame((await ask(null)).directories[0]?.topics, [], 'an agent of another zone leads nothing')
  context.broker.failure = away
  t.match(await ask(null), { errorCode: 56, directories: [] })
})

t.test('producers of partitions', async (t) => {
  const { context } = await contextWithLog()
  const ask = async (name: string, partition: number) => {
    const answer = await handleDescribeProducers(context, { topics: [{ name, partitions: [partition] }] })
    return answer.topics[0]!.partitions[0]!
  }
  t.match(await ask('events', 1), {
    partition: 1,
    errorCode: 0,
    producers: [{ producerId: 7, producerEpoch: 1, lastSequence: 9, lastTimestampMs: 5 }],
  })
  t.match(await ask('events', 2), { errorCode: 3, producers: [] })
  t.match(await ask('absent', 0), { errorCode: 3, producers: [] })
  context.broker.logs.producers = async () => [undefined] as never
  t.match(await ask('events', 0), { errorCode: 3, producers: [] })
  context.broker.logs.producers = async () => {
    throw away
  }
  t.match(await ask('events', 0), { errorCode: 56, producers: [] })
})
