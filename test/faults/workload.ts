import { setTimeout as sleep } from 'node:timers/promises'
import { kafkajsClient, kafkajsConsume } from '../support/kafkajs-client.js'
import { kcatConsume, kcatProduce } from '../support/kcat.js'
import { type Poll, recordValue, type Send } from './checker.js'

export const TOPIC = 'faults'
const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 200 }

/** Sends one record after the other, to partitions in turn, until told to stop. */
export async function produce(
  name: string,
  idempotent: boolean,
  agents: readonly string[],
  partitionCount: number,
  stop: AbortSignal,
): Promise<Send[]> {
  const sends: Send[] = []
  // A failed send leaves an idempotent kafkajs producer with a sequence that may be taken: a new one goes on.
  for (let life = 0; !stop.aborted; life++) {
    const own = { producer: `${name}.${life}`, idempotent }
    const kafka = kafkajsClient(agents, { requestTimeout: 8_000, retry: RETRY })
    const producer = kafka.producer({ idempotent, maxInFlightRequests: 1, allowAutoTopicCreation: false, retry: RETRY })
    try {
      await producer.connect()
      for (let number = 0; !stop.aborted; number++) {
        const partition = number % partitionCount
        const send = { ...own, partition, sequence: Math.floor(number / partitionCount) }
        const place = sends.push({ ...send, outcome: 'unknown' }) - 1
        await producer.send({ topic: TOPIC, acks: -1, messages: [{ partition, value: recordValue(send) }] })
        sends[place] = { ...send, outcome: 'acknowledged' }
        await sleep(5)
      }
    } catch {
      await sleep(200)
    } finally {
      await producer.disconnect().catch(() => {})
    }
  }
  return sends
}

const KCAT_RECORD_COUNT = 300

/**
 * One kcat after the other, each with many small batches for one partition and several of them in flight. What a kcat that
 * fails had delivered is not known.
 */
export async function produceByKcat(
  name: string,
  idempotent: boolean,
  agents: readonly string[],
  partitionCount: number,
  stop: AbortSignal,
): Promise<Send[]> {
  const sends: Send[] = []
  const inFlight = ['-X', `enable.idempotence=${idempotent}`, '-X', 'max.in.flight=5']
  const batches = ['-X', 'batch.num.messages=10', '-X', 'linger.ms=2', '-X', 'message.timeout.ms=60000']
  for (let life = 0; !stop.aborted; life++) {
    const partition = life % partitionCount
    const own = Array.from({ length: KCAT_RECORD_COUNT }, (_, sequence): Send => {
      return { producer: `${name}.${life}`, idempotent, pipelined: true, partition, sequence, outcome: 'unknown' }
    })
    const input = own.map((send) => `${recordValue(send)}\n`).join('')
    const outcome = await kcatProduce(TOPIC, ['-p', `${partition}`, ...inFlight, ...batches], {
      brokers: agents.join(','),
      input,
      timeoutMs: 70_000,
    }).then(
      () => 'acknowledged' as const,
      () => 'unknown' as const,
    )
    sends.push(...own.map((send): Send => ({ ...send, outcome })))
    await sleep(200)
  }
  return sends
}

export type Read = (reader: string, agents: readonly string[]) => Promise<Poll>

/** Reads everything again and again, beginning at one agent; reads that fail are no observations. */
export async function consume(reader: string, agent: string, read: Read, stop: AbortSignal): Promise<Poll[]> {
  const polls: Poll[] = []
  while (!stop.aborted) {
    const poll = await read(reader, [agent]).catch(() => undefined)
    if (poll !== undefined) polls.push(poll)
    await sleep(1_000)
  }
  return polls
}

export async function readAllByKcat(reader: string, agents: readonly string[]): Promise<Poll> {
  const records = await kcatConsume(TOPIC, { brokers: agents.join(','), timeoutMs: 30_000 })
  return { reader, records: records.map(({ partition, offset, value }) => ({ partition, offset, value: `${value}` })) }
}

export async function readAll(reader: string, agents: readonly string[]): Promise<Poll> {
  const kafka = kafkajsClient(agents, { requestTimeout: 8_000, retry: { ...RETRY, retries: 20 } })
  const records = await kafkajsConsume(kafka, TOPIC)
  return { reader, records: records.map(({ partition, offset, value }) => ({ partition, offset, value: `${value}` })) }
}
