import t from 'tap'
import { handleAlterConfigs, handleIncrementalAlterConfigs } from '../../../../adapters/kafka/handlers/alter-configs.js'
import { handleCreatePartitions } from '../../../../adapters/kafka/handlers/create-partitions.js'
import { handleDescribeConfigs } from '../../../../adapters/kafka/handlers/describe-configs.js'
import { HeadraceError } from '../../../../engine/errors.js'
import { fakeContext } from '../../../support/kafka/context.js'

const TOPIC = 2
const BROKER = 4
const away = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')

t.test('a topic’s configs are described with where they come from', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'events', configs: { 'retention.ms': '5' } })
  const ask = async (type: number, name: string, more: object = {}) => {
    const resources = [{ type, name, configNames: null, ...more }]
    const request = { resources, includeSynonyms: true, includeDocumentation: true }
    return (await handleDescribeConfigs(context, request)).resources[0]!
  }
  const events = await ask(TOPIC, 'events')
  t.ok(events.configs.length > 25)
  const configOf = (name: string) => events.configs.find((config) => config.name === name)
  t.match(configOf('retention.ms'), {
    value: '5',
    source: 1,
    readOnly: false,
    type: 5,
    documentation: /removed/,
    synonyms: [
      { name: 'retention.ms', value: '5', source: 1 },
      { name: 'log.retention.ms', value: '604800000', source: 5 },
    ],
  })
  t.match(configOf('cleanup.policy'), {
    value: 'delete',
    source: 5,
    type: 7,
    synonyms: [{ name: 'log.cleanup.policy', value: 'delete', source: 5 }],
  })
  t.match(configOf('max.message.bytes'), { value: '1048588', source: 5 })
  t.strictSame(
    (await ask(TOPIC, 'events', { configNames: ['retention.ms', 'nothing'] })).configs.map(({ name }) => name),
    ['retention.ms'],
  )
  const plain = await handleDescribeConfigs(context, {
    resources: [{ type: TOPIC, name: 'events', configNames: ['retention.ms'] }],
    includeSynonyms: false,
    includeDocumentation: false,
  })
  t.match(plain.resources, [{ configs: [{ synonyms: [], documentation: null }] }])
  t.match(await ask(TOPIC, 'absent'), { errorCode: 3, configs: [] })
  t.match(await ask(TOPIC, 'no/name'), { errorCode: 17 })
  t.match(await ask(8, '7'), { errorCode: 42 })

  const broker = await ask(BROKER, '7')
  t.ok(broker.configs.every(({ readOnly }) => readOnly))
  t.match(
    broker.configs.find(({ name }) => name === 'num.partitions'),
    { value: '2', source: 4, type: 3 },
  )
  t.match(
    broker.configs.find(({ name }) => name === 'log.retention.ms'),
    { value: '604800000', source: 5 },
  )
  t.match(await ask(BROKER, ''), { errorCode: 0, configs: [] })
  t.match(await ask(BROKER, '8'), { errorCode: 42, errorMessage: /This is broker 7/ })
  context.broker.failure = away
  t.match(await ask(TOPIC, 'events'), { errorCode: 56 })
})

t.test('AlterConfigs replaces the whole set', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'events', configs: { 'retention.ms': '5' } })
  const alter = async (configs: { name: string; value: string | null }[], more: object = {}, validateOnly = false) => {
    const resources = [{ type: TOPIC, name: 'events', configs, ...more }]
    return (await handleAlterConfigs(context, { resources, validateOnly })).resources[0]!
  }
  const configs = () => context.broker.topics.cached('events')!.configs
  const bytes = { name: 'retention.bytes', value: '7' }
  t.match(await alter([bytes], {}, true), { errorCode: 0 })
  t.strictSame(configs(), { 'retention.ms': '5' })
  t.match(await alter([bytes]), { errorCode: 0, errorMessage: null, type: TOPIC, name: 'events' })
  t.strictSame(configs(), { 'retention.bytes': '7' })
  t.match(await alter([{ name: 'retention.bytes', value: 'many' }]), { errorCode: 40 })
  t.match(await alter([{ name: 'no.such', value: '1' }], {}, true), { errorCode: 40, errorMessage: /no\.such/ })
  t.match(await alter([{ name: 'retention.bytes', value: null }]), { errorCode: 40 })
  t.match(await alter([bytes], { name: 'absent' }), { errorCode: 3 })
  t.match(await alter([bytes], { type: BROKER, name: '7' }), { errorCode: 42, errorMessage: /restart/ })
  t.match(await alter([bytes], { type: 8 }), { errorCode: 42 })
  const twice = [0, 1].map(() => ({ type: TOPIC, name: 'events', configs: [] }))
  t.match((await handleAlterConfigs(context, { resources: twice, validateOnly: false })).resources, [
    { errorCode: 42 },
    { errorCode: 42 },
  ])
  t.strictSame(configs(), { 'retention.bytes': '7' })
  context.broker.failure = away
  t.match(await alter([bytes]), { errorCode: 56 })
})

t.test('IncrementalAlterConfigs changes what it names', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'events', configs: { 'retention.ms': '5' } })
  const alter = async (...configs: [name: string, operation: number, value: string | null][]) => {
    const operations = configs.map(([name, operation, value]) => ({ name, operation, value }))
    const resources = [{ type: TOPIC, name: 'events', configs: operations }]
    const answer = (await handleIncrementalAlterConfigs(context, { resources, validateOnly: false })).resources[0]!
    return [answer.errorCode, context.broker.topics.cached('events')!.configs]
  }
  const before = { 'retention.ms': '5' }
  t.strictSame(await alter(['retention.bytes', 0, '9']), [0, { ...before, 'retention.bytes': '9' }])
  t.strictSame(await alter(['retention.bytes', 1, null]), [0, before])
  t.strictSame(await alter(['segment.bytes', 1, null]), [0, before])
  const both = { ...before, 'cleanup.policy': 'delete,compact' }
  t.strictSame(await alter(['cleanup.policy', 2, 'compact']), [0, both], 'to the default, where it was not set')
  t.strictSame(await alter(['cleanup.policy', 2, 'delete']), [0, both])
  const compact = { ...before, 'cleanup.policy': 'compact' }
  t.strictSame(await alter(['cleanup.policy', 3, 'delete']), [0, compact])
  t.strictSame(await alter(['cleanup.policy', 3, 'compact']), [40, compact], 'nothing would be left')
  t.strictSame(await alter(['retention.ms', 2, '1']), [40, compact], 'no list')
  t.strictSame(await alter(['no.such', 2, '1']), [40, compact])
  t.strictSame(await alter(['retention.ms', 0, null]), [40, compact])
  t.strictSame(await alter(['retention.ms', 9, '1']), [42, compact])
  t.strictSame(await alter(['retention.ms', 0, '1'], ['retention.ms', 0, '2']), [42, compact])
  t.strictSame(await alter(['retention.ms', 0, '-2'], ['retention.bytes', 0, '2']), [40, compact], 'all or nothing')
})

t.test('partitions are added', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'events', partitionCount: 2, configs: {} })
  const grow = async (partitionCount: number, more: object = {}, validateOnly = false) => {
    const topics = [{ name: 'events', partitionCount, assignments: null, ...more }]
    const answer = (await handleCreatePartitions(context, { topics, timeoutMs: 1000, validateOnly })).topics[0]!
    return [answer.errorCode, context.broker.topics.cached('events')!.partitionCount]
  }
  t.strictSame(await grow(3, {}, true), [0, 2])
  t.strictSame(await grow(3), [0, 3])
  t.strictSame(await grow(5, { assignments: [[1], [2, 3]] }), [0, 5])
  t.strictSame(await grow(5), [37, 5])
  t.strictSame(await grow(4, {}, true), [37, 5])
  t.strictSame(await grow(1_000_000), [37, 5])
  t.strictSame(await grow(7, { assignments: [[1]] }), [39, 5])
  t.strictSame(await grow(6, { assignments: [[]] }), [39, 5])
  t.strictSame(await grow(6, { assignments: [[1, 1]] }), [39, 5])
  t.strictSame(context.broker.topics.cached('events')!.assignment, [[], [], [], [1], [2, 3]])
  t.strictSame(await grow(6, { name: 'absent' }), [3, 5])
  const topics = [6, 7].map((partitionCount) => ({ name: 'events', partitionCount, assignments: null }))
  const twice = await handleCreatePartitions(context, { topics, timeoutMs: 1000, validateOnly: false })
  t.match(twice.topics, [{ name: 'events', errorCode: 42 }])
  context.broker.failure = away
  t.strictSame(await grow(9), [56, 5])
})

t.test('IncrementalAlterConfigs may unset what no broker ever had set', async (t) => {
  const context = fakeContext()
  const alter = async (...operations: number[]) => {
    const configs = operations.map((operation, place) => ({ name: `c${place}`, operation, value: '1' }))
    const resources = [{ type: BROKER, name: '7', configs }]
    return (await handleIncrementalAlterConfigs(context, { resources, validateOnly: false })).resources[0]!.errorCode
  }
  t.equal(await alter(1, 1), 0)
  t.equal(await alter(1, 0), 42)
})
