import t from 'tap'
import { encodeRecordBatch } from '../../format/index.js'
import { metricOf } from '../support/agent-metrics.js'
import { startAgentProcess } from '../support/agent-process.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { agentsKnowEachOther, createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { firstDifference, firstOffsetGap } from '../support/log-checks.js'
import { scaleOut } from '../support/store-pairs.js'

/** Two agents on one catalog and one bucket: no partition has an owner, and nobody can tell which agent wrote what. */

const RECORD_COUNT = 8_000

t.test('two agents', async (t) => {
  const stores = await scaleOut.open(t)
  const agents = await Promise.all(
    ['a', 'b'].map((zone) => startAgentProcess({ ...stores, args: [...stores.args, '--zone', zone] })),
  )
  t.teardown(() => Promise.all(agents.map((agent) => agent.stop())).then(() => {}))
  const [first, second] = agents as [(typeof agents)[0], (typeof agents)[0]]
  const both = `${first.address},${second.address}`
  await agentsKnowEachOther(agents.map((agent) => agent.address))
  await createTopic(kafkajsClient([first.address]), 'shared', 2)

  t.test('both write the same partition at the same time', async (t) => {
    // Each client is sent to the agent of its zone.
    const write = (zone: string) =>
      kcatProduce(
        'shared',
        ['-p', '0', '-X', `client.id=zone=${zone}`, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=100'],
        { brokers: both, input: lines(zone) },
      )
    await Promise.all([write('a'), write('b')])

    const logs = await Promise.all(
      ['a', 'b'].map((zone) => kcatConsume('shared', { brokers: both }, ['-p', '0', '-X', `client.id=zone=${zone}`])),
    )
    for (const log of logs) {
      t.equal(firstOffsetGap(log), undefined)
      const values = log.map(({ value }) => `${value}`)
      for (const zone of ['a', 'b']) {
        const expected = Array.from({ length: RECORD_COUNT }, (_, number) => `${zone} ${number}`)
        const own = values.filter((value) => value.startsWith(`${zone} `))
        t.equal(firstDifference(own, expected), undefined, `the order of producer ${zone}`)
      }
      t.equal(values.length, 2 * RECORD_COUNT)
    }
    t.same(logs[0], logs[1], 'both agents serve the same log')
    const requests = await Promise.all(agents.map((agent) => metricOf(agent, 'headrace_produce_requests_total')))
    t.ok(Math.min(...requests) > 10, `each agent took its producer's requests: ${requests}`)
  })

  t.test('a retry that reaches the other agent is stored once', async (t) => {
    const [here, there] = await Promise.all([RawClient.open(first.port), RawClient.open(second.port)])
    t.teardown(() => {
      here.destroy()
      there.destroy()
    })
    const { producerId } = await here.request('initProducerId', 1, { transactionalId: null, transactionTimeoutMs: 0 })
    const send = async (client: RawClient, baseSequence: number) => {
      const records = encodeRecordBatch({
        records: [0, 1, 2].map((n) => ({ timestampMs: 1_000, value: Buffer.from(`${baseSequence + n}`) })),
        producerId,
        producerEpoch: 0,
        baseSequence,
      })
      const topics = [{ name: 'shared', partitions: [{ partition: 1, records }] }]
      const response = await client.request('produce', 7, { acks: -1, topics })
      const { errorCode, baseOffset } = response.topics[0].partitions[0]
      return { errorCode, baseOffset }
    }
    t.same(await send(here, 0), { errorCode: 0, baseOffset: 0 })
    t.same(await send(there, 0), { errorCode: 0, baseOffset: 0 }, 'the same batch has the offset it had')
    t.same(await send(there, 3), { errorCode: 0, baseOffset: 3 }, 'the other agent goes on where the first one was')
    t.same(await send(here, 3), { errorCode: 0, baseOffset: 3 })
    const read = await kcatConsume('shared', { brokers: both }, ['-p', '1'])
    t.same(
      read.map(({ value }) => `${value}`),
      ['0', '1', '2', '3', '4', '5'],
    )
  })

  t.test('when one is killed the other serves everything', async (t) => {
    first.kill('SIGKILL')
    await first.exited
    const read = await kcatConsume('shared', { brokers: second.address }, ['-p', '0'])
    t.equal(read.length, 2 * RECORD_COUNT)
    await kcatProduce('shared', ['-p', '1'], { brokers: second.address, input: 'still here\n' })
    const last = (await kcatConsume('shared', { brokers: second.address }, ['-p', '1'])).at(-1)
    t.same(`${last?.value}`, 'still here')
  })
})

function lines(zone: string): string {
  return Array.from({ length: RECORD_COUNT }, (_, number) => `${zone} ${number}\n`).join('')
}
