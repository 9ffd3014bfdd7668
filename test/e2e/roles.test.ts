import t from 'tap'
import { KafkaError } from '../../adapters/kafka/errors.js'
import { encodeRecordBatch } from '../../format/index.js'
import { startAgentProcess } from '../support/agent-process.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient, withAdmin } from '../support/kafkajs-client.js'
import { embedded } from '../support/store-pairs.js'

t.test('an agent that only works in the background is named to nobody and serves nobody', async (t) => {
  const { args, env } = await embedded.open(t)
  const serving = await startAgentProcess({ args: [...args, '--roles', 'produce,fetch'], env })
  t.teardown(() => serving.stop().then(() => {}))
  const working = await startAgentProcess({ args: [...args, '--roles', 'jobs'], env })
  t.teardown(() => working.stop().then(() => {}))
  await createTopic(kafkajsClient([serving.address]), 'events', 1)
  for (const { address } of [serving, working]) {
    const { brokers } = await withAdmin(kafkajsClient([address]), (admin) => admin.describeCluster())
    t.same(
      brokers.map(({ port }) => port),
      [serving.port],
    )
  }
  const records = encodeRecordBatch({ records: [{ timestampMs: Date.now(), value: new Uint8Array(5) }] })
  const produceTo = async (port: number): Promise<number> => {
    const client = await RawClient.open(port)
    const topics = [{ name: 'events', partitions: [{ partition: 0, records }] }]
    const answer = await client.request('produce', 7, { acks: -1, topics })
    client.destroy()
    return answer.topics[0].partitions[0].errorCode
  }
  t.equal(await produceTo(working.port), KafkaError.NOT_LEADER_OR_FOLLOWER)
  t.equal(await produceTo(serving.port), KafkaError.NONE)
  const metrics = async (port: number) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  t.match(await metrics(working.httpPort), /headrace_segments/)
})
