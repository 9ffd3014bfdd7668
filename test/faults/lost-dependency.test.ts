import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { encodeRecordBatch } from '../../format/index.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume } from '../support/kcat.js'
import { type Cluster, type ClusterAgent, startCluster } from './cluster.js'

/**
 * An agent that loses one of its stores: it acknowledges nothing, answers in bounded time with errors that clients retry,
 * holds what comes shortly before the store is back, and recovers by itself.
 */

/** Below it common clients have not given a request up. */
const ANSWER_MS_MAX = 32_000
/** REQUEST_TIMED_OUT, KAFKA_STORAGE_ERROR: every client retries them. */
const RETRIABLE = [7, 56]

interface Loss {
  readonly name: string
  readonly readiness: string
  lose(agent: ClusterAgent, cluster: Cluster): unknown
  giveBack(agent: ClusterAgent, cluster: Cluster): unknown
}

const losses: readonly Loss[] = [
  {
    name: 'the catalog refuses connections',
    readiness: 'catalog',
    lose: ({ catalog }) => {
      catalog.refuse()
      catalog.cut()
    },
    giveBack: ({ catalog }) => catalog.accept(),
  },
  {
    name: 'the catalog falls silent',
    readiness: 'catalog',
    lose: ({ catalog }) => catalog.pause(),
    giveBack: ({ catalog }) => catalog.resume(),
  },
  {
    name: 'the object store refuses connections',
    readiness: 'object store',
    lose: ({ s3Network }) => {
      s3Network.refuse()
      s3Network.cut()
    },
    giveBack: ({ s3Network }) => s3Network.accept(),
  },
  {
    name: 'the object store falls silent',
    readiness: 'object store',
    lose: ({ s3Network }) => s3Network.pause(),
    giveBack: ({ s3Network }) => s3Network.resume(),
  },
]

const databaseKilled: Loss = {
  name: 'the database is killed',
  readiness: 'catalog',
  lose: (_, { mariadb }) => mariadb.kill(),
  giveBack: (_, { mariadb }) => mariadb.restart(),
}

t.test('an agent without one of its stores', { timeout: 300_000 }, async (t) => {
  const cluster = await startCluster(losses.length)
  t.teardown(() => cluster.stop())
  await createTopics(cluster)
  // Each takes half a minute, most of it waiting: those that are one agent's alone go at the same time.
  const alone = losses.map((loss, number) => loseAndRegain(loss, cluster.agents[number]!, cluster))
  const results = [...(await Promise.all(alone)), await loseAndRegain(databaseKilled, cluster.agents[0]!, cluster)]
  for (const [number, loss] of [...losses, databaseKilled].entries()) {
    const { name, readiness } = loss
    const result = results[number]!
    // Only now: a client is sent to any agent, and all of them have their stores again.
    const log = await kcatConsume(topicOf(loss), { brokers: cluster.agents[number % losses.length]!.address })
    t.test(name, async (t) => {
      const answer = `answered ${result.refusal} after ${Math.round(result.refusedAfterMs)} ms`
      t.ok(RETRIABLE.includes(result.refusal) && result.refusedAfterMs < ANSWER_MS_MAX, answer)
      t.equal(result.healthStatus, 200, 'it lives')
      t.equal(result.readyWithout.status, 503, 'and is not ready')
      t.match(result.readyWithout.text, readiness)
      t.equal(result.heldError, 0, 'what came before the store was back is stored then')
      t.equal(result.readyAgain, 200)
      t.same(log.map(textOf), ['before', 'during', 'after'], 'each once')
    })
  }
})

function topicOf(loss: Loss): string {
  return loss.name.replaceAll(' ', '-')
}

async function createTopics({ agents }: Cluster): Promise<void> {
  const kafka = kafkajsClient(agents.map(({ address }) => address))
  for (const loss of [...losses, databaseKilled]) await createTopic(kafka, topicOf(loss), 1)
}

async function loseAndRegain(loss: Loss, agent: ClusterAgent, cluster: Cluster) {
  const produce = await openProducer(agent, topicOf(loss))
  const first = await produce(0, 'before')
  if (first !== 0) throw new Error(`the first record was refused with ${first}`)

  await loss.lose(agent, cluster)
  const lostAtMs = performance.now()
  const refusal = await produce(1, 'during')
  const refusedAfterMs = performance.now() - lostAtMs
  const http = `http://127.0.0.1:${agent.process.httpPort}`
  const readyWithout = await answerOf(`${http}/readyz`)
  const healthStatus = (await answerOf(`${http}/healthz`)).status

  const held = produce(1, 'during')
  await sleep(1_000)
  await loss.giveBack(agent, cluster)
  const heldError = await held
  await produce(2, 'after')
  let readyAgain = 0
  for (const deadlineMs = performance.now() + 30_000; readyAgain !== 200 && performance.now() < deadlineMs; ) {
    await sleep(200)
    readyAgain = (await answerOf(`${http}/readyz`)).status
  }
  return { refusal, refusedAfterMs, readyWithout, healthStatus, heldError, readyAgain }
}

function textOf({ value }: { readonly value: Buffer | null }): string {
  return `${value}`
}

async function answerOf(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url)
  return { status: response.status, text: await response.text() }
}

/** An idempotent producer on one connection; answers error codes. */
async function openProducer(agent: ClusterAgent, topic: string) {
  const port = Number(agent.address.split(':')[1])
  const client = await RawClient.open(port, { receiveTimeoutMs: 2 * ANSWER_MS_MAX })
  const { producerId } = await client.request('initProducerId', 1, { transactionalId: null, transactionTimeoutMs: 0 })
  return async (baseSequence: number, value: string): Promise<number> => {
    const batch = {
      records: [{ timestampMs: 1, value: Buffer.from(value) }],
      producerId,
      producerEpoch: 0,
      baseSequence,
    }
    const topics = [{ name: topic, partitions: [{ partition: 0, records: encodeRecordBatch(batch) }] }]
    const answer = await client.request('produce', 7, { acks: -1, topics })
    return answer.topics[0].partitions[0].errorCode
  }
}
