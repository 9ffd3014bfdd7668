import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type Agent, startAgent } from '../../adapters/index.js'
import { encodeRecordBatch, iterateRecords } from '../../format/index.js'
import { decodeFrame, RawClient } from '../support/kafka/raw-client.js'
import { agentsKnowEachOther } from '../support/kafkajs-client.js'

/** What an administrator does through one agent, as the clients of another one see it. */

const CREATED_MS = 1_600_000_000_000

interface TestRecord {
  readonly key?: string | null
  readonly value?: string
}

t.test('two agents', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-admin-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const agents = [await openAgent(directory), await openAgent(directory)]
  t.teardown(() => Promise.all(agents.map((agent) => agent.close())).then(() => {}))
  await agentsKnowEachOther(agents.map(({ kafka }) => `${kafka.host}:${kafka.port}`))
  for (const { kafka } of agents) await warmUp(kafka.port)
  const clients = await Promise.all(agents.map(({ kafka }) => RawClient.open(kafka.port)))
  const [here, there] = clients as [RawClient, RawClient]
  t.teardown(() => {
    for (const client of clients) client.destroy()
  })

  t.test('records get the time at which they were written', async (t) => {
    await createTopic(here, 'timed', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const beforeMs = Date.now()
    const sent = await produce(there, 'timed', 0, [{ value: 'a' }, { value: 'b' }])
    const afterMs = Date.now()
    t.equal(sent.errorCode, 0)
    t.ok(sent.logAppendTimeMs >= beforeMs && sent.logAppendTimeMs <= afterMs)
    // The one that wrote it has it in memory, the other one reads the store.
    for (const client of [there, here]) {
      const { records } = await fetch(client, 'timed', 0, 0)
      t.strictSame(
        records.map(({ timestampMs }) => timestampMs),
        [sent.logAppendTimeMs, sent.logAppendTimeMs],
      )
      t.match(await offsetAt(client, 'timed', sent.logAppendTimeMs), { offset: 0, timestampMs: sent.logAppendTimeMs })
      t.match(await offsetAt(client, 'timed', sent.logAppendTimeMs + 1), { offset: -1 })
    }
    await alter(there, 'timed', 'message.timestamp.type', 'CreateTime')
    t.equal((await produce(there, 'timed', 0, [{ value: 'c' }])).logAppendTimeMs, -1)
    t.equal((await fetch(here, 'timed', 0, 2)).records[0]?.timestampMs, CREATED_MS)
  })

  t.test('a compacted topic takes no record without a key', async (t) => {
    await createTopic(here, 'keyed', 1, { 'cleanup.policy': 'compact' })
    const refused = await produce(there, 'keyed', 0, [{ key: 'a' }, { key: null }, { key: 'b' }, { key: null }])
    t.match(refused, { errorCode: 87, errorMessage: /2 of 4 records have no key/ })
    t.strictSame(
      refused.recordErrors.map(({ record }: { record: number }) => record),
      [1, 3],
    )
    t.match(await produce(there, 'keyed', 0, [{ key: 'a' }]), { errorCode: 0, baseOffset: 0 })
    const kept = await deleteRecords(here, 'keyed', 0, -1)
    t.match(kept, { errorCode: 44 })
  })

  t.test('a change of a config holds at once on the agent that made it', async (t) => {
    await createTopic(here, 'small', 1, {})
    t.match(await produce(here, 'small', 0, [{ value: 'x'.repeat(500) }]), { errorCode: 0 })
    await alter(here, 'small', 'max.message.bytes', '300')
    t.match(await produce(here, 'small', 0, [{ value: 'x'.repeat(500) }]), { errorCode: 10 })
    const resources = [{ type: 2, name: 'small', configNames: ['max.message.bytes'] }]
    const request = { resources, includeSynonyms: false, includeDocumentation: false }
    t.match(await there.request('describeConfigs', 4, request), {
      resources: [{ errorCode: 0, configs: [{ value: '300', source: 1 }] }],
    })
  })

  t.test('records deleted through one agent are gone on the other', async (t) => {
    await createTopic(here, 'shrinking', 1, {})
    for (let round = 0; round < 3; round++) await produce(there, 'shrinking', 0, [{ value: 'a' }, { value: 'b' }])
    t.match(await deleteRecords(here, 'shrinking', 0, 3), { errorCode: 0, lowWatermark: 3 })
    for (const client of [here, there]) {
      t.equal((await fetch(client, 'shrinking', 0, 2)).errorCode, 1)
      const inside = await fetch(client, 'shrinking', 0, 3)
      t.match(inside, { errorCode: 0, logStartOffset: 3 })
      t.equal(inside.records.at(-1)?.offset, 5)
      t.equal((await offsetAt(client, 'shrinking', -2)).offset, 3)
      t.equal((await offsetAt(client, 'shrinking', 0)).offset, 3)
    }
    t.match(await produce(there, 'shrinking', 0, [{ value: 'c' }]), { baseOffset: 6, logStartOffset: 3 })
    t.match(await deleteRecords(there, 'shrinking', 0, -1), { errorCode: 0, lowWatermark: 7 })
    t.match(await fetch(here, 'shrinking', 0, 7), { errorCode: 0, records: [], logStartOffset: 7 })
    t.match(await deleteRecords(there, 'shrinking', 0, 8), { errorCode: 1 })
  })

  t.test('added partitions can be used at the other agent', async (t) => {
    await createTopic(here, 'growing', 1, {})
    t.match(await produce(there, 'growing', 0, [{ value: 'a' }]), { errorCode: 0 })
    const topics = [{ name: 'growing', partitionCount: 3, assignments: null }]
    const grown = await here.request('createPartitions', 3, { topics, timeoutMs: 1000, validateOnly: false })
    t.match(grown.topics, [{ errorCode: 0 }])
    t.equal((await metadataOf(there, 'growing')).partitions.length, 3)
    t.match(await produce(there, 'growing', 2, [{ value: 'a' }]), { errorCode: 0, baseOffset: 0 })
    const sizes = await Promise.all(clients.map((client) => client.request('describeLogDirs', 4, { topics: null })))
    const partitions = sizes
      .flatMap(({ directories }) => directories[0].topics)
      .filter(({ name }) => name === 'growing')
      .flatMap((topic) => topic.partitions)
    t.strictSame(partitions.map(({ partition }) => partition).sort(), [0, 1, 2], 'each once')
    t.ok(partitions.find(({ partition }) => partition === 2).bytes > 0)
  })

  t.test('a name can be deleted and created again at once', async (t) => {
    await createTopic(here, 'again', 1, {})
    await produce(there, 'again', 0, [{ value: 'old' }])
    const before = await metadataOf(there, 'again')
    for (let round = 0; round < 3; round++) {
      const topics = [{ name: 'again', topicId: '00000000-0000-0000-0000-000000000000' }]
      await here.request('deleteTopics', 4, { topics, timeoutMs: 1000 })
      t.equal((await metadataOf(there, 'again')).errorCode, 3)
      await createTopic(here, 'again', 2, {})
      const after = await metadataOf(there, 'again')
      t.not(after.topicId, before.topicId)
      t.equal(after.partitions.length, 2)
      t.match(await produce(there, 'again', 1, [{ value: 'new' }]), { errorCode: 0, baseOffset: 0 })
      t.match(await fetch(there, 'again', 0, 0), { errorCode: 0, records: [] })
    }
  })
})

function openAgent(directory: string): Promise<Agent> {
  return startAgent({
    objectStore: `file://${join(directory, 'objects')}`,
    catalog: `sqlite://${join(directory, 'catalog.db')}`,
    listen: '127.0.0.1:0',
    http: 'off',
    logLevel: 'silent',
  })
}

const WARM_UP_ATTEMPTS = 10

/** The first segment waits for worker threads to start, which on a busy machine takes longer than the client's patience. */
async function warmUp(port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const client = await RawClient.open(port)
    try {
      await createTopic(client, `warm-up-${port}-${attempt}`, 1, {})
      await produce(client, `warm-up-${port}-${attempt}`, 0, [{ value: 'a' }])
      return
    } catch (error) {
      if (attempt === WARM_UP_ATTEMPTS) throw error
    } finally {
      client.destroy()
    }
  }
}

async function createTopic(client: RawClient, name: string, partitionCount: number, configs: Record<string, string>) {
  const named = Object.entries(configs).map(([config, value]) => ({ name: config, value }))
  const topics = [{ name, partitionCount, replicationFactor: 1, assignments: [], configs: named }]
  const answer = await client.request('createTopics', 7, { topics, timeoutMs: 1000, validateOnly: false })
  if (answer.topics[0].errorCode !== 0) throw new Error(answer.topics[0].errorMessage)
}

async function alter(client: RawClient, topic: string, name: string, value: string) {
  const resources = [{ type: 2, name: topic, configs: [{ name, operation: 0, value }] }]
  const answer = await client.request('incrementalAlterConfigs', 1, { resources, validateOnly: false })
  if (answer.resources[0].errorCode !== 0) throw new Error(answer.resources[0].errorMessage)
}

async function produce(client: RawClient, name: string, partition: number, records: readonly TestRecord[]) {
  const bytes = encodeRecordBatch({
    records: records.map(({ key = null, value = '' }) => ({
      timestampMs: CREATED_MS,
      key: key === null ? null : new TextEncoder().encode(key),
      value: new TextEncoder().encode(value),
    })),
  })
  const topics = [{ name, partitions: [{ partition, records: bytes }] }]
  return (await client.request('produce', 9, { acks: -1, topics })).topics[0].partitions[0]
}

async function fetch(
  client: RawClient,
  name: string,
  partition: number,
  fetchOffset: number,
): Promise<{ records: ReadRecord[]; errorCode: number; logStartOffset: number }> {
  const topics = [{ name, topicId: '', partitions: [{ partition, fetchOffset, bytesMax: 1 << 20 }] }]
  const request = { waitMaxMs: 0, bytesMin: 0, bytesMax: 1 << 20, isolationLevel: 0, topics, rackId: '' }
  const correlationId = client.begin('fetch', 12, { ...request, sessionId: 0, sessionEpoch: -1 })
  const frame = await client.receive()
  if (frame === undefined) throw new Error('the connection was closed')
  const answer = decodeFrame('fetch', 12, frame, correlationId).topics[0].partitions[0]
  const { position, bytes } = answer.records
  return { ...answer, records: recordsOf(frame.slice(position, position + bytes)) }
}

interface ReadRecord {
  readonly offset: number
  readonly timestampMs: number
}

function recordsOf(bytes: Uint8Array): ReadRecord[] {
  const records: ReadRecord[] = []
  const view = new DataView(bytes.buffer)
  for (let position = 0; position < bytes.byteLength; ) {
    const end = position + 12 + view.getInt32(position + 8)
    for (const { offset, timestampMs } of iterateRecords(bytes.subarray(position, end))) {
      records.push({ offset, timestampMs })
    }
    position = end
  }
  return records
}

async function offsetAt(client: RawClient, name: string, timestamp: number) {
  const request = { isolationLevel: 0, topics: [{ name, partitions: [{ partition: 0, timestamp }] }] }
  return (await client.request('listOffsets', 7, request)).topics[0].partitions[0]
}

async function deleteRecords(client: RawClient, name: string, partition: number, offset: number) {
  const request = { topics: [{ name, partitions: [{ partition, offset }] }], timeoutMs: 1000 }
  return (await client.request('deleteRecords', 2, request)).topics[0].partitions[0]
}

async function metadataOf(client: RawClient, name: string) {
  const topics = [{ name, topicId: '00000000-0000-0000-0000-000000000000' }]
  return (await client.request('metadata', 12, { topics, allowAutoTopicCreation: false })).topics[0]
}
