import t from 'tap'
import { handleOffsetCommit } from '../../../../adapters/kafka/handlers/offset-commit.js'
import { handleOffsetDelete } from '../../../../adapters/kafka/handlers/offset-delete.js'
import { handleOffsetFetch } from '../../../../adapters/kafka/handlers/offset-fetch.js'
import { handleOffsetForLeaderEpoch } from '../../../../adapters/kafka/handlers/offset-for-leader-epoch.js'
import { acceptProduce } from '../../../../adapters/kafka/handlers/produce.js'
import { HeadraceError, type HeadraceErrorCode } from '../../../../engine/errors.js'
import { fakeBatch } from '../../../support/kafka/bytes.js'
import { fakeContext } from '../../../support/kafka/context.js'

const error = (code: HeadraceErrorCode) => new HeadraceError(code, 'safe', `it is ${code}`)
const member = { groupId: 'group', generationId: 3, memberId: 'member', groupInstanceId: null }
const offsetOf = (partition: number, metadata: string | null = null) => ({
  partition,
  offset: 10 + partition,
  leaderEpoch: 0,
  metadata,
})

async function withTopic() {
  const context = fakeContext()
  const topic = await context.broker.topics.create({ name: 'events', partitionCount: 3, configs: {} })
  return { context, groups: context.broker.groups, topic }
}

t.test('offsets are committed and fetched by name, whatever else is asked for', async (t) => {
  const { context, groups, topic } = await withTopic()
  groups.errors.set(2, error('OFFSET_METADATA_TOO_LARGE'))
  const topics = [
    { name: 'events', partitions: [offsetOf(0), offsetOf(1, 'note'), offsetOf(2), offsetOf(3)] },
    { name: 'absent', partitions: [offsetOf(0)] },
    { name: 'no/name', partitions: [offsetOf(0)] },
  ]
  t.strictSame((await handleOffsetCommit(context, { ...member, topics })).topics, [
    {
      name: 'events',
      partitions: [
        { partition: 0, errorCode: 0 },
        { partition: 1, errorCode: 0 },
        { partition: 2, errorCode: 12 },
        { partition: 3, errorCode: 3 },
      ],
    },
    { name: 'absent', partitions: [{ partition: 0, errorCode: 3 }] },
    { name: 'no/name', partitions: [{ partition: 0, errorCode: 3 }] },
  ])
  const named = [
    { name: 'events', partitions: [1, 2, 0, 9] },
    { name: 'absent', partitions: [0] },
  ]
  const none = { errorCode: 0, offset: -1, leaderEpoch: -1, metadata: '' }
  const first = { partition: 0, errorCode: 0, offset: 10, leaderEpoch: 0, metadata: '' }
  const second = { partition: 1, errorCode: 0, offset: 11, leaderEpoch: 0, metadata: 'note' }
  const fetch = async (groupId: string, asked: typeof named | null) =>
    (await handleOffsetFetch(context, { groups: [{ groupId, topics: asked }] }, 8)).groups[0]!
  t.strictSame(await fetch('group', named), {
    groupId: 'group',
    errorCode: 0,
    topics: [
      { name: 'events', partitions: [second, { partition: 2, ...none }, first, { partition: 9, ...none }] },
      { name: 'absent', partitions: [{ partition: 0, ...none }] },
    ],
  })
  t.strictSame((await fetch('group', null)).topics, [{ name: 'events', partitions: [first, second] }])
  t.strictSame((await fetch('nobody', null)).topics, [])
  await context.broker.topics.delete(topic.topicId)
  t.strictSame((await fetch('group', null)).topics, [], 'of a topic that is no more')
})

t.test('several groups at once, each once', async (t) => {
  const { context } = await withTopic()
  const topics = [{ name: 'events', partitions: [0] }]
  const groups = ['a', 'b', 'a'].map((groupId) => ({ groupId, topics }))
  const answer = await handleOffsetFetch(context, { groups }, 8)
  t.strictSame(
    answer.groups.map(({ groupId, errorCode }) => [groupId, errorCode]),
    [
      ['a', 0],
      ['b', 0],
    ],
  )
})

t.test('what concerns the group as a whole is said where the version has a place for it', async (t) => {
  const { context, groups } = await withTopic()
  groups.failure = error('GENERATION_ILLEGAL')
  const topics = [{ name: 'events', partitions: [offsetOf(0), offsetOf(7)] }]
  t.match(await handleOffsetCommit(context, { ...member, topics }), {
    topics: [{ partitions: [{ errorCode: 22 }, { errorCode: 3 }] }],
  })
  groups.failure = error('COORDINATOR_UNAVAILABLE')
  const request = { groups: [{ groupId: 'group', topics: [{ name: 'events', partitions: [0] }] }] }
  t.match(await handleOffsetFetch(context, request, 2), { groups: [{ errorCode: 15, topics: [] }] })
  t.match(await handleOffsetFetch(context, request, 1), {
    groups: [{ topics: [{ partitions: [{ partition: 0, errorCode: 15, offset: -1 }] }] }],
  })
})

t.test('while the catalog is away consumers are told to come again', async (t) => {
  const { context } = await withTopic()
  context.broker.failure = error('CATALOG_UNAVAILABLE')
  const commit = await handleOffsetCommit(context, {
    ...member,
    topics: [{ name: 'events', partitions: [offsetOf(0)] }],
  })
  t.match(commit.topics[0]!.partitions, [{ errorCode: 15 }])
  const groups = [{ groupId: 'group', topics: [{ name: 'events', partitions: [0] }] }]
  t.match(await handleOffsetFetch(context, { groups }, 8), { groups: [{ errorCode: 15 }] })
})

t.test('offsets are deleted', async (t) => {
  const { context, groups } = await withTopic()
  await context.broker.topics.create({ name: 'read', partitionCount: 1, configs: {} })
  await handleOffsetCommit(context, { ...member, topics: [{ name: 'events', partitions: [offsetOf(0)] }] })
  groups.errors.set('read', error('GROUP_SUBSCRIBED'))
  const topics = [
    { name: 'events', partitions: [0, 5] },
    { name: 'read', partitions: [0] },
    { name: 'absent', partitions: [0] },
  ]
  t.match(await handleOffsetDelete(context, { groupId: 'group', topics }), {
    errorCode: 0,
    topics: [
      { partitions: [{ errorCode: 0 }, { errorCode: 3 }] },
      { partitions: [{ errorCode: 86 }] },
      { partitions: [{ errorCode: 3 }] },
    ],
  })
  t.strictSame(await groups.fetchOffsets('group'), [])
  groups.failure = error('GROUP_UNKNOWN')
  t.strictSame(await handleOffsetDelete(context, { groupId: 'group', topics }), { errorCode: 69, topics: [] })
})

t.test('the one leader epoch ends where the log does', async (t) => {
  const { context } = await withTopic()
  const records = fakeBatch({ recordCount: 3 })
  const frame = { position: 0, bytes: records.byteLength, batchBytes: records.byteLength, magic: 2 }
  const produced = await acceptProduce(
    context,
    {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topics: [{ name: 'events', partitions: [{ partition: 1, records: frame }] }],
    },
    9,
    [records],
  )
  await produced()
  const ask = async (name: string, partition: number, leaderEpoch: number) => {
    const request = { topics: [{ name, partitions: [{ partition, leaderEpoch }] }] }
    return (await handleOffsetForLeaderEpoch(context, request)).topics[0]!.partitions[0]!
  }
  const end = { partition: 1, errorCode: 0, leaderEpoch: 0, endOffset: 3 }
  t.strictSame(await ask('events', 1, 0), end)
  t.strictSame(await ask('events', 1, 4), end, 'an epoch of another cluster')
  const nothing = { leaderEpoch: -1, endOffset: -1 }
  t.strictSame(await ask('events', 1, -1), { partition: 1, errorCode: 0, ...nothing })
  t.strictSame(await ask('events', 5, 0), { partition: 5, errorCode: 3, ...nothing })
  t.strictSame(await ask('absent', 0, 0), { partition: 0, errorCode: 3, ...nothing })
  context.broker.reader.listOffsets = async () => {
    throw error('CATALOG_UNAVAILABLE')
  }
  t.strictSame(await ask('events', 1, 0), { partition: 1, errorCode: 56, ...nothing })
})
