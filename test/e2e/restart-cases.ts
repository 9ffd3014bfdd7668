import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { freePort } from '../support/free-port.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { byPartition, firstDifference, firstOffsetGap } from '../support/log-checks.js'
import type { StorePair, Stores } from '../support/store-pairs.js'

/**
 * The agent goes and comes back, in order and by force, while clients write. Every record a client was told is stored
 * must be there once and in its order, without a hole in the offsets.
 */

const PARTITION_COUNT = 4
/** Records of each partition that are acknowledged, or written to kcat, between one end of the agent and the next. */
const PROGRESS = 10
const PORTION = 100
const PORTION_PAUSE_MS = 50
/** Small batches, so that many requests are under way when the agent goes. */
const IDEMPOTENT_KCAT = [
  // kcat would give up when no broker is there.
  ['-E'],
  ['-X', 'enable.idempotence=true'],
  ['-X', 'batch.num.messages=200'],
  ['-X', 'reconnect.backoff.max.ms=500'],
  ['-X', 'retry.backoff.ms=50'],
].flat()

export async function restartCases(t: Test, pair: StorePair): Promise<void> {
  const stores = await pair.open(t)
  const listen = `127.0.0.1:${await freePort()}`
  let agent = await start(stores, listen)
  t.teardown(() => agent.stop())
  const kafka = kafkajsClient([listen], { requestTimeout: 5_000 })
  const brokers = listen

  t.test('what was written before a restart is read after it, and written on', async (t) => {
    await kcatProduce('restart', ['-K', ':'], { brokers, input: 'a:1\nb:2\nc:3\n' })
    t.same(await agent.stop(), { code: 0, signal: null })
    agent = await start(stores, listen)
    await kcatProduce('restart', ['-K', ':'], { brokers, input: 'd:4\n' })
    const read = await kcatConsume('restart', { brokers })
    t.equal(firstOffsetGap(read), undefined)
    t.same(
      read.map(({ key, value }) => `${key}:${value}`),
      ['a:1', 'b:2', 'c:3', 'd:4'],
    )
  })

  for (const { signal, exit } of [
    { signal: 'SIGKILL', exit: { code: null, signal: 'SIGKILL' } },
    { signal: 'SIGTERM', exit: { code: 0, signal: null } },
  ] as const) {
    t.test(`${signal} under the load of kcat`, async (t) => {
      const topic = `kcat-${signal}`
      await createTopic(kafka, topic, PARTITION_COUNT)
      const loads = Array.from({ length: PARTITION_COUNT }, () => new KcatLoad())
      const writing = Promise.all(
        loads.map((load, partition) =>
          kcatProduce(topic, ['-p', `${partition}`, ...IDEMPOTENT_KCAT], { brokers, input: load.lines() }),
        ),
      )
      // A failure is reported where it is awaited, after the agent has come back.
      writing.catch(() => {})
      for (let round = 0; round < 2; round++) {
        await progress(loads.map((load) => () => load.count / PORTION))
        agent.kill(signal)
        t.same(await agent.exited, exit)
        agent = await start(stores, listen)
      }
      await progress(loads.map((load) => () => load.count / PORTION))
      for (const load of loads) load.finish()
      await writing
      const read = await kcatConsume(topic, { brokers })
      t.equal(firstOffsetGap(read), undefined)
      const logs = byPartition(read)
      for (const [partition, { count }] of loads.entries()) {
        const values = logs.get(partition)?.map(({ value }) => `${value}`) ?? []
        t.equal(firstDifference(values, numbered(count)), undefined, `partition ${partition}: ${count} records`)
      }
    })

    t.test(`${signal} under the load of kafkajs`, async (t) => {
      const topic = `kafkajs-${signal}`
      await createTopic(kafka, topic, PARTITION_COUNT)
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const acknowledged = new Array<number>(PARTITION_COUNT).fill(0)
      let writing = true
      const load = Promise.all(
        acknowledged.map(async (_, partition) => {
          for (let number = 0; writing; number++) {
            await producer.send({ topic, messages: [{ partition, value: `record ${number}` }] })
            acknowledged[partition] = number + 1
          }
        }),
      )
      load.catch(() => {})
      const counts = acknowledged.map((_, partition) => () => acknowledged[partition] ?? 0)
      for (let round = 0; round < 2; round++) {
        await progress(counts)
        agent.kill(signal)
        t.same(await agent.exited, exit)
        agent = await start(stores, listen)
      }
      await progress(counts)
      writing = false
      await load
      await producer.disconnect()
      const read = await kcatConsume(topic, { brokers })
      t.equal(firstOffsetGap(read), undefined)
      const logs = byPartition(read)
      for (const [partition, count] of acknowledged.entries()) {
        const values = logs.get(partition)?.map(({ value }) => `${value}`) ?? []
        t.equal(firstDifference(values, numbered(count)), undefined, `partition ${partition}: ${count} records`)
      }
    })
  }
}

function start(stores: Stores, listen: string): Promise<AgentProcess> {
  return startAgentProcess({ ...stores, args: [...stores.args, '--listen', listen] })
}

/** What one kcat reads: numbered lines in portions, without end until `finish`. */
class KcatLoad {
  count = 0
  #finished = false

  async *lines(): AsyncGenerator<string> {
    while (!this.#finished) {
      const first = this.count
      this.count += PORTION
      yield Array.from({ length: PORTION }, (_, index) => `record ${first + index}\n`).join('')
      await sleep(PORTION_PAUSE_MS)
    }
  }

  finish(): void {
    this.#finished = true
  }
}

/** Resolves once every count has grown by PROGRESS. */
async function progress(counts: readonly (() => number)[]): Promise<void> {
  const goals = counts.map((count) => count() + PROGRESS)
  const deadlineMs = performance.now() + 60_000
  while (counts.some((count, number) => count() < goals[number]!)) {
    if (performance.now() > deadlineMs) throw new Error(`no progress: ${counts.map((count) => count())} of ${goals}`)
    await sleep(20)
  }
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `record ${number}`)
}
