import t from 'tap'
import { handleCreateTopics } from '../../../../adapters/kafka/handlers/create-topics.js'
import { handleDeleteTopics } from '../../../../adapters/kafka/handlers/delete-topics.js'
import { handleInitProducerId } from '../../../../adapters/kafka/handlers/init-producer-id.js'
import { handleMetadata } from '../../../../adapters/kafka/handlers/metadata.js'
import { ZERO_UUID } from '../../../../adapters/kafka/wire/uuid.js'
import { HeadraceError } from '../../../../engine/errors.js'
import { fakeContext } from '../../../support/kafka/context.js'

const byName = (...names: string[]) => names.map((name) => ({ name, topicId: ZERO_UUID }))
const away = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')

t.test('metadata describes topics, creates them where it may, and names a controller that is listed', async (t) => {
  const context = fakeContext()
  context.broker.agents.push({ nodeId: 8, host: 'b', port: 9093, zone: null })
  await context.broker.topics.create({ name: 'events', partitionCount: 3, configs: {} })
  const ask = (topics: ReturnType<typeof byName> | null, allowAutoTopicCreation = true) =>
    handleMetadata(context, { topics, allowAutoTopicCreation }, 12)

  t.match(await ask(null), {
    errorCode: 0,
    clusterId: 'test-cluster',
    controllerId: 7,
    brokers: [
      { nodeId: 7, host: '127.0.0.1', port: 9092, rack: 'zone-a' },
      { nodeId: 8, host: 'b', port: 9093, rack: null },
    ],
    topics: [{ name: 'events', partitions: [{ leaderId: 7 }, { leaderId: 8 }, { leaderId: 7 }] }],
  })
  t.strictSame((await ask([])).topics, [])
  const refused = await ask(byName('absent', 'no/name', '..'), false)
  t.strictSame(
    refused.topics.map(({ name, errorCode }) => [name, errorCode]),
    [
      ['absent', 3],
      ['no/name', 17],
      ['..', 17],
    ],
  )
  const made = await ask(byName('made', 'events', 'made'))
  t.strictSame(
    made.topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions.length]),
    [
      ['made', 0, 2],
      ['events', 0, 3],
    ],
  )
  context.broker.topics.autoCreate = false
  t.match((await ask(byName('more'))).topics, [{ errorCode: 3 }])
  context.broker.agents.shift()
  t.equal((await ask([])).controllerId, 8, 'an agent of another zone is not one for admin work')
  context.broker.coordinators.push({ nodeId: 9, host: 'far', port: 9094, zone: 'zone-b' })
  t.strictSame(
    (await ask([])).brokers.map(({ nodeId }) => nodeId),
    [8, 9],
    'whoever runs groups is listed',
  )
})

t.test('metadata by id', async (t) => {
  const context = fakeContext()
  const { topicId } = await context.broker.topics.create({ name: 'events', configs: {} })
  const topics = [
    { name: null, topicId },
    { name: null, topicId: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' },
  ]
  const answer = await handleMetadata(context, { topics, allowAutoTopicCreation: true }, 12)
  t.equal(context.broker.lookCount, 1, 'as the cluster is now')
  t.match(answer.topics, [
    { errorCode: 0, name: 'events', topicId },
    { errorCode: 100, name: null, topicId: topics[1]!.topicId },
  ])
  const old = await handleMetadata(context, { topics, allowAutoTopicCreation: true }, 11)
  t.match(old.topics, [{ errorCode: 42 }, { errorCode: 42 }])
})

t.test('metadata while the catalog is away', async (t) => {
  const context = fakeContext()
  context.broker.failure = away
  const named = await handleMetadata(context, { topics: byName('events'), allowAutoTopicCreation: true }, 1)
  t.match(named.topics, [{ name: 'events', errorCode: 56 }])
  await t.rejects(handleMetadata(context, { topics: null, allowAutoTopicCreation: true }, 12), away)
  t.match(await handleMetadata(context, { topics: null, allowAutoTopicCreation: true }, 13), { errorCode: 56 })
})

const newTopic = (more: object = {}) => ({
  name: 'events',
  partitionCount: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...more,
})

t.test('create topics', async (t) => {
  const context = fakeContext()
  const create = async (more: object, validateOnly = false) => {
    const request = { topics: [newTopic(more)], timeoutMs: 1000, validateOnly }
    return (await handleCreateTopics(context, request)).topics[0]!
  }
  t.match(await create({ configs: [{ name: 'retention.ms', value: '5' }] }, true), {
    errorCode: 0,
    topicId: ZERO_UUID,
    partitionCount: 2,
  })
  t.match(await create({ configs: [{ name: 'retention.ms', value: '5' }] }), {
    errorCode: 0,
    topicId: context.broker.topics.cached('events')!.topicId,
    partitionCount: 2,
    replicationFactor: 1,
  })
  const { configs } = await create({ name: 'described', configs: [{ name: 'retention.ms', value: '5' }] })
  t.match(
    configs?.find(({ name }) => name === 'retention.ms'),
    { value: '5', source: 1, readOnly: false },
  )
  t.match(
    configs?.find(({ name }) => name === 'cleanup.policy'),
    { value: 'delete', source: 5 },
  )
  t.match(await create({ name: 'wrong', configs: [{ name: 'no.such', value: '5' }] }), { errorCode: 40 })
  t.match(await create({}), { errorCode: 36, configs: null, partitionCount: -1 })
  t.match(await create({ name: 'three', partitionCount: 3, replicationFactor: 3 }), { errorCode: 0, partitionCount: 3 })
  const assignments = [1, 0].map((partition) => ({ partition, nodeIds: [partition === 1 ? 7 : 1, 2] }))
  t.match(await create({ name: 'shaped', assignments }), { errorCode: 0, partitionCount: 2, replicationFactor: 2 })
  t.match(await handleMetadata(context, { topics: byName('shaped'), allowAutoTopicCreation: false }, 12), {
    topics: [
      {
        partitions: [
          { leaderId: 7, replicaIds: [1, 2], inSyncIds: [7], offlineIds: [1, 2] },
          { leaderId: 7, replicaIds: [7, 2], inSyncIds: [7], offlineIds: [2] },
        ],
      },
    ],
  })
  t.match(await create({ name: 'twice', assignments: [{ partition: 0, nodeIds: [1, 1] }] }), { errorCode: 39 })
  t.match(await create({ name: 'both', assignments, partitionCount: 2 }), { errorCode: 42 })
  t.match(await create({ name: 'holes', assignments: [{ partition: 1, nodeIds: [1] }] }), { errorCode: 39 })
  t.match(await create({ name: 'nobody', assignments: [{ partition: 0, nodeIds: [] }] }), { errorCode: 39 })
  t.match(await create({ name: 'none', partitionCount: 0 }), { errorCode: 37 })
  t.match(await create({ name: 'none', replicationFactor: 0 }), { errorCode: 38 })
  t.match(await create({ name: 'null', configs: [{ name: 'retention.ms', value: null }] }), { errorCode: 40 })
  t.match(await create({ name: 'no/name' }), { errorCode: 17, errorMessage: /not legal/ })
  const twice = {
    topics: [newTopic({ name: 'twice' }), newTopic({ name: 'twice' })],
    timeoutMs: 1000,
    validateOnly: false,
  }
  t.match((await handleCreateTopics(context, twice)).topics, [{ name: 'twice', errorCode: 42 }])
  context.broker.failure = away
  t.match(await create({ name: 'later' }), { errorCode: 56, errorMessage: 'away' })
})

t.test('delete topics by name and by id', async (t) => {
  const context = fakeContext()
  const first = await context.broker.topics.create({ name: 'first', configs: {} })
  const second = await context.broker.topics.create({ name: 'second', configs: {} })
  const remove = async (topics: { name: string | null; topicId: string }[]) =>
    (await handleDeleteTopics(context, { topics, timeoutMs: 1000 })).topics
  t.strictSame(await remove([...byName('first'), { name: null, topicId: second.topicId }]), [
    { name: 'first', topicId: first.topicId, errorCode: 0, errorMessage: null },
    { name: 'second', topicId: second.topicId, errorCode: 0, errorMessage: null },
  ])
  t.match(
    await remove([
      ...byName('first', 'no/name'),
      { name: null, topicId: second.topicId },
      { name: null, topicId: ZERO_UUID },
      { name: 'first', topicId: first.topicId },
    ]),
    [{ errorCode: 3 }, { errorCode: 17 }, { errorCode: 100, name: null }, { errorCode: 42 }, { errorCode: 42 }],
  )
  await context.broker.topics.create({ name: 'third', configs: {} })
  context.broker.topics.delete = async () => {
    throw new HeadraceError('TOPIC_UNKNOWN', 'never', 'gone')
  }
  t.match(await remove(byName('third')), [{ errorCode: 3, errorMessage: 'gone' }])
})

t.test('producer ids are new ones, always', async (t) => {
  const context = fakeContext()
  const ask = (more: object = {}) =>
    handleInitProducerId(context, {
      transactionalId: null,
      transactionTimeoutMs: 1000,
      producerId: -1,
      producerEpoch: -1,
      ...more,
    })
  const first = await ask()
  const second = await ask({ producerId: first.producerId, producerEpoch: 0 })
  t.match(
    [first, second],
    [
      { errorCode: 0, producerEpoch: 0 },
      { errorCode: 0, producerEpoch: 0 },
    ],
  )
  t.not(first.producerId, second.producerId)
  t.match(await ask({ transactionalId: 'txn' }), { errorCode: 53, producerId: -1, producerEpoch: -1 })
  context.broker.failure = away
  t.match(await ask(), { errorCode: 14 })
})
