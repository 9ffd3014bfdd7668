import t from 'tap'
import { handleDescribeCluster } from '../../../../adapters/kafka/handlers/describe-cluster.js'
import { handleDescribeTopicPartitions } from '../../../../adapters/kafka/handlers/describe-topic-partitions.js'
import { handleElectLeaders } from '../../../../adapters/kafka/handlers/elect-leaders.js'
import {
  handleAlterPartitionReassignments,
  handleListPartitionReassignments,
} from '../../../../adapters/kafka/handlers/partition-reassignments.js'
import { handleDescribeTransactions, handleListTransactions } from '../../../../adapters/kafka/handlers/transactions.js'
import { fakeContext } from '../../../support/kafka/context.js'

t.test('the cluster is described as Metadata shows it', async (t) => {
  const context = fakeContext()
  context.broker.agents.push({ nodeId: 8, host: 'b', port: 9093, zone: null })
  t.match(await handleDescribeCluster(context, { endpointType: 1 }), {
    errorCode: 0,
    clusterId: 'test-cluster',
    controllerId: 7,
    brokers: [
      { nodeId: 7, rack: 'zone-a' },
      { nodeId: 8, host: 'b', port: 9093, rack: null },
    ],
  })
  t.match(await handleDescribeCluster(context, { endpointType: 2 }), { errorCode: 114, brokers: [] })
  t.match(await handleDescribeCluster(context, { endpointType: 9 }), { errorCode: 115, brokers: [] })
})

t.test('topic partitions page by page', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'b', partitionCount: 5, configs: {} })
  await context.broker.topics.create({ name: 'a', partitionCount: 2, configs: {} })
  await context.broker.topics.create({ name: 'c', partitionCount: 1, configs: {} })
  type Cursor = { topic: string; partition: number } | null
  const page = async (topics: string[], partitionCountMax: number, cursor: Cursor) => {
    const answer = await handleDescribeTopicPartitions(context, { topics, partitionCountMax, cursor })
    const seen = answer.topics.map(({ name, errorCode, partitions }) =>
      errorCode === 0 ? `${name}:${partitions.map(({ partition }) => partition).join()}` : `${name}!${errorCode}`,
    )
    return [seen, answer.nextCursor] as const
  }
  t.strictSame(await page([], 2000, null), [['a:0,1', 'b:0,1,2,3,4', 'c:0'], null])
  t.strictSame(await page(['c', 'no', 'a'], 2000, null), [['a:0,1', 'c:0', 'no!3'], null])
  const pages: unknown[] = []
  let cursor: Cursor = null
  do {
    const [seen, next]: readonly [string[], Cursor] = await page([], 3, cursor)
    pages.push(seen)
    cursor = next
  } while (cursor !== null && pages.length < 9)
  t.strictSame(pages, [['a:0,1', 'b:0'], ['b:1,2,3'], ['b:4', 'c:0']])
  t.strictSame(await page([], 2, null), [['a:0,1'], { topic: 'b', partition: 0 }])
  t.strictSame(await page([], 0, null), [['a:0'], { topic: 'a', partition: 1 }], 'always gets on')
  t.strictSame(await page([], 9, { topic: 'bb', partition: 7 }), [['c:0'], null], 'its topic was deleted meanwhile')
  t.strictSame(await page([], 9, { topic: 'b', partition: 7 }), [['b:', 'c:0'], null])
})

t.test('what has no meaning here is answered as Kafka would', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'events', partitionCount: 1, configs: {} })
  const topics = [
    { name: 'events', partitions: [0, 1] },
    { name: 'absent', partitions: [0] },
  ]
  t.match(await handleElectLeaders(context, { topics, timeoutMs: 1 }), {
    errorCode: 0,
    topics: [
      {
        name: 'events',
        partitions: [
          { partition: 0, errorCode: 84 },
          { partition: 1, errorCode: 3 },
        ],
      },
      { name: 'absent', partitions: [{ errorCode: 3 }] },
    ],
  })
  t.strictSame(await handleElectLeaders(context, { topics: null, timeoutMs: 1 }), { errorCode: 0, topics: [] })

  const partitions = [
    { partition: 0, nodeIds: [7, 8] },
    { partition: 0, nodeIds: null },
    { partition: 1, nodeIds: [7] },
  ]
  const moved = await handleAlterPartitionReassignments(context, {
    timeoutMs: 1,
    topics: [{ name: 'events', partitions }],
  })
  t.match(moved, {
    errorCode: 0,
    topics: [{ partitions: [{ errorCode: 39, errorMessage: /object store/ }, { errorCode: 85 }, { errorCode: 3 }] }],
  })
  t.match(await handleListPartitionReassignments(context, { timeoutMs: 1, topics: null }), { errorCode: 0 })

  t.match(await handleDescribeTransactions(context, { transactionalIds: ['a'] }), {
    transactions: [{ errorCode: 105, transactionalId: 'a' }],
  })
  const list = await handleListTransactions(context, { states: ['Ongoing', 'Odd'], producerIds: [], durationMs: -1 })
  t.strictSame(list, { errorCode: 0, unknownStates: ['Odd'] })
})
