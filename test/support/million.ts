import { createHash } from 'node:crypto'
import { Partitioners } from 'kafkajs'
import { startAgentProcess } from './agent-process.js'
import { createTopic, kafkajsClient } from './kafkajs-client.js'
import { type KcatRecord, kcatConsume, kcatProduce } from './kcat.js'
import { firstOffsetGap } from './log-checks.js'
import type { StorePair, Teardown } from './store-pairs.js'

export const RECORD_COUNT = 1_000_000
export const PARTITION_COUNT = 64
const PORTION = 20_000

/** What a million records became; each field is undefined, or 0, when all is well. */
export interface MillionOutcome {
  readonly readCount: number
  readonly offsetGap: string | undefined
  /** First record that is not the one that was sent, or not where it belongs in its partition. */
  readonly difference: string | undefined
  readonly missingCount: number
  readonly partitionsUsed: number
}

export type Writer = (brokers: string, topic: string) => Promise<void>

/** Writes a million keyed records over 64 partitions and reads them back byte by byte. */
export async function writeMillion(t: Teardown, pair: StorePair, write: Writer): Promise<MillionOutcome> {
  const stores = await pair.open(t)
  const agent = await startAgentProcess(stores)
  t.teardown(async () => void (await agent.stop()))
  const topic = 'million'
  await createTopic(kafkajsClient([agent.address]), topic, PARTITION_COUNT)
  await write(agent.address, topic)
  return check(await kcatConsume(topic, { brokers: agent.address }))
}

/** librdkafka chooses partitions by the CRC32 of the key. */
export async function writeWithKcat(brokers: string, topic: string): Promise<void> {
  const args = ['-K', ':', '-z', 'lz4', '-X', 'enable.idempotence=true', '-X', 'linger.ms=20']
  await kcatProduce(topic, args, { brokers, input: portions() })
}

/** kafkajs chooses partitions by the murmur2 of the key, as the Java client does. */
export async function writeWithKafkajs(brokers: string, topic: string): Promise<void> {
  const kafka = kafkajsClient([brokers])
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  for (let first = 0; first < RECORD_COUNT; first += PORTION) {
    const messages = Array.from({ length: PORTION }, (_, k) => ({
      key: keyOf(first + k),
      value: numberedValue(first + k),
    }))
    await producer.send({ topic, messages })
  }
  await producer.disconnect()
}

function* portions(): Generator<string> {
  for (let first = 0; first < RECORD_COUNT; first += PORTION) {
    let lines = ''
    for (let number = first; number < first + PORTION; number++) lines += `${keyOf(number)}:${numberedValue(number)}\n`
    yield lines
  }
}

function keyOf(number: number): string {
  return `key-${number % 10_007}`
}

/** The number, and some bytes that only this number has. */
function numberedValue(number: number): string {
  return `${number} ${fingerprint(number)}`
}

function fingerprint(number: number): string {
  return number % 1_000 === 0
    ? createHash('sha256').update(`${number}`).digest('hex')
    : (Math.imul(number, 0x9e3779b1) >>> 0).toString(16)
}

function check(records: readonly KcatRecord[]): MillionOutcome {
  const seen = new Uint8Array(RECORD_COUNT)
  const last = new Map<number, number>()
  const partitionOfKey = new Map<string, number>()
  let difference: string | undefined
  let seenCount = 0
  for (const { partition, offset, key, value } of records) {
    const text = `${value}`
    const number = Number.parseInt(text, 10)
    const where = `partition ${partition} offset ${offset}`
    if (`${key}` !== keyOf(number) || text !== numberedValue(number)) difference ??= `${where} holds ${key}:${text}`
    if (number <= (last.get(partition) ?? -1)) difference ??= `${where} holds ${number} after ${last.get(partition)}`
    const home = partitionOfKey.get(`${key}`) ?? partition
    if (home !== partition) difference ??= `${where} holds ${key}, whose records are in partition ${home}`
    partitionOfKey.set(`${key}`, home)
    last.set(partition, number)
    if (seen[number] === 0) seenCount++
    seen[number] = 1
  }
  return {
    readCount: records.length,
    offsetGap: firstOffsetGap(records),
    difference,
    missingCount: RECORD_COUNT - seenCount,
    partitionsUsed: last.size,
  }
}
