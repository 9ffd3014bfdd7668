import { connect } from 'node:net'
import t from 'tap'
import { advertisedApis } from '../../../adapters/kafka/apis/registry.js'
import { type KafkaListenerSettings, startKafkaListener } from '../../../adapters/kafka/index.js'
import { HeadraceError } from '../../../engine/errors.js'
import type { Logger } from '../../../engine/ports/logger.js'
import { fakeBatch, join } from '../../support/kafka/bytes.js'
import { FakeBroker } from '../../support/kafka/fake-broker.js'
import { readGolden } from '../../support/kafka/golden.js'
import { correlationIdOf, decodeFrame, RawClient, requestFrame } from '../../support/kafka/raw-client.js'
import { deferred, until } from '../../support/kafka/wait.js'

type Test = { teardown(fn: () => unknown): void }

async function setUp(t: Test, settings: Partial<KafkaListenerSettings> = {}) {
  const broker = new FakeBroker()
  const warnings: string[] = []
  const errors: string[] = []
  const logger: Logger = {
    debug() {},
    info() {},
    warn: (_fields, message) => warnings.push(message),
    error: (_fields, message) => errors.push(message),
  }
  const listener = await startKafkaListener({ listen: [{ host: '127.0.0.1', port: 0 }], broker, settings, logger })
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.destroy()
    await listener.close()
  })
  const open = async () => {
    const client = await RawClient.open(listener.port, { allowHalfOpen: true })
    clients.push(client)
    return client
  }
  return { broker, listener, open, warnings, errors }
}

const produceOf = (acks = -1, topic = 'events') => ({
  acks,
  topics: [{ name: topic, partitions: [{ partition: 0, records: fakeBatch({}) }] }],
})
const fetchOf = (options: { waitMaxMs?: number; fetchOffset?: number } = {}) => ({
  waitMaxMs: options.waitMaxMs ?? 0,
  bytesMin: 1,
  bytesMax: 1 << 20,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  rackId: '',
  topics: [
    { name: 'events', partitions: [{ partition: 0, fetchOffset: options.fetchOffset ?? 0, bytesMax: 1 << 20 }] },
  ],
})
const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }

t.test('responses leave in request order, though later requests are served meanwhile', async (t) => {
  const { broker, open } = await setUp(t)
  await broker.topics.ensure('events')
  const gates = [deferred(), deferred(), deferred()]
  broker.beforeCommit = async (request) => gates[request]!.promise
  const client = await open()
  const ids = [client.begin('produce', 9, produceOf()), client.begin('produce', 9, produceOf())]
  ids.push(client.begin('apiVersions', 0, {}), client.begin('produce', 9, produceOf()))
  await until(() => broker.appended.length === 3)
  gates[2]!.resolve()
  gates[1]!.resolve()
  gates[0]!.resolve()
  const frames = []
  for (let count = 0; count < 4; count++) frames.push((await client.receive())!)
  t.strictSame(frames.map(correlationIdOf), ids)
  t.equal(decodeFrame('produce', 9, frames[0]!, ids[0]!).topics[0].partitions[0].errorCode, 0)
})

t.test('batches are appended in the order of their frames, also when a topic must be looked up first', async (t) => {
  const { broker, open } = await setUp(t)
  const slow = deferred()
  const { byName } = broker.topics
  broker.topics.byName = async (names) => {
    await slow.promise
    return byName(names)
  }
  await broker.topics.ensure('known')
  const client = await open()
  client.begin('produce', 9, produceOf(-1, 'new'))
  client.begin('produce', 9, produceOf(-1, 'known'))
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(broker.appended.length, 0)
  slow.resolve()
  await client.receive()
  await client.receive()
  const created = (await byName(['new'])).get('new')
  t.strictSame(broker.appended[0]?.batches[0]?.topicId, created?.topicId)
})

t.test('a frame may come byte by byte, or many in one piece', async (t) => {
  const { open } = await setUp(t)
  const golden = readGolden('kcat.hex').frames.filter(({ api }) => api !== 'produce')
  const byBytes = await open()
  for (const byte of golden[0]!.bytes) await byBytes.send(Uint8Array.of(byte))
  t.equal(correlationIdOf((await byBytes.receive())!), 1)
  const atOnce = await open()
  await atOnce.send(join(golden.map(({ bytes }) => bytes)))
  for (const { bytes } of golden) {
    t.equal(correlationIdOf((await atOnce.receive())!), correlationIdOf(bytes.subarray(8)))
  }
})

t.test('a parked fetch answers when records come, and serves one at a time', async (t) => {
  const { broker, open } = await setUp(t)
  await broker.topics.ensure('events')
  const consumer = await open()
  const first = consumer.begin('fetch', 11, fetchOf({ waitMaxMs: 4000 }))
  const second = consumer.begin('fetch', 11, fetchOf())
  await until(() => broker.fetches.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(broker.fetches.length, 1, 'the second waits for the first to be answered')
  const producer = await open()
  t.equal((await producer.request('produce', 3, produceOf())).topics[0].partitions[0].baseOffset, 0)
  const answer = decodeFrame('fetch', 11, (await consumer.receive())!, first)
  t.match(answer.topics[0].partitions[0], { errorCode: 0, highWatermark: 1, records: { bytes: 69 } })
  t.ok(decodeFrame('fetch', 11, (await consumer.receive())!, second))
})

t.test('a fetch whose client went away is aborted', async (t) => {
  const { broker, listener, open } = await setUp(t)
  await broker.topics.ensure('events')
  const consumer = await open()
  consumer.begin('fetch', 11, fetchOf({ waitMaxMs: 60_000 }))
  await until(() => broker.fetches.length === 1)
  consumer.destroy()
  await until(() => broker.fetches[0]!.signal.aborted)
  await until(() => listener.connectionCount === 0)
  t.pass()
})

t.test('acks=0 gets no response; its failure ends the connection after what came before', async (t) => {
  const { broker, open, warnings } = await setUp(t)
  const client = await open()
  client.begin('produce', 9, produceOf(0))
  t.ok(await client.request('apiVersions', 3, software))
  t.equal(broker.appended.length, 1)
  client.begin('produce', 9, {
    ...produceOf(0),
    topics: [{ name: 'no/name', partitions: [{ partition: 0, records: fakeBatch({}) }] }],
  })
  t.equal(await client.receive(), undefined)
  t.match(warnings, [/acks=0 failed: Topic name "no\/name" is not legal/])
})

t.test('other acks are refused', async (t) => {
  const { open } = await setUp(t)
  const client = await open()
  t.match(await client.request('produce', 8, produceOf(2)), { topics: [{ partitions: [{ errorCode: 21 }] }] })
})

t.test('an unknown ApiVersions version is answered in version 0; other unknown versions and APIs close', async (t) => {
  const { open, warnings } = await setUp(t)
  const client = await open()
  const frame = requestFrame('apiVersions', 4, 77, software)
  frame[7] = 99
  await client.send(frame)
  t.strictSame(decodeFrame('apiVersions', 0, (await client.receive())!, 77), {
    errorCode: 35,
    apis: [{ key: 18, min: 0, max: 4 }],
  })
  t.match(await client.request('apiVersions', 3, { ...software, clientSoftwareName: '-bad-' }), { errorCode: 42 })
  t.equal((await client.request('apiVersions', 4, software)).apis.length, advertisedApis.length)
  for (const [key, version] of [
    [0, 2],
    [1, 3],
    [3, 14],
    [60, 0],
    [-1, 0],
  ] as const) {
    const stranger = await open()
    const request = requestFrame('apiVersions', 0, 1, {})
    new DataView(request.buffer).setInt16(4, key)
    new DataView(request.buffer).setInt16(6, version)
    await stranger.send(request)
    t.equal(await stranger.receive(), undefined, `API ${key} version ${version}`)
  }
  t.equal(warnings.length, 5)
  t.ok(await client.request('apiVersions', 0, {}), 'others are not harmed')
})

t.test('lengths that make no sense close the connection before anything is read', async (t) => {
  const { open, warnings } = await setUp(t, { requestBytesMax: 1000 })
  for (const length of [-1, -(2 ** 31), 0, 9, 1001, 2 ** 31 - 1]) {
    const client = await open()
    const prefix = new Uint8Array(4)
    new DataView(prefix.buffer).setInt32(0, length)
    await client.send(prefix)
    t.equal(await client.receive(), undefined, `${length}`)
  }
  t.equal(warnings.length, 6)
  const http = await open()
  await http.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  t.equal(await http.receive(), undefined)
})

t.test('a malformed request ends its connection, after the answers to those before it', async (t) => {
  const { broker, open, warnings } = await setUp(t)
  await broker.topics.ensure('events')
  const gate = deferred()
  broker.beforeCommit = () => gate.promise
  const client = await open()
  const id = client.begin('produce', 9, produceOf())
  const bad = requestFrame('metadata', 9, 2, { topics: null, allowAutoTopicCreation: false })
  bad.fill(0xff, 25)
  await client.send(bad)
  await until(() => warnings.length === 1)
  gate.resolve()
  t.equal(correlationIdOf((await client.receive())!), id)
  t.equal(await client.receive(), undefined)
})

t.test('a response that cannot be made ends the connection in its turn', async (t) => {
  const { broker, open, errors } = await setUp(t)
  broker.topics.list = async () => {
    throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'the catalog is away')
  }
  const client = await open()
  const first = client.begin('apiVersions', 0, {})
  client.begin('metadata', 1, { topics: null })
  client.begin('apiVersions', 0, {})
  t.equal(correlationIdOf((await client.receive())!), first)
  t.equal(await client.receive(), undefined)
  t.equal(errors.length, 1)
  const modern = await open()
  t.match(await modern.request('metadata', 13, { topics: null }), { errorCode: 56, topics: [] })
})

t.test('a frame that is not complete in time closes; between frames a connection may be idle for longer', async (t) => {
  const { open, warnings, listener } = await setUp(t, { requestReadTimeoutMs: 60, connectionIdleMs: 300 })
  const quiet = await open()
  const loris = await open()
  await loris.send(Uint8Array.of(0, 0))
  const slower = await open()
  await slower.send(requestFrame('apiVersions', 0, 1, {}).subarray(0, 12))
  t.equal(await loris.receive(), undefined)
  t.equal(await slower.receive(), undefined)
  t.match(warnings, [/Only 2 of 4 bytes/, /Only 8 of \d+ bytes/])
  t.notOk(quiet.isClosed)
  t.equal(await quiet.receive(), undefined)
  t.equal(warnings.length, 2, 'idleness is no offence')
  quiet.end()
  await until(() => listener.connectionCount === 0)
})

t.test('a connection that waits for records is not idle', async (t) => {
  const { broker, open } = await setUp(t, { connectionIdleMs: 40 })
  await broker.topics.ensure('events')
  const client = await open()
  t.ok(await client.request('fetch', 11, fetchOf({ waitMaxMs: 200 })))
})

t.test('pending requests are bounded: the socket stands still', async (t) => {
  const { broker, open } = await setUp(t, { pendingRequestsMax: 4 })
  await broker.topics.ensure('events')
  const gate = deferred()
  broker.beforeCommit = () => gate.promise
  const client = await open()
  for (let count = 0; count < 20; count++) client.begin('produce', 9, produceOf())
  await until(() => broker.appended.length === 4)
  await new Promise((resolve) => setTimeout(resolve, 30))
  t.equal(broker.appended.length, 4)
  gate.resolve()
  for (let id = 1; id <= 20; id++) t.equal(correlationIdOf((await client.receive())!), id)
})

t.test('large frames wait for the shared budget, small ones do not', async (t) => {
  const { broker, open } = await setUp(t, { frameBudgetBytes: 150_000, messageBytesMax: 1 << 20 })
  await broker.topics.ensure('events')
  const gate = deferred()
  broker.beforeAppend = () => gate.promise
  const large = {
    acks: -1,
    topics: [
      { name: 'events', partitions: [{ partition: 0, records: fakeBatch({ payload: new Uint8Array(100_000) }) }] },
    ],
  }
  const clients = [await open(), await open(), await open()]
  for (const client of clients) client.begin('produce', 9, large)
  const small = await open()
  t.ok(await small.request('metadata', 9, { topics: null }))
  t.equal(broker.appended.length, 0)
  clients[1]!.destroy()
  gate.resolve()
  t.match(decodeFrame('produce', 9, (await clients[0]!.receive())!, 1), {
    topics: [{ partitions: [{ errorCode: 0 }] }],
  })
  t.match(decodeFrame('produce', 9, (await clients[2]!.receive())!, 1), {
    topics: [{ partitions: [{ errorCode: 0 }] }],
  })
})

t.test('clients that send beginnings of large frames do not hold what they declared', async (t) => {
  const MIB = 1 << 20
  const { broker, open, warnings } = await setUp(t, {
    frameBudgetBytes: 2 * MIB,
    requestBytesMax: MIB,
    requestStallTimeoutMs: 300,
    requestReadTimeoutMs: 60_000,
    messageBytesMax: MIB,
  })
  await broker.topics.ensure('events')
  const records = fakeBatch({ payload: new Uint8Array(900_000) })
  const large = { acks: -1, topics: [{ name: 'events', partitions: [{ partition: 0, records }] }] }
  const beginning = new Uint8Array(80 << 10)
  new DataView(beginning.buffer).setInt32(0, MIB)

  // Each declares half of the budget, sends a little more than is free, and stalls.
  const few = [await open(), await open(), await open(), await open()]
  for (const client of few) await client.send(beginning)
  const good = await open()
  for (let count = 0; count < 5; count++) {
    t.match(await good.request('produce', 9, large), { topics: [{ partitions: [{ errorCode: 0 }] }] })
  }
  t.strictSame(warnings, [], 'there is room for all of them')

  // More than there is room for: who was given memory for a whole frame and sends none of it goes.
  const many = await Promise.all(Array.from({ length: 20 }, open))
  await Promise.all(many.map((client) => client.send(beginning)))
  for (let count = 0; count < 5; count++) {
    t.match(await good.request('produce', 9, large), { topics: [{ partitions: [{ errorCode: 0 }] }] })
  }
  t.ok(warnings.length > 0)
  t.ok(warnings.every((warning) => /while others waited for memory/.test(warning)))
})

t.test('a client that does not take its responses is given up', async (t) => {
  const { broker, open, warnings, listener } = await setUp(t, { connectionIdleMs: 1000 })
  await broker.topics.ensure('events')
  const big = fakeBatch({ payload: new Uint8Array(900_000) })
  const producer = await open()
  const records = { acks: 1, topics: [{ name: 'events', partitions: [{ partition: 0, records: big }] }] }
  for (let count = 0; count < 20; count++) await producer.request('produce', 9, records)
  producer.end()
  const client = await open()
  client.pause()
  const fetchAll = { ...fetchOf(), bytesMax: 50 << 20 }
  fetchAll.topics[0]!.partitions[0]!.bytesMax = 50 << 20
  client.begin('fetch', 11, fetchAll)
  await until(() => warnings.length === 1)
  t.match(warnings, [/took no response for 1000 ms/])
  await until(() => listener.connectionCount === 0)
})

t.test('close lets requests on their way answer, wakes parked fetches, and reads no further', async (t) => {
  const { broker, listener, open } = await setUp(t)
  await broker.topics.ensure('events')
  const gate = deferred()
  broker.beforeCommit = () => gate.promise
  const [producer, consumer, idle] = [await open(), await open(), await open()]
  const produced = producer.begin('produce', 9, produceOf())
  await until(() => broker.appended.length === 1)
  const fetched = consumer.begin('fetch', 11, fetchOf({ waitMaxMs: 60_000 }))
  await until(() => broker.fetches.length === 1)
  const closing = listener.close()
  t.equal(listener.close(), closing)
  t.ok(decodeFrame('fetch', 11, (await consumer.receive())!, fetched))
  t.equal(await idle.receive(), undefined)
  producer.begin('produce', 9, produceOf())
  gate.resolve()
  t.ok(decodeFrame('produce', 9, (await producer.receive())!, produced))
  t.equal(await producer.receive(), undefined)
  for (const client of [producer, consumer, idle]) client.end()
  await closing
  t.equal(broker.appended.length, 1)
  t.equal(listener.connectionCount, 0)
  await t.rejects(RawClient.open(listener.port))
})

t.test('close does not wait longer than it is told', async (t) => {
  const { broker, listener, open } = await setUp(t, { closeTimeoutMs: 50 })
  await broker.topics.ensure('events')
  broker.beforeAppend = () => new Promise(() => {})
  const client = await open()
  client.begin('produce', 9, produceOf())
  await new Promise((resolve) => setTimeout(resolve, 20))
  await listener.close()
  t.equal(await client.receive(), undefined)
})

t.test('too many connections are refused, and an address in use is told', async (t) => {
  const { broker, listener, open, warnings } = await setUp(t, { connectionsMax: 1 })
  const client = await open()
  t.ok(await client.request('apiVersions', 0, {}))
  const refused = connect(listener.port, '127.0.0.1')
  await new Promise((resolve) => refused.on('error', () => {}).on('close', resolve))
  t.match(warnings, [/too many/])
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  await t.rejects(startKafkaListener({ listen: [{ host: '127.0.0.1', port: listener.port }], broker, logger }), {
    code: 'CONFIG_INVALID',
    message: /cannot bind 127\.0\.0\.1/,
  })
})

t.test('a client that asks for what is not advertised, again and again, does not fill the log', async (t) => {
  const { listener, open, warnings } = await setUp(t)
  const unknown = requestFrame('apiVersions', 0, 1, {})
  new DataView(unknown.buffer).setInt16(4, 999)
  for (let count = 0; count < 25; count++) {
    const client = await open()
    await client.send(unknown)
    t.equal(await client.receive(), undefined)
    client.end()
  }
  const stranger = await open()
  await stranger.send(new Uint8Array(4))
  t.equal(await stranger.receive(), undefined)
  stranger.end()
  t.equal(warnings.length, 11)
  t.match(warnings.at(-1), /no Kafka client/, 'and hides nobody else')
  await listener.close()
  t.match(warnings.at(-1), /^Left out 15 more warnings .*: Closed a Kafka connection: API 999 is not supported/)
})

t.test('random bytes never harm the listener', async (t) => {
  const { listener, open, errors } = await setUp(t, { requestReadTimeoutMs: 200 })
  let seed = 42
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  const samples = readGolden('franz-go.hex').frames.filter(({ kind }) => kind === 'request')
  for (let round = 0; round < 150; round++) {
    const frame = Uint8Array.from(samples[Math.floor(random() * samples.length)]!.bytes)
    for (let flip = 0; flip < 3; flip++) {
      const position = 8 + Math.floor(random() * (frame.byteLength - 8))
      frame[position] = Math.floor(random() * 256)
    }
    const client = await open()
    await client.send(frame)
    client.end()
  }
  await until(() => listener.connectionCount === 0)
  t.strictSame(errors, [])
  t.ok(await (await open()).request('apiVersions', 0, {}))
})
