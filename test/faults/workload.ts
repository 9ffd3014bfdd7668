import { setTimeout as sleep } from 'node:timers/promises'
import { kafkajsClient, kafkajsConsume } from '../support/kafkajs-client.js'
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

/** Reads everything again and again, beginning at one agent; reads that fail are no observations. */
export async function consume(reader: string, agent: string, stop: AbortSignal): Promise<Poll[]> {
  const polls: Poll[] = []
  while (!stop.aborted) {
    const poll = await readAll(reader, [agent]).catch(() => undefined)
    if (poll !== undefined) polls.push(poll)
    await sleep(1_000)
  }
  return polls
}

export async function readAll(reader: string, agents: readonly string[]): Promise<Poll> {
  const kafka = kafkajsClient(agents, { requestTimeout: 8_000, retry: { ...RETRY, retries: 20 } })
  const records = await kafkajsConsume(kafka, TOPIC)
  return { reader, records: records.map(({ partition, offset, value }) => ({ partition, offset, value: `${value}` })) }
}
