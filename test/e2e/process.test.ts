import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { encodeRecordBatch } from '../../format/index.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { startCountedS3 } from '../support/counted-s3.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { startMariadb } from '../support/mariadb.js'
import { embedded, s3Stores } from '../support/store-pairs.js'

/** The agent as a process: its signals, its HTTP, and what it does when it has nothing to do. */

t.test('health, readiness, metrics and a page', async (t) => {
  const agent = await startAgentProcess(await embedded.open(t))
  t.teardown(async () => void (await agent.stop()))
  await kcatProduce('seen', [], { brokers: agent.address, input: 'one\ntwo\n' })
  await kcatConsume('seen', { brokers: agent.address })
  t.same(await get(agent, '/healthz'), { status: 200, body: 'ok\n' })
  t.same(await get(agent, '/readyz'), { status: 200, body: 'ready\n' })
  t.match((await get(agent, '/')).body, agent.address)
  t.equal((await get(agent, '/nothing')).status, 404)
  const { body } = await get(agent, '/metrics')
  t.ok(sample(body, 'headrace_produce_batches_total') >= 1)
  t.ok(sample(body, 'headrace_segments_written_total') >= 1)
  t.ok(sample(body, 'headrace_commits_total') >= 1)
  t.ok(sample(body, 'headrace_object_store_puts_total') >= 1)
  t.ok(sample(body, 'headrace_fetch_bytes_total') > 0)
  for (const stage of ['buffer_wait', 'encode', 'upload', 'commit_wait', 'commit_run', 'total']) {
    t.ok(sample(body, `headrace_write_stage_seconds_count{stage="${stage}"}`) >= 1, stage)
  }
})

t.test('SIGTERM answers what was taken in, and the process ends well', async (t) => {
  const stores = await embedded.open(t)
  // Long enough that the requests are still buffered when the signal comes.
  const agent = await startAgentProcess({ ...stores, args: [...stores.args, '--flush-interval', '2s'] })
  t.teardown(async () => void (await agent.stop()))
  await createTopic(kafkajsClient([agent.address]), 'pending', 1)
  const client = await RawClient.open(agent.port)
  const requestCount = 20
  const produced = Array.from({ length: requestCount }, (_, number) => produceRequest('pending', `${number}`))
  for (const request of produced) client.begin('produce', 7, request)
  await sleep(300)
  agent.kill('SIGTERM')
  const answers: Uint8Array[] = []
  for (let frame = await client.receive(); frame !== undefined; frame = await client.receive()) answers.push(frame)
  t.equal(answers.length, requestCount, 'every request is answered before the connection closes')
  t.same(await agent.exited, { code: 0, signal: null })
  const again = await startAgentProcess(stores)
  t.teardown(async () => void (await again.stop()))
  const read = await kcatConsume('pending', { brokers: again.address })
  t.same(
    read.map(({ value }) => `${value}`),
    produced.map((_, number) => `${number}`),
  )
})

t.test('a second signal ends an agent whose stores do not answer', async (t) => {
  const { url, proxy, stop } = await startCountedS3()
  t.teardown(stop)
  const { args } = await embedded.open(t)
  const catalogUrl = args[args.indexOf('--catalog') + 1] ?? ''
  const agent = await startAgentProcess(s3Stores(url, catalogUrl))
  t.teardown(async () => void (await agent.stop()))
  await createTopic(kafkajsClient([agent.address]), 'stuck', 1)
  const client = await RawClient.open(agent.port)
  t.teardown(() => client.destroy())
  proxy.stall()
  client.begin('produce', 7, produceRequest('stuck', 'never stored'))
  while (proxy.methods.at(-1) !== 'PUT') await sleep(20)
  agent.kill('SIGTERM')
  await sleep(1_000)
  agent.kill('SIGTERM')
  t.same(await agent.exited, { code: 143, signal: null })
})

t.test('an idle agent asks the object store for nothing', async (t) => {
  const { url, proxy, stop } = await startCountedS3()
  t.teardown(stop)
  const mariadb = await startMariadb()
  t.teardown(() => mariadb.stop())
  const stores = s3Stores(url, mariadb.url)
  const agent = await startAgentProcess({ ...stores, args: [...stores.args, '--heartbeat-interval', '500ms'] })
  t.teardown(async () => void (await agent.stop()))
  await kcatProduce('idle', [], { brokers: agent.address, input: 'one\n' })
  t.ok(proxy.methods.includes('PUT'), 'the proxy sees what there is to see')
  // A consumer at the end of the log, long-polling.
  const reader = await RawClient.open(agent.port)
  t.teardown(() => reader.destroy())
  await kcatConsume('idle', { brokers: agent.address })
  proxy.methods.length = 0
  const poll = {
    waitMaxMs: 1_000,
    bytesMin: 1,
    bytesMax: 1 << 20,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    rackId: '',
    topics: [{ name: 'idle', partitions: [{ partition: 0, fetchOffset: 1, bytesMax: 1 << 20 }] }],
  }
  for (let round = 0; round < 3; round++) {
    const answer = await reader.request('fetch', 11, poll)
    t.equal(answer.topics[0]?.partitions[0]?.errorCode ?? 0, 0)
    t.equal((await get(agent, '/readyz')).status, 200)
  }
  t.same(proxy.methods, [])
})

function produceRequest(name: string, value: string): object {
  const records = encodeRecordBatch({ records: [{ timestampMs: 1_000, value: Buffer.from(value) }] })
  return { acks: -1, topics: [{ name, partitions: [{ partition: 0, records }] }] }
}

async function get(agent: AgentProcess, path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${agent.httpPort}${path}`)
  return { status: response.status, body: await response.text() }
}

function sample(metrics: string, series: string): number {
  const line = metrics.split('\n').find((candidate) => candidate.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}
