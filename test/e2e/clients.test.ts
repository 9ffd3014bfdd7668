import { randomBytes } from 'node:crypto'
import { Partitioners } from 'kafkajs'
import t from 'tap'
import { startAgentProcess } from '../support/agent-process.js'
import {
  type Compression,
  createTopic,
  kafkajsClient,
  kafkajsCompression,
  kafkajsConsume,
} from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce, runKcat } from '../support/kcat.js'
import { byPartition, firstDifference, firstOffsetGap } from '../support/log-checks.js'
import { storePairs } from '../support/store-pairs.js'

/** Real clients against the built agent: what one of them writes, all of them read, byte for byte. */

const MIB = 2 ** 20
const CODECS = Object.keys(kafkajsCompression) as Compression[]
const ACKS = [
  { name: '0', kcat: '0', kafkajs: 0 },
  { name: '1', kcat: '1', kafkajs: 1 },
  { name: 'all', kcat: 'all', kafkajs: -1 },
] as const

for (const pair of storePairs) {
  t.test(pair.name, async (t) => {
    const stores = await pair.open(t)
    const agent = await startAgentProcess({ ...stores, args: [...stores.args, '--message-bytes-max', '4MiB'] })
    t.teardown(() => agent.stop())
    const brokers = agent.address
    const kafka = kafkajsClient([brokers])
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    t.teardown(() => producer.disconnect())

    const values = [
      Buffer.from('plain text'),
      Buffer.alloc(0),
      randomBytes(MIB),
      Buffer.alloc(MIB, 'compresses well '),
      Buffer.from('grüße, 世界'),
    ]

    for (const codec of CODECS) {
      t.test(`kafkajs writes with codec ${codec}`, async (t) => {
        const topic = `kafkajs-${codec}`
        await createTopic(kafka, topic, 1)
        const messages = values.map((value, number) => ({
          key: number === 0 ? null : Buffer.from(`key-${number}`),
          value,
          headers: { number: `${number}`, empty: '' },
        }))
        const compression = kafkajsCompression[codec]
        for (const message of messages) await producer.send({ topic, messages: [message], compression, acks: -1 })
        const small = messages.filter(({ value }) => value.byteLength < 1000)
        await producer.send({ topic, messages: small, compression, acks: -1 })
        const expected = [...messages, ...small]

        const read = await kafkajsConsume(kafka, topic)
        t.same(firstOffsetGap(read), undefined)
        t.equal(read.length, expected.length)
        for (const [number, { key, value, headers }] of expected.entries()) {
          t.same(read[number]?.key, key)
          t.ok(read[number]?.value?.equals(value), `value ${number} is byte-equal`)
          t.same(read[number]?.headers, headers)
        }
        const readByKcat = await kcatConsume(topic, { brokers })
        t.same(firstOffsetGap(readByKcat), undefined)
        t.equal(readByKcat.length, expected.length)
        for (const [number, { key, value }] of expected.entries()) {
          t.same(readByKcat[number]?.key, key)
          t.ok(readByKcat[number]?.value?.equals(value), `value ${number} is byte-equal for kcat`)
        }
      })

      t.test(`kcat writes with codec ${codec}`, async (t) => {
        const topic = `kcat-${codec}`
        const lines = Array.from({ length: 500 }, (_, number) => `key-${number}:value ${number} ${'x'.repeat(number)}`)
        lines.push('empty:')
        lines.push(`big:${'y'.repeat(MIB)}`)
        const input = `${lines.join('\n')}\n`
        const args = ['-K', ':', '-z', codec, '-X', 'message.max.bytes=4000000', '-H', 'from=kcat']
        await kcatProduce(topic, args, { brokers, input })

        const read = await kcatConsume(topic, { brokers })
        t.same(firstOffsetGap(read), undefined)
        t.same(
          firstDifference(
            read.map(({ key, value }) => `${key}:${value}`),
            lines,
          ),
          undefined,
        )
        const readByKafkajs = await kafkajsConsume(kafka, topic)
        t.same(
          firstDifference(
            readByKafkajs.map(({ key, value }) => `${key}:${value}`),
            lines,
          ),
          undefined,
        )
        t.ok(readByKafkajs.every(({ headers }) => headers['from'] === 'kcat'))
      })
    }

    for (const acks of ACKS) {
      t.test(`acks=${acks.name}`, async (t) => {
        const topic = `acks-${acks.name}`
        const kcatLines = Array.from({ length: 100 }, (_, number) => `kcat ${number}`)
        await kcatProduce(topic, ['-X', `acks=${acks.kcat}`], { brokers, input: `${kcatLines.join('\n')}\n` })
        await producer.send({ topic, messages: [{ value: 'kafkajs' }], acks: acks.kafkajs })
        // Nobody says when a record sent with acks=0 is there; it must be in the end.
        const deadlineMs = performance.now() + 10_000
        let read = await kcatConsume(topic, { brokers })
        while (read.length < 101 && performance.now() < deadlineMs) read = await kcatConsume(topic, { brokers })
        const values = read.map(({ value }) => `${value}`)
        t.same(
          firstDifference(
            values.filter((value) => value !== 'kafkajs'),
            kcatLines,
          ),
          undefined,
        )
        t.equal(values.filter((value) => value === 'kafkajs').length, 1)
      })
    }

    t.test('idempotent producers', async (t) => {
      const topic = 'idempotent'
      await createTopic(kafka, topic, 3)
      const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await idempotent.connect()
      for (let number = 0; number < 30; number++) {
        await idempotent.send({ topic, messages: [{ partition: number % 3, value: `kafkajs ${number}` }] })
      }
      await idempotent.disconnect()
      const lines = Array.from({ length: 3_000 }, (_, number) => `kcat ${number}`)
      const input = `${lines.join('\n')}\n`
      await kcatProduce(topic, ['-p', '1', '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=50'], {
        brokers,
        input,
      })
      const read = await kcatConsume(topic, { brokers })
      t.equal(firstOffsetGap(read), undefined)
      const logs = byPartition(read)
      for (const partition of [0, 1, 2]) {
        const expected = Array.from({ length: 10 }, (_, number) => `kafkajs ${number * 3 + partition}`)
        if (partition === 1) expected.push(...lines)
        t.equal(firstDifference(logs.get(partition)?.map(({ value }) => `${value}`) ?? [], expected), undefined)
      }
    })

    t.test('several hundred partitions', async (t) => {
      const topic = 'wide'
      const partitionCount = 400
      await createTopic(kafka, topic, partitionCount)
      const messages = Array.from({ length: 4_000 }, (_, number) => ({
        partition: number % partitionCount,
        value: `${number}`,
      }))
      for (let start = 0; start < messages.length; start += 1_000) {
        await producer.send({ topic, messages: messages.slice(start, start + 1_000) })
      }
      const read = await kcatConsume(topic, { brokers })
      t.equal(read.length, messages.length)
      t.equal(firstOffsetGap(read), undefined)
      const wrong = read.filter(
        ({ partition, offset, value }) => `${value}` !== `${offset * partitionCount + partition}`,
      )
      t.same(wrong, [])
      t.equal((await kafkajsConsume(kafka, topic)).length, messages.length)
    })

    t.test('kcat lists what there is', async (t) => {
      const metadata = JSON.parse((await runKcat(['-L', '-J'], { brokers })).toString())
      t.equal(metadata.topics.find((topic: { topic: string }) => topic.topic === 'wide').partitions.length, 400)
    })
  })
}
