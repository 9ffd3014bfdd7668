import { connect } from 'node:net'
import t from 'tap'
import { startKafkaListener } from '../../../adapters/kafka/index.js'
import { fakeBatch } from '../../support/kafka/bytes.js'
import { fetchOf, openListener, produceOf } from '../../support/kafka/open-listener.js'
import { correlationIdOf, decodeFrame, requestFrame } from '../../support/kafka/raw-client.js'
import { deferred, until } from '../../support/kafka/wait.js'

/** What a client may take of the listener, and how those are stopped that take more. */

t.test('lengths that make no sense close the connection before anything is read', async (t) => {
  const { open, warnings } = await openListener(t, { requestBytesMax: 1000 })
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

t.test('a frame that is not complete in time closes; between frames a connection may be idle for longer', async (t) => {
  const { open, warnings, listener } = await openListener(t, { requestReadTimeoutMs: 60, connectionIdleMs: 300 })
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
  const { broker, open } = await openListener(t, { connectionIdleMs: 40 })
  await broker.topics.ensure('events')
  const client = await open()
  t.ok(await client.request('fetch', 11, fetchOf({ waitMaxMs: 200 })))
})

t.test('pending requests are bounded: the socket stands still', async (t) => {
  const { broker, open } = await openListener(t, { pendingRequestsMax: 4 })
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
  const { broker, open } = await openListener(t, { frameBudgetBytes: 150_000, messageBytesMax: 1 << 20 })
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
  const { broker, open, warnings } = await openListener(t, {
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
  const { broker, open, warnings, listener } = await openListener(t, { connectionIdleMs: 1000 })
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

t.test('too many connections are refused, and an address in use is told', async (t) => {
  const { broker, listener, open, warnings } = await openListener(t, { connectionsMax: 1 })
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
  const { listener, open, warnings } = await openListener(t)
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

t.test(
  'a client that takes nothing of its answer is parted from it when others wait for the memory, not before',
  async (t) => {
    const { broker, listener, open, warnings } = await openListener(t, { responseStallTimeoutMs: 50 })
    const { topicId } = await broker.topics.ensure('events')
    const batch = fakeBatch({ payload: new Uint8Array(16 << 20) })
    const placed = { topicId, partition: 0, position: 0, bytes: batch.byteLength, zstdAllowed: true }
    await (await broker.intake.append({ chunks: [batch], batches: [placed] })).results
    const socket = connect(listener.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('error', () => {})
    socket.pause()
    socket.write(requestFrame('fetch', 11, 1, fetchOf()))
    await until(() => broker.fetches.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    t.equal(listener.connectionCount, 1, 'nobody needs the memory')
    broker.reader.isAnswerMemoryWanted = true
    await until(() => listener.connectionCount === 0)
    t.match(warnings, [/took nothing of a response for 50 ms/])
    broker.reader.isAnswerMemoryWanted = false
    socket.resume()
    await closed
    const other = await open()
    t.ok(await other.request('fetch', 11, fetchOf()), 'who reads is served')
  },
)
