import t from 'tap'
import { advertisedApis } from '../../../adapters/kafka/apis/registry.js'
import { HeadraceError } from '../../../engine/errors.js'
import { fakeBatch, join } from '../../support/kafka/bytes.js'
import { readGolden } from '../../support/kafka/golden.js'
import { fetchOf, openListener, produceOf } from '../../support/kafka/open-listener.js'
import { correlationIdOf, decodeFrame, RawClient, requestFrame } from '../../support/kafka/raw-client.js'
import { deferred, until } from '../../support/kafka/wait.js'

const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }

t.test('responses leave in request order, though later requests are served meanwhile', async (t) => {
  const { broker, open } = await openListener(t)
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
  const { broker, open } = await openListener(t)
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
  const { open } = await openListener(t)
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
  const { broker, open } = await openListener(t)
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
  const { broker, listener, open } = await openListener(t)
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
  const { broker, open, warnings } = await openListener(t)
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
  const { open } = await openListener(t)
  const client = await open()
  t.match(await client.request('produce', 8, produceOf(2)), { topics: [{ partitions: [{ errorCode: 21 }] }] })
})

t.test('an unknown ApiVersions version is answered in version 0; other unknown versions and APIs close', async (t) => {
  const { open, warnings } = await openListener(t)
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

t.test('a malformed request ends its connection, after the answers to those before it', async (t) => {
  const { broker, open, warnings } = await openListener(t)
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
  const { broker, open, errors } = await openListener(t)
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

t.test('close lets requests on their way answer, wakes parked fetches, and reads no further', async (t) => {
  const { broker, listener, open } = await openListener(t)
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
  const { broker, listener, open } = await openListener(t, { closeTimeoutMs: 50 })
  await broker.topics.ensure('events')
  broker.beforeAppend = () => new Promise(() => {})
  const client = await open()
  client.begin('produce', 9, produceOf())
  await new Promise((resolve) => setTimeout(resolve, 20))
  await listener.close()
  t.equal(await client.receive(), undefined)
})

t.test('random bytes never harm the listener', async (t) => {
  const { listener, open, errors } = await openListener(t, { requestReadTimeoutMs: 200 })
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
