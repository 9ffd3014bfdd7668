import t from 'tap'
import { handleFetch } from '../../../../adapters/kafka/handlers/fetch.js'
import { handleListOffsets } from '../../../../adapters/kafka/handlers/list-offsets.js'
import { acceptProduce } from '../../../../adapters/kafka/handlers/produce.js'
import { ZERO_UUID } from '../../../../adapters/kafka/wire/uuid.js'
import { HeadraceError } from '../../../../engine/errors.js'
import { fakeBatch } from '../../../support/kafka/bytes.js'
import { fakeContext } from '../../../support/kafka/context.js'

type Context = ReturnType<typeof fakeContext>
type Part = { name?: string; partition?: number; batch?: Uint8Array; field?: object | null }

const batch = fakeBatch({ recordCount: 3 })

async function produce(
  context: Context,
  parts: Part[],
  options: { acks?: number; version?: number; transactionalId?: string } = {},
) {
  const { acks = -1, version = 9, transactionalId = null } = options
  let position = 0
  const chunks: Uint8Array[] = []
  const topics = parts.map(({ name = 'events', partition = 0, batch: records = batch, field }) => {
    const described = { position, bytes: records.byteLength, batchBytes: records.byteLength, magic: 2 }
    position += records.byteLength
    chunks.push(records)
    return { name, partitions: [{ partition, records: field === null ? null : { ...described, ...field } }] }
  })
  const respond = await acceptProduce(context, { acks, transactionalId, timeoutMs: 1000, topics }, version, chunks)
  return (await respond()).topics.map(({ partitions }) => partitions[0]!)
}

t.test('produce answers each partition for itself', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({ name: 'small', configs: { 'max.message.bytes': '100' } })
  const answers = await produce(context, [
    {},
    { partition: 2 },
    { partition: -1 },
    { name: 'no/name' },
    { field: null },
    { field: { bytes: 0 } },
    { field: { magic: 1 } },
    { field: { batchBytes: 70, bytes: 80 } },
    { field: { batchBytes: 90 } },
    { field: { batchBytes: undefined, magic: undefined } },
    { name: 'small', batch: fakeBatch({ payload: new Uint8Array(60) }) },
    { name: 'small' },
    { field: { bytes: 2_000_000 } },
    { name: 'made' },
    {},
  ])
  t.strictSame(
    answers.map(({ errorCode }) => errorCode),
    [0, 3, 3, 17, 87, 87, 87, 87, 2, 2, 10, 0, 10, 0, 0],
  )
  t.strictSame(answers[0], {
    partition: 0,
    errorCode: 0,
    errorMessage: null,
    baseOffset: 0,
    logStartOffset: 0,
    logAppendTimeMs: -1,
    recordErrors: [],
  })
  t.equal(answers.at(-1)?.baseOffset, 3)
  t.match(answers[10]?.errorMessage, /larger than max.message.bytes = 100 of small/)
  t.equal(context.broker.appended.length, 1, 'one request, one append')
  t.strictSame(context.broker.appended[0]?.batches.map(({ position, zstdAllowed }) => [position, zstdAllowed])[0], [
    0,
    true,
  ])
})

t.test('produce refuses as a whole', async (t) => {
  const context = fakeContext()
  t.equal((await produce(context, [{}], { acks: -2 }))[0]?.errorCode, 21)
  t.equal((await produce(context, [{}], { transactionalId: 'txn' }))[0]?.errorCode, 53)
  context.broker.topics.autoCreate = false
  t.equal((await produce(context, [{}]))[0]?.errorCode, 3)
  t.equal(context.broker.appended.length, 0)
})

t.test('produce below version 7 does not know zstd', async (t) => {
  const context = fakeContext()
  await produce(context, [{}], { version: 6 })
  t.equal(context.broker.appended[0]?.batches[0]?.zstdAllowed, false)
})

t.test('what the topic demands of its records goes with them', async (t) => {
  const context = fakeContext()
  await context.broker.topics.create({
    name: 'keyed',
    configs: { 'cleanup.policy': 'delete, compact', 'message.timestamp.type': 'LogAppendTime' },
  })
  await produce(context, [{}, { name: 'keyed' }])
  t.match(context.broker.appended[0]?.batches, [
    { logAppendTime: false, keysRequired: false },
    { logAppendTime: true, keysRequired: true },
  ])
})

t.test('produce says what the engine said', async (t) => {
  const context = fakeContext()
  await produce(context, [{}])
  context.broker.failure = new HeadraceError('AGENT_CLOSING', 'safe', 'closing')
  t.equal((await produce(context, [{}]))[0]?.errorCode, 6)
  context.broker.failure = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')
  t.match((await produce(context, [{ name: 'other' }]))[0], { errorCode: 56, errorMessage: 'away', baseOffset: -1 })
  context.broker.failure = undefined
  const error = new HeadraceError('SEQUENCE_GAP', 'never', 'gap')
  context.broker.intake.append = async () => ({ results: Promise.resolve([{ ok: false, error }]) })
  t.match((await produce(context, [{}]))[0], { errorCode: 45, errorMessage: 'gap' })
  const recordErrors = [{ record: 3, message: 'no key' }]
  context.broker.intake.append = async () => ({ results: Promise.resolve([{ ok: false, error, recordErrors }]) })
  t.match((await produce(context, [{}]))[0], { recordErrors })
  const timed = { ok: true as const, baseOffset: 1, logStartOffset: 0, logAppendTimeMs: 77 }
  context.broker.intake.append = async () => ({ results: Promise.resolve([timed]) })
  t.match((await produce(context, [{}]))[0], { errorCode: 0, logAppendTimeMs: 77, recordErrors: [] })
  context.broker.intake.append = async () => {
    throw new TypeError('a bug')
  }
  await t.rejects(produce(context, [{}]), TypeError)
})

const fetchRequest = (
  topics: { name?: string; topicId?: string; partition?: number; fetchOffset?: number }[],
  more = {},
) => ({
  waitMaxMs: 0,
  bytesMin: 1,
  bytesMax: 1 << 30,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  rackId: '',
  topics: topics.map(({ name = '', topicId = ZERO_UUID, partition = 0, fetchOffset = 0 }) => ({
    name,
    topicId,
    partitions: [{ partition, fetchOffset, bytesMax: 1 << 20 }],
  })),
  ...more,
})

t.test('fetch by name and by id', async (t) => {
  const context = fakeContext()
  await produce(context, [{}])
  const { topicId } = context.broker.topics.cached('events')!
  const named = await handleFetch(context, fetchRequest([{ name: 'events' }]), 12)
  t.match(named.topics[0]?.partitions[0], {
    errorCode: 0,
    highWatermark: 3,
    logStartOffset: 0,
    bytes: batch.byteLength,
  })
  const byId = await handleFetch(context, fetchRequest([{ topicId }]), 13)
  t.match(byId.topics[0], { topicId, partitions: [{ errorCode: 0, bytes: batch.byteLength }] })
  t.equal(context.broker.fetches[0]?.bytesMax, context.settings.fetchBytesMax)

  const errors = await handleFetch(
    context,
    fetchRequest([{ name: 'events' }, { name: 'absent' }, { name: 'events', partition: 9 }, { name: 'no/name' }], {
      waitMaxMs: 60_000,
      bytesMin: 1 << 20,
    }),
    12,
  )
  t.strictSame(
    errors.topics.map(({ partitions }) => partitions[0]?.errorCode),
    [0, 3, 3, 17],
  )
  t.equal(context.broker.fetches.at(-1)?.waitMaxMs, 0, 'errors are not kept waiting')
  t.notOk(context.broker.topics.cached('absent'), 'reading creates nothing')
  const unknown = await handleFetch(
    context,
    fetchRequest([{ topicId: ZERO_UUID }, { topicId: topicId.replace(/^./, (first) => (first === 'f' ? '0' : 'f')) }]),
    13,
  )
  t.strictSame(
    unknown.topics.map(({ partitions }) => partitions[0]?.errorCode),
    [100, 100],
  )
  const beyond = await handleFetch(context, fetchRequest([{ name: 'events', fetchOffset: 4 }]), 12)
  t.equal(beyond.topics[0]?.partitions[0]?.errorCode, 1)
})

t.test('fetch sessions are not granted', async (t) => {
  const context = fakeContext()
  t.match(await handleFetch(context, fetchRequest([], { sessionId: 5, sessionEpoch: 1 }), 12), { errorCode: 70 })
  t.match(await handleFetch(context, fetchRequest([], { sessionEpoch: 0 }), 12), { errorCode: 0, topics: [] })
})

t.test('fetch says what the stores said', async (t) => {
  const context = fakeContext()
  await produce(context, [{}])
  context.broker.reader.fetch = async () => {
    throw new HeadraceError('OBJECT_STORE_TIMEOUT', 'safe', 'slow')
  }
  const answer = await handleFetch(context, fetchRequest([{ name: 'events' }]), 12)
  t.match(answer.topics[0]?.partitions[0], { errorCode: 56, highWatermark: -1, chunks: [] })
  context.broker.failure = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')
  t.equal((await handleFetch(context, fetchRequest([{ name: 'events' }]), 12)).topics[0]?.partitions[0]?.errorCode, 56)
  const topicId = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
  t.equal((await handleFetch(context, fetchRequest([{ topicId }]), 13)).topics[0]?.partitions[0]?.errorCode, 56)
})

t.test('list offsets: every special timestamp, where its version knows it', async (t) => {
  const context = fakeContext()
  await produce(context, [
    { batch: fakeBatch({ maxTimestampMs: 2000, recordCount: 2 }) },
    { batch: fakeBatch({ maxTimestampMs: 1500 }) },
  ])
  const ask = async (timestamp: number, version: number, partition = 0, name = 'events') => {
    const topics = [{ name, partitions: [{ partition, timestamp }] }]
    const answer = await handleListOffsets(context, { isolationLevel: 0, topics }, version)
    const { errorCode, offset, timestampMs, leaderEpoch } = answer.topics[0]!.partitions[0]!
    return [errorCode, offset, timestampMs, leaderEpoch]
  }
  t.strictSame(await ask(-1, 1), [0, 3, -1, 0])
  t.strictSame(await ask(-2, 1), [0, 0, -1, 0])
  t.strictSame(await ask(-3, 7), [0, 0, 2000, 0])
  t.strictSame(await ask(-4, 8), [0, 0, -1, 0])
  t.strictSame(await ask(-5, 9), [0, -1, -1, -1])
  t.strictSame(await ask(1600, 1), [0, 0, 2000, 0])
  t.strictSame(await ask(2001, 1), [0, -1, -1, -1])
  for (const [timestamp, version] of [
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 10],
  ] as const) {
    t.equal((await ask(timestamp, version))[0], 35)
  }
  t.equal((await ask(-1, 1, 9))[0], 3)
  t.equal((await ask(-1, 1, 0, 'absent'))[0], 3)
  context.broker.reader.listOffsets = async () => {
    throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'away')
  }
  t.strictSame(await ask(-1, 1), [56, -1, -1, -1])
})
