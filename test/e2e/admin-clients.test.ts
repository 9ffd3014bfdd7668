import * as platformatic from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import t, { type Test } from 'tap'
import { type Agent, startAgent } from '../../adapters/index.js'
import { kafkajsClient } from '../support/kafkajs-client.js'

/** The admin APIs as two independent clients write and read them. */

async function openAgent(t: Test): Promise<Agent> {
  const agent = await startAgent({
    objectStore: 'memory:',
    catalog: 'sqlite::memory:',
    listen: '127.0.0.1:0',
    http: 'off',
    logLevel: 'silent',
  })
  t.teardown(() => agent.close())
  return agent
}

t.test('kafkajs', async (t) => {
  const agent = await openAgent(t)
  const kafka = kafkajsClient([`127.0.0.1:${agent.kafka.port}`])
  const admin = kafka.admin()
  await admin.connect()
  t.teardown(() => admin.disconnect())
  const { ConfigResourceTypes } = kafkajs
  const topics = [{ topic: 'events', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '5000' }] }]
  t.equal(await admin.createTopics({ topics, validateOnly: true, waitForLeaders: false }), true)
  t.strictSame(await admin.listTopics(), [])
  t.equal(await admin.createTopics({ topics }), true)
  t.equal(await admin.createTopics({ topics }), false, 'exists')
  const replicaAssignment = [{ partition: 0, replicas: [agent.nodeId, 77] }]
  await admin.createTopics({ topics: [{ topic: 'assigned', replicaAssignment }] })
  const assigned = await admin.fetchTopicMetadata({ topics: ['assigned'] })
  t.match(assigned.topics[0]?.partitions, [{ replicas: [agent.nodeId, 77] }])
  await admin.createPartitions({ topicPartitions: [{ topic: 'events', count: 3 }] })
  t.match(await admin.fetchTopicMetadata({ topics: ['events'] }), { topics: [{ partitions: { length: 3 } }] })

  const describe = async () => {
    const resources = [
      { type: ConfigResourceTypes.TOPIC, name: 'events', configNames: ['retention.ms', 'segment.bytes'] },
    ]
    const { resources: described } = await admin.describeConfigs({ resources, includeSynonyms: true })
    return described[0]?.configEntries.map(({ configName, configValue, configSource }) => {
      return `${configName}=${configValue} from ${configSource}`
    })
  }
  t.strictSame(await describe(), ['retention.ms=5000 from 1', 'segment.bytes=1073741824 from 5'])
  const configEntries = [{ name: 'segment.bytes', value: '2000000' }]
  await admin.alterConfigs({
    resources: [{ type: ConfigResourceTypes.TOPIC, name: 'events', configEntries }],
    validateOnly: false,
  })
  t.strictSame(await describe(), ['retention.ms=604800000 from 5', 'segment.bytes=2000000 from 1'])
  const broker = [{ type: ConfigResourceTypes.BROKER, name: String(agent.nodeId), configNames: ['num.partitions'] }]
  t.match(await admin.describeConfigs({ resources: broker, includeSynonyms: false }), {
    resources: [{ configEntries: [{ configName: 'num.partitions', readOnly: true }] }],
  })

  const producer = kafka.producer()
  await producer.connect()
  for (let round = 0; round < 3; round++) {
    await producer.send({ topic: 'events', messages: [{ partition: 1, value: 'a' }] })
  }
  await producer.disconnect()
  await admin.deleteTopicRecords({ topic: 'events', partitions: [{ partition: 1, offset: '2' }] })
  const offsets = await admin.fetchTopicOffsets('events')
  t.match(
    offsets.find(({ partition }) => partition === 1),
    { low: '2', high: '3' },
  )
  t.match(await admin.describeCluster(), { controller: agent.nodeId, brokers: [{ nodeId: agent.nodeId }] })
  const moved = [{ topic: 'events', partitionAssignment: [{ partition: 0, replicas: [agent.nodeId] }] }]
  await t.rejects(admin.alterPartitionReassignments({ topics: moved }))
  t.match(await admin.listPartitionReassignments({}), { topics: [] })
  await admin.deleteTopics({ topics: ['events', 'assigned'] })
  t.strictSame(await admin.listTopics(), [])
})

t.test('@platformatic/kafka', async (t) => {
  const agent = await openAgent(t)
  const connection = new platformatic.Connection('test')
  await connection.connect('127.0.0.1', agent.kafka.port)
  t.teardown(() => connection.close())
  const bootstrapBrokers = [`127.0.0.1:${agent.kafka.port}`]
  const admin = new platformatic.Admin({ clientId: 'test', bootstrapBrokers })
  t.teardown(() => admin.close())
  const producer = new platformatic.Producer({ clientId: 'test', bootstrapBrokers })
  t.teardown(() => producer.close())
  t.match(await admin.createTopics({ topics: ['events'], partitions: 3 }), [{ partitions: 3, replicas: 1 }])
  const messages = [{ topic: 'events', partition: 1, value: Buffer.from('a') }]
  for (let round = 0; round < 2; round++) await producer.send({ messages, idempotent: true })

  const { nodeId } = agent
  t.match(await platformatic.describeClusterV1.api.async(connection, true, 1), {
    errorCode: 0,
    endpointType: 1,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, port: agent.kafka.port }],
  })
  const producers = await platformatic.describeProducersV0.api.async(connection, [
    { name: 'events', partitionIndexes: [1, 2] },
  ])
  t.match(producers.topics[0]?.partitions, [
    { errorCode: 0, activeProducers: [{ producerEpoch: 0, lastSequence: 1, currentTxnStartOffset: -1n }] },
    { errorCode: 0, activeProducers: [] },
  ])
  const page = await platformatic.describeTopicPartitionsV0.api.async(connection, [{ name: 'events' }], 2)
  t.match(page, {
    topics: [{ errorCode: 0, name: 'events', partitions: [{ leaderId: nodeId, isrNodes: [nodeId] }, {}] }],
    nextCursor: { topicName: 'events', partitionIndex: 2 },
  })
  const rest = await platformatic.describeTopicPartitionsV0.api.async(
    connection,
    [{ name: 'events' }],
    2,
    page.nextCursor,
  )
  t.match(rest.topics, [{ partitions: [{ partitionIndex: 2 }] }])
  t.notOk(rest.nextCursor)
  const list = await platformatic.listTransactionsV1.api.async(connection, [], [], -1n, null)
  t.match(list, { errorCode: 0, unknownStateFilters: [], transactionStates: [] })
  const failureOf = async (request: Promise<unknown>) => {
    try {
      await request
    } catch (error) {
      return (error as platformatic.MultipleErrors).findBy('code', 'PLT_KFK_PROTOCOL')?.['apiId']
    }
    return undefined
  }
  const transactions = platformatic.describeTransactionsV0.api.async(connection, ['none'])
  t.equal(await failureOf(transactions), 'TRANSACTIONAL_ID_NOT_FOUND')
  const reassigned = platformatic.alterPartitionReassignmentsV0.api.async(connection, 1000, false, [
    { name: 'events', partitions: [{ partitionIndex: 0, replicas: [nodeId] }] },
  ])
  t.equal(await failureOf(reassigned), 'INVALID_REPLICA_ASSIGNMENT')
  t.match(await platformatic.listPartitionReassignmentsV0.api.async(connection, 1000, []), { errorCode: 0, topics: [] })

  const sizes = await admin.describeLogDirs({ topics: [{ name: 'events', partitions: [0, 1] }] })
  const partitions = sizes[0]?.results[0]?.topics[0]?.partitions ?? []
  t.ok(Number(partitions.find(({ partitionIndex }) => partitionIndex === 1)?.partitionSize) > 0)
  const deleted = await admin.deleteRecords({
    topics: [{ name: 'events', partitions: [{ partition: 1, offset: -1n }] }],
  })
  t.match(deleted, [{ name: 'events', partitions: [{ partition: 1, lowWatermark: 2n }] }])
  const resource = { resourceType: 2, resourceName: 'events' } as const
  await admin.alterConfigs({ resources: [{ ...resource, configs: [{ name: 'cleanup.policy', value: 'compact' }] }] })
  await admin.incrementalAlterConfigs({
    resources: [{ ...resource, configs: [{ name: 'cleanup.policy', configOperation: 2, value: 'delete' }] }],
  })
  const configs = await admin.describeConfigs({
    resources: [{ ...resource, configurationKeys: ['cleanup.policy'] }],
    includeDocumentation: true,
    includeSynonyms: true,
  })
  t.match(configs[0]?.configs, [
    { value: 'compact,delete', configType: 7, documentation: /compact/, synonyms: [{ configSource: undefined }, {}] },
  ])
})
