import t from 'tap'
import { startAgentProcess } from '../support/agent-process.js'
import { kafkajsClient, kafkajsConsume, withAdmin } from '../support/kafkajs-client.js'
import { embedded } from '../support/store-pairs.js'

const WAIT_MAX_MS = 40_000

t.test('a compacted topic keeps the latest value of each key, at its offset', async (t) => {
  const { args, env } = await embedded.open(t)
  const flags = ['--compaction-interval', '200ms', '--compaction-delay', '0ms']
  const agent = await startAgentProcess({ args: [...args, ...flags], env })
  t.teardown(() => agent.stop().then(() => {}))
  const kafka = kafkajsClient([agent.address])
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'min.cleanable.dirty.ratio', value: '0' },
  ]
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic: 'prices', numPartitions: 1, configEntries }] }),
  )
  const producer = kafka.producer()
  await producer.connect()
  t.teardown(() => producer.disconnect())
  for (let round = 0; round < 5; round++) {
    const messages = ['a', 'b', 'c'].map((key) => ({ key, value: `${key}${round}` }))
    await producer.send({ topic: 'prices', messages })
  }
  await producer.send({ topic: 'prices', messages: [{ key: 'b', value: null }] })
  const deadlineMs = performance.now() + WAIT_MAX_MS
  const read = async () =>
    (await kafkajsConsume(kafka, 'prices')).map(({ offset, key, value }) => `${offset} ${key}=${value}`)
  const expected = ['12 a=a4', '14 c=c4', '15 b=null']
  let seen = await read()
  while (performance.now() < deadlineMs && seen.length > expected.length) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    seen = await read()
  }
  t.same(seen, expected)
})
