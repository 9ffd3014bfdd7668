import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { encodeRecordBatch, iterateRecords } from '../../format/index.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { decodeFrame, RawClient, requestFrame } from '../support/kafka/raw-client.js'
import { sampleRequests } from '../support/kafka/samples.js'
import { embedded } from '../support/store-pairs.js'
import { fuzzRuns, fuzzSeed, mutated, mutations } from './fuzzing.js'

/** A real agent under clients that are broken or mean, while one producer and one consumer go about their work. */

t.comment(`HEADRACE_FUZZ_SEED=${fuzzSeed}`)

const MIB = 1 << 20
const MEMORY_BYTES = 128 * MIB
const REQUEST_BYTES_MAX = 16 * MIB
/** What an agent takes beside its budget: Node.js, its code in two threads, SQLite, a thousand sockets. */
const RSS_BESIDE_BUDGET_BYTES = 256 * MIB
const HOSTILE_MS = 6000
const IDLE_COUNT = 1000
const LORIS_COUNT = 100
const CLOSE_TIMEOUT_MS = 5000
const TOPIC = 'well-behaved'
const PADDING_BYTES = [10, 5000, 100_000]

const samples = [
  requestFrame('metadata', 12, 1, sampleRequests.metadata),
  requestFrame('produce', 7, 2, sampleRequests.produce),
  requestFrame('fetch', 11, 3, sampleRequests.fetch),
  requestFrame('listOffsets', 6, 4, sampleRequests.listOffsets),
  requestFrame('createTopics', 5, 5, sampleRequests.createTopics),
  requestFrame('deleteTopics', 4, 6, sampleRequests.deleteTopics),
  requestFrame('initProducerId', 4, 7, sampleRequests.initProducerId),
  requestFrame('apiVersions', 3, 8, sampleRequests.apiVersions),
]
const frame = fc.tuple(fc.constantFrom(...samples), mutations).map(([bytes, changes]) => mutated(bytes, changes))

function inputs<T>(arbitrary: fc.Arbitrary<T>, countDefault: number): T[] {
  return fc.sample(arbitrary, { seed: fuzzSeed, numRuns: fuzzRuns(countDefault) })
}

t.test('other clients notice nothing', { timeout: 120_000 }, async (t) => {
  const stores = await embedded.open(t)
  const limits = ['--memory', `${MEMORY_BYTES}`, '--request-bytes-max', `${REQUEST_BYTES_MAX}`]
  const agent = await startAgentProcess({ ...stores, args: [...stores.args, ...limits] })
  t.teardown(() => agent.stop())
  await createTopic(agent.port)

  const over = new AbortController()
  const produced = produce(agent.port, over.signal)
  const consumed = consume(agent.port, produced)
  const hostile = [
    idle(agent.port, over.signal),
    loris(agent.port, over.signal),
    declareAndStall(agent.port, over.signal),
    garbage(agent.port),
    mutatedFrames(agent.port),
    resets(agent.port),
    wrongLengths(agent.port),
  ]
  await sleep(HOSTILE_MS)
  const stillServed = await Promise.all(hostile.slice(3))
  over.abort()
  const [held] = await Promise.all(hostile)
  const acknowledged = await produced
  const seen = await consumed

  t.equal(held, IDLE_COUNT, 'idle connections are kept')
  t.equal(stillServed[3], 0, 'a frame of an impossible length ends its connection')
  t.ok(acknowledged.length > 3, `${acknowledged.length} records were acknowledged meanwhile`)
  t.strictSame(seen, acknowledged, 'each was read once and in order')
  checkMemory(t, agent)
  t.equal((await fetch(`http://127.0.0.1:${agent.httpPort}/healthz`)).status, 200)
  t.equal((await agent.stop()).code, 0)
})

function checkMemory(t: { ok(value: unknown, message: string): unknown }, agent: AgentProcess): void {
  const status = `/proc/${agent.pid}/status`
  if (!existsSync(status)) return
  const peakBytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, 'utf8'))?.[1]) * 1024
  const peak = `at its peak the agent took ${Math.round(peakBytes / MIB)} MiB`
  t.ok(peakBytes < MEMORY_BYTES + RSS_BESIDE_BUDGET_BYTES, peak)
}

// ---- the well-behaved

async function createTopic(port: number): Promise<void> {
  const client = await RawClient.open(port)
  const topics = [{ name: TOPIC, partitionCount: 1, replicationFactor: 1, assignments: [], configs: [] }]
  const created = await client.request('createTopics', 5, { topics, timeoutMs: 5000, validateOnly: false })
  if (created.topics[0].errorCode !== 0) throw new Error(JSON.stringify(created))
  client.destroy()
}

/** One record after the other, small and large, until the signal; answers what was acknowledged, by offset. */
async function produce(port: number, signal: AbortSignal): Promise<string[]> {
  const client = await RawClient.open(port)
  const acknowledged: string[] = []
  for (let number = 0; !signal.aborted; number++) {
    const padding = '.'.repeat(PADDING_BYTES[number % PADDING_BYTES.length]!)
    const value = Buffer.from(`${number} ${padding}`)
    const records = encodeRecordBatch({ records: [{ timestampMs: 1_700_000_000_000 + number, value }] })
    const topics = [{ name: TOPIC, partitions: [{ partition: 0, records }] }]
    const { errorCode, baseOffset } = (await client.request('produce', 7, { acks: -1, topics })).topics[0].partitions[0]
    if (errorCode !== 0 || baseOffset !== number) throw new Error(`record ${number}: ${errorCode}, ${baseOffset}`)
    acknowledged.push(`${baseOffset}: ${number}`)
    await sleep(5)
  }
  client.destroy()
  return acknowledged
}

/** Reads the topic from its beginning until it has everything that was acknowledged. */
async function consume(port: number, produced: Promise<readonly string[]>): Promise<string[]> {
  const client = await RawClient.open(port)
  const seen: string[] = []
  let count = Number.POSITIVE_INFINITY
  produced.then(
    (acknowledged) => {
      count = acknowledged.length
    },
    () => {
      count = 0
    },
  )
  while (seen.length < count) {
    for (const record of await fetchRecords(client, seen.length)) {
      seen.push(`${record.offset}: ${Buffer.from(record.value!).toString().split(' ')[0]}`)
    }
  }
  client.destroy()
  return seen
}

async function fetchRecords(client: RawClient, fetchOffset: number) {
  const request = {
    ...{ waitMaxMs: 100, bytesMin: 1, bytesMax: MIB, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, rackId: '' },
    topics: [{ name: TOPIC, topicId: '', partitions: [{ partition: 0, fetchOffset, bytesMax: MIB }] }],
  }
  const correlationId = client.begin('fetch', 11, request)
  const answer = await client.receive()
  if (answer === undefined) throw new Error('The connection of the consumer was closed')
  const { errorCode, records } = decodeFrame('fetch', 11, answer, correlationId).topics[0].partitions[0]
  if (errorCode !== 0) throw new Error(`fetching failed with ${errorCode}`)
  return [...recordsOf(answer.subarray(records.position, records.position + records.bytes))]
}

function* recordsOf(batches: Uint8Array) {
  const view = new DataView(batches.buffer, batches.byteOffset, batches.byteLength)
  for (let position = 0; position < batches.byteLength; ) {
    const bytes = 12 + view.getInt32(position + 8)
    yield* iterateRecords(batches.subarray(position, position + bytes))
    position += bytes
  }
}

// ---- the others

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket))
    socket.once('error', reject)
    socket.on('error', () => {})
    socket.resume()
  })
}

async function openMany(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const batch = Math.min(50, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => open(port)))))
  }
  return sockets
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Connections that say nothing; answers how many were still open at the end. */
async function idle(port: number, signal: AbortSignal): Promise<number> {
  const sockets = await openMany(port, IDLE_COUNT)
  await ended(signal)
  const openCount = sockets.filter(({ closed, destroyed }) => !closed && !destroyed).length
  for (const socket of sockets) socket.destroy()
  return openCount
}

/** One byte of a request at a time, and never the last. */
async function loris(port: number, signal: AbortSignal): Promise<number> {
  const sockets = await openMany(port, LORIS_COUNT)
  const bytes = samples[2]!
  for (let position = 0; !signal.aborted; position++) {
    const at = position % (bytes.byteLength - 1)
    if (position < bytes.byteLength - 1) for (const socket of sockets) socket.write(bytes.subarray(at, at + 1))
    await sleep(50)
  }
  for (const socket of sockets) socket.destroy()
  return sockets.length
}

/** The largest request there may be is declared and begun, by many, and does not come. */
async function declareAndStall(port: number, signal: AbortSignal): Promise<number> {
  const sockets = await openMany(port, 40)
  const begun = Buffer.alloc(1000)
  begun.writeInt32BE(REQUEST_BYTES_MAX)
  for (const socket of sockets) socket.write(begun)
  await ended(signal)
  for (const socket of sockets) socket.destroy()
  return sockets.length
}

/** Bytes without any sense, on one connection each. */
async function garbage(port: number): Promise<number> {
  for (const bytes of inputs(fc.uint8Array({ minLength: 1, maxLength: 3000 }), 60)) {
    const socket = await open(port)
    socket.end(bytes)
    await sleep(5)
    socket.destroy()
  }
  return 0
}

/** Requests with a few changes, half of them with a length that fits the change. */
async function mutatedFrames(port: number): Promise<number> {
  for (const [bytes, trueLength] of inputs(fc.tuple(frame, fc.boolean()), 200)) {
    if (trueLength && bytes.byteLength >= 4) Buffer.from(bytes.buffer).writeInt32BE(bytes.byteLength - 4)
    const socket = await open(port)
    socket.write(bytes)
    await sleep(5)
    socket.destroy()
  }
  return 0
}

/** Connections that are reset in the middle of a frame, or of its response. */
async function resets(port: number): Promise<number> {
  const place = fc.tuple(fc.constantFrom(...samples), fc.double({ min: 0, max: 1, noNaN: true }))
  for (const [bytes, at] of inputs(place, 100)) {
    const socket = await open(port)
    socket.write(bytes.subarray(0, 1 + Math.floor(at * (bytes.byteLength - 1))))
    await sleep(2)
    socket.resetAndDestroy()
  }
  return 0
}

/** Declared lengths no frame can have, some with the bytes to go with them; answers how many were not refused. */
async function wrongLengths(port: number): Promise<number> {
  const lengths = [-(2 ** 31), -1, 0, 1, 9, REQUEST_BYTES_MAX + 1, 2 ** 31 - 1]
  const closings = lengths.flatMap((length) => [0, MIB].map((body) => isClosed(port, length, body)))
  return (await Promise.all(closings)).filter((closed) => !closed).length
}

async function isClosed(port: number, length: number, bodyBytes: number): Promise<boolean> {
  const socket = await open(port)
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)))
  const front = Buffer.alloc(4 + bodyBytes)
  front.writeInt32BE(length)
  socket.write(front)
  const result = await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, false)])
  socket.destroy()
  return result
}
