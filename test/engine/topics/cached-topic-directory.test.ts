import t from 'tap'
import { HeadraceError } from '../../../engine/errors.js'
import type { Topic } from '../../../engine/model.js'
import type { Catalog, NewTopic } from '../../../engine/ports/catalog.js'
import { CachedTopicDirectory } from '../../../engine/topics/cached-topic-directory.js'
import { SeededRandom, VirtualClock } from '../../support/virtual-clock.js'

function setUp() {
  const clock = new VirtualClock()
  const topics = new Map<string, Topic>()
  const lookups: string[][] = []
  const state = { failure: undefined as HeadraceError | undefined }
  const check = () => {
    if (state.failure !== undefined) throw state.failure
  }
  const catalog = {
    topicsByName: async (names: readonly string[]) => {
      lookups.push([...names])
      check()
      return names.flatMap((name) => topics.get(name) ?? [])
    },
    topicsById: async (ids: readonly string[]) => {
      check()
      return [...topics.values()].filter((topic) => ids.includes(topic.topicId))
    },
    listTopics: async () => [...topics.values()],
    createTopic: async (topic: NewTopic) => {
      if (topics.has(topic.name)) throw new HeadraceError('TOPIC_EXISTS', 'never', 'exists')
      topics.set(topic.name, topic)
      return topic
    },
    updateTopicConfigs: async (topicId: string, update: (configs: Topic['configs']) => Topic['configs']) => {
      check()
      for (const topic of topics.values()) {
        if (topic.topicId !== topicId) continue
        const updated = { ...topic, configs: update(topic.configs) }
        topics.set(topic.name, updated)
        return updated
      }
      throw new HeadraceError('TOPIC_UNKNOWN', 'never', 'gone')
    },
    deleteTopic: async (topicId: string) => {
      for (const topic of topics.values()) if (topic.topicId === topicId) topics.delete(topic.name)
    },
  } as unknown as Catalog
  const directory = new CachedTopicDirectory({
    catalog,
    clock,
    random: new SeededRandom(1),
    autoCreate: true,
    defaultPartitionCount: 3,
    ageMaxMs: 1000,
  })
  return { clock, topics, lookups, state, directory }
}

t.test('create, look up from the cache, look up again when old', async (t) => {
  const { clock, lookups, directory } = setUp()
  const topic = await directory.create({ name: 'a', configs: {} })
  t.equal(topic.partitionCount, 3)
  t.equal(directory.cached('a'), topic)
  t.same([...(await directory.byName(['a', 'a'])).keys()], ['a'])
  t.same(lookups, [])
  await clock.advance(1001)
  t.equal(directory.cached('a'), undefined)
  await directory.byName(['a'])
  t.same(lookups, [['a']])
})

t.test('what does not exist is asked for each time, and a topic deleted elsewhere is forgotten', async (t) => {
  const { clock, topics, lookups, directory } = setUp()
  await directory.byName(['none'])
  await directory.byName(['none'])
  t.equal(lookups.length, 2)
  const { topicId } = await directory.create({ name: 'a', configs: {} })
  topics.clear()
  await clock.advance(1001)
  t.equal((await directory.byName(['a'])).size, 0)
  t.equal((await directory.byId([topicId])).size, 0)
})

t.test('while the catalog is away the last picture serves on', async (t) => {
  const { clock, topics, lookups, state, directory } = setUp()
  const topic = await directory.create({ name: 'a', configs: {} })
  await clock.advance(1001)
  state.failure = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')
  t.equal((await directory.byName(['a'])).get('a'), topic)
  await directory.byName(['a'])
  t.equal(lookups.length, 1, 'the catalog is not asked each time')
  await clock.advance(1001)
  t.equal((await directory.byId([topic.topicId])).get(topic.topicId), topic)
  await t.rejects(directory.byName(['a', 'b']), { code: 'CATALOG_UNAVAILABLE' }, 'but nobody knows b')
  await clock.advance(1001)
  state.failure = new HeadraceError('CATALOG_SCHEMA_MISMATCH', 'never', 'other')
  await t.rejects(directory.byName(['a']), { code: 'CATALOG_SCHEMA_MISMATCH' })
  state.failure = undefined
  topics.clear()
  t.equal((await directory.byName(['a'])).size, 0, 'back again, it tells the truth')
})

t.test('create validates first', async (t) => {
  const { topics, directory } = setUp()
  await t.rejects(directory.create({ name: 'a b', configs: {} }), { code: 'TOPIC_NAME_INVALID' })
  await t.rejects(directory.create({ name: 'a', partitionCount: 0, configs: {} }), { code: 'PARTITION_COUNT_INVALID' })
  await t.rejects(directory.create({ name: 'a', configs: { nonsense: '1' } }), { code: 'CONFIG_INVALID' })
  await directory.create({ name: 'a', configs: {} }, { validateOnly: true })
  t.equal(topics.size, 0)
  await directory.create({ name: 'a', configs: {} })
  await t.rejects(directory.create({ name: 'a', configs: {} }), { code: 'TOPIC_EXISTS' })
  await t.rejects(directory.create({ name: 'a', configs: {} }, { validateOnly: true }), { code: 'TOPIC_EXISTS' })
})

t.test('ensure is happy when somebody else was faster, and a new topic has a new id', async (t) => {
  const { directory } = setUp()
  const [a, b] = await Promise.all([directory.ensure('a'), directory.ensure('a')])
  t.equal(a.topicId, b.topicId)
  await directory.delete(a.topicId)
  t.equal(directory.cached('a'), undefined)
  t.not((await directory.ensure('a')).topicId, a.topicId)
})

t.test('changed configs hold at once; what another agent did shows when refreshed or forgotten', async (t) => {
  const { topics, directory } = setUp()
  const { topicId } = await directory.create({ name: 'a', configs: { 'retention.ms': '5' } })
  const edits = [{ name: 'retention.bytes', operation: 'set', value: '7' }] as const
  const check = await directory.alterConfigs(topicId, { kind: 'edit', edits }, { validateOnly: true })
  t.same(check.configs, { 'retention.ms': '5', 'retention.bytes': '7' })
  t.same(directory.cached('a')?.configs, { 'retention.ms': '5' })
  await directory.alterConfigs(topicId, { kind: 'edit', edits })
  t.same(directory.cached('a')?.configs, check.configs)
  const wrong = { kind: 'replace', configs: { 'no.such': '1' } } as const
  await t.rejects(directory.alterConfigs(topicId, wrong), { code: 'CONFIG_INVALID' })
  t.same(directory.cached('a')?.configs, check.configs)

  topics.set('a', { topicId: 'other', name: 'a', partitionCount: 9, configs: {} })
  t.equal((await directory.byName(['a'])).get('a')?.topicId, topicId, 'from the cache')
  t.equal((await directory.refresh(['a', 'b'])).get('a')?.topicId, 'other')
  t.equal(directory.cached('a')?.partitionCount, 9)
  t.equal((await directory.byId([topicId])).size, 0)
  topics.clear()
  directory.forget('other')
  t.equal((await directory.byName(['a'])).size, 0)
})
