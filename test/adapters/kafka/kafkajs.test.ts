import kafkajs from 'kafkajs'
import t from 'tap'
import { startKafkaListener } from '../../../adapters/kafka/index.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { FakeBroker } from '../../support/kafka/fake-broker.js'

t.test('kafkajs creates a topic, produces, asks for offsets and deletes it', async (t) => {
  const broker = new FakeBroker()
  const listener = await startKafkaListener({ listen: [{ host: '127.0.0.1', port: 0 }], broker, logger: NO_LOGGER })
  t.teardown(() => listener.close())
  broker.agents = [{ nodeId: 7, host: '127.0.0.1', port: listener.port, zone: null }]

  const kafka = new kafkajs.Kafka({
    clientId: 'test',
    brokers: [`127.0.0.1:${listener.port}`],
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const admin = kafka.admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  t.ok(await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }] }))
  t.notOk(await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }] }))
  await t.rejects(admin.createTopics({ topics: [{ topic: 'no/name' }] }), {
    errors: [{ type: 'INVALID_TOPIC_EXCEPTION' }],
  })

  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  t.teardown(() => producer.disconnect())
  for (let round = 0; round < 3; round++) {
    const [sent] = await producer.send({
      topic: 'orders',
      messages: [
        { key: 'a', value: `${round}`, partition: 1 },
        { key: 'b', value: `${round}`, partition: 1 },
      ],
    })
    t.match(sent, { partition: 1, errorCode: 0, baseOffset: `${round * 2}` })
  }
  t.match(await admin.fetchTopicOffsets('orders'), [
    { partition: 0, high: '0', low: '0' },
    { partition: 1, high: '6', low: '0' },
    { partition: 2, high: '0', low: '0' },
  ])
  const { brokers, controller, clusterId } = await admin.describeCluster()
  t.strictSame(
    [brokers, controller, clusterId],
    [[{ nodeId: 7, host: '127.0.0.1', port: listener.port }], 7, 'test-cluster'],
  )
  await admin.deleteTopics({ topics: ['orders'] })
  t.strictSame(await admin.listTopics(), [])
})
