import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { freePort } from '../support/free-port.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { byPartition, firstDifference, firstOffsetGap } from '../support/log-checks.js'
import { type Stores, storePairs } from '../support/store-pairs.js'

/**
 * The agent goes and comes back, in order and by force, while clients write. Every record a client was told is stored
 * must be there once and in its order, without a hole in the offsets.
 */

const PARTITION_COUNT = 4
const KCAT_RECORDS = 60_000
/** Small batches, so that many requests are under way when the agent goes. */
const IDEMPOTENT_KCAT = [
  // kcat would give up when no broker is there.
  ['-E'],
  ['-X', 'enable.idempotence=true'],
  ['-X', 'batch.num.messages=200'],
  ['-X', 'reconnect.backoff.max.ms=500'],
  ['-X', 'retry.backoff.ms=50'],
].flat()

for (const pair of storePairs) {
  t.test(pair.name, async (t) => {
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
        const writing = Promise.all(
          Array.from({ length: PARTITION_COUNT }, (_, partition) =>
            kcatProduce(topic, ['-p', `${partition}`, ...IDEMPOTENT_KCAT], { brokers, input: slowLines() }),
          ),
        )
        // A failure is reported where it is awaited, after the agent has come back.
        writing.catch(() => {})
        for (let round = 0; round < 2; round++) {
          await sleep(700)
          agent.kill(signal)
          t.same(await agent.exited, exit)
          agent = await start(stores, listen)
        }
        await writing
        const read = await kcatConsume(topic, { brokers })
        t.equal(firstOffsetGap(read), undefined)
        const expected = Array.from({ length: KCAT_RECORDS / PARTITION_COUNT }, (_, number) => `record ${number}`)
        for (const [partition, log] of byPartition(read)) {
          const values = log.map(({ value }) => `${value}`)
          t.equal(firstDifference(values, expected), undefined, `partition ${partition}`)
        }
      })

      t.test(`${signal} under the load of kafkajs`, async (t) => {
        const topic = `kafkajs-${signal}`
        await createTopic(kafka, topic, PARTITION_COUNT)
        const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
        await producer.connect()
        const acknowledged: string[][] = Array.from({ length: PARTITION_COUNT }, () => [])
        let writing = true
        const load = Promise.all(
          acknowledged.map(async (log, partition) => {
            for (let number = 0; writing; number++) {
              const value = `record ${number}`
              await producer.send({ topic, messages: [{ partition, value }] })
              log.push(value)
            }
          }),
        )
        load.catch(() => {})
        for (let round = 0; round < 2; round++) {
          await sleep(500)
          agent.kill(signal)
          t.same(await agent.exited, exit)
          agent = await start(stores, listen)
          await sleep(500)
        }
        writing = false
        await load
        await producer.disconnect()
        const read = await kcatConsume(topic, { brokers })
        t.equal(firstOffsetGap(read), undefined)
        const logs = byPartition(read)
        for (const [partition, expected] of acknowledged.entries()) {
          const values = logs.get(partition)?.map(({ value }) => `${value}`) ?? []
          t.ok(expected.length > 10, `${expected.length} records acknowledged`)
          t.equal(firstDifference(values, expected), undefined, `partition ${partition}`)
        }
      })
    }
  })
}

function start(stores: Stores, listen: string): Promise<AgentProcess> {
  return startAgentProcess({ ...stores, args: [...stores.args, '--listen', listen] })
}

/** Lines in portions with pauses, so that writing lasts longer than the agent does. */
async function* slowLines(): AsyncGenerator<string> {
  const portion = KCAT_RECORDS / PARTITION_COUNT / 30
  for (let number = 0; number < KCAT_RECORDS / PARTITION_COUNT; number += portion) {
    yield Array.from({ length: portion }, (_, index) => `record ${number + index}\n`).join('')
    await sleep(100)
  }
}
