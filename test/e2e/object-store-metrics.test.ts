import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { metricOf } from '../support/agent-metrics.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { startCountedS3 } from '../support/counted-s3.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { s3Stores } from '../support/store-pairs.js'

const VALUE = 'x'.repeat(1_000)

t.test('an agent says what it asks the object store, and how that went', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-metrics-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const s3 = await startCountedS3()
  t.teardown(() => s3.stop())
  const stores = s3Stores(s3.url, `sqlite://${join(directory, 'catalog.db')}`)

  const writer = await startAgentProcess(stores)
  t.teardown(async () => void (await writer.stop()))
  await kcatProduce('read', [], { brokers: writer.address, input: `${VALUE}\n` })
  await kcatProduce('unread', [], { brokers: writer.address, input: `${VALUE}\n` })
  t.equal(await requests(writer, 'put', 'ok'), s3.proxy.countOf('PUT'), 'the check at its start among them')
  t.ok((await metricOf(writer, 'headrace_object_store_bytes_total{operation="put"}')) > 0)
  t.ok((await metricOf(writer, 'headrace_object_store_seconds_count{operation="put"}')) >= 3)
  t.equal(await requests(writer, 'delete', 'ok'), 1, 'what the check wrote')
  await writer.stop()

  const reader = await startAgentProcess(stores)
  t.teardown(async () => void (await reader.stop()))
  const getsBefore = s3.proxy.countOf('GET')
  await kcatConsume('read', { brokers: reader.address })
  t.equal(await requests(reader, 'get_range', 'ok'), s3.proxy.countOf('GET') - getsBefore)
  t.ok((await metricOf(reader, 'headrace_object_store_bytes_total{operation="get_range"}')) > 0)
  t.ok((await metricOf(reader, 'headrace_object_store_seconds_sum{operation="get_range"}')) > 0)

  await s3.stop()
  const client = await RawClient.open(reader.port)
  t.teardown(() => client.destroy())
  client.begin('fetch', 11, {
    waitMaxMs: 0,
    bytesMin: 1,
    bytesMax: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    rackId: '',
    topics: [{ name: 'unread', partitions: [{ partition: 0, fetchOffset: 0, bytesMax: 1 << 20 }] }],
  })
  // Each attempt counts, and the first is not the last.
  while (!((await requests(reader, 'get_range', 'OBJECT_STORE_UNAVAILABLE')) >= 2)) await sleep(50)
  t.pass('a store that is away shows as such')
})

function requests(agent: AgentProcess, operation: string, outcome: string): Promise<number> {
  return metricOf(agent, `headrace_object_store_requests_total{operation="${operation}",outcome="${outcome}"}`)
}
