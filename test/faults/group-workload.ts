import { setTimeout as sleep } from 'node:timers/promises'
import { kafkajsClient, withAdmin } from '../support/kafkajs-client.js'

export const GROUP = 'faulty-readers'
export const GROUP_TOPIC = 'group-faults'

const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 200 }

/** What the members said so far. Complete when a read that begins now looks at it. */
export class GroupProgress {
  /** By partition: how often each offset was processed, and with which value. */
  readonly processed = new Map<string, { count: number; readonly value: string }>()
  /** Next offset of each partition that a member was told is committed. */
  readonly acknowledged: number[]
  readonly violations: string[] = []
  /** What made members of kafkajs give up. */
  readonly crashes: string[] = []
  /** By partition: the offsets that members were told they have committed, first and next. */
  readonly #committed = new Map<number, { readonly first: number; readonly next: number }[]>()

  constructor(readonly partitionCount: number) {
    this.acknowledged = new Array<number>(partitionCount).fill(0)
  }

  note(line: string): void {
    const [kind, partition, offset, value = ''] = line.split(' ')
    if (kind === 'X') this.crashes.push(line.slice(2))
    if (kind === 'C') this.#noteCommit(Number(partition), Number(offset), Number(value))
    if (kind !== 'R') return
    const key = `${partition}/${offset}`
    const known = this.processed.get(key)
    if (known === undefined) this.processed.set(key, { count: 1, value })
    else if (known.value === value) known.count += 1
    else this.violations.push(`offset ${offset} of partition ${partition} has two values: ${known.value}, ${value}`)
  }

  #noteCommit(partition: number, next: number, first: number): void {
    this.acknowledged[partition] = Math.max(this.acknowledged[partition] ?? 0, next)
    const committed = this.#committed.get(partition) ?? []
    committed.push({ first, next })
    this.#committed.set(partition, committed)
  }

  /** Offsets that two commits claim: who processed the later one began before what was committed. */
  committedTwice(): string[] {
    return [...this.#committed].flatMap(([partition, commits]) => {
      const inOrder = commits.toSorted((left, right) => left.first - right.first || left.next - right.next)
      return inOrder.flatMap(({ first, next }, place) => {
        const before = inOrder[place - 1]
        if (before === undefined || before.next <= first) return []
        return [
          `partition ${partition}: ${before.first} to ${before.next} was committed, and ${first} to ${next} again`,
        ]
      })
    })
  }
}

/** Sends to all partitions in turn until told to stop; answers the values that were acknowledged. */
export async function produceToAll(
  agents: readonly string[],
  partitionCount: number,
  stop: AbortSignal,
): Promise<Set<string>> {
  const acknowledged = new Set<string>()
  const kafka = kafkajsClient(agents, { requestTimeout: 8_000, connectionTimeout: 2_000, retry: RETRY })
  for (let number = 0; !stop.aborted; ) {
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry: RETRY })
    try {
      await producer.connect()
      while (!stop.aborted) {
        const messages = Array.from({ length: 30 }, (_, index) => {
          return { partition: (number + index) % partitionCount, value: `value-${number + index}` }
        })
        number += messages.length
        // Each by itself: kafkajs drops records of a send to several brokers when a partition moves meanwhile (docs/guarantees.md).
        const sent = messages.map(async (message) => {
          await producer.send({ topic: GROUP_TOPIC, acks: -1, messages: [message] })
          acknowledged.add(message.value)
        })
        const failed = (await Promise.allSettled(sent)).find(({ status }) => status === 'rejected')
        if (failed !== undefined) throw new Error('a send failed')
        await sleep(30)
      }
    } catch {
      await sleep(200)
    } finally {
      await producer.disconnect().catch(() => {})
    }
  }
  return acknowledged
}

/**
 * Reads the committed offsets again and again, through any agent: none may go back, and none may be below what a member
 * was told is committed when the read began. Answers how many reads there were.
 */
export async function watchCommitted(
  agents: readonly string[],
  progress: GroupProgress,
  stop: AbortSignal,
): Promise<number> {
  const kafka = kafkajsClient(agents, { requestTimeout: 8_000, connectionTimeout: 2_000, retry: RETRY })
  let before = new Array<number>(progress.partitionCount).fill(0)
  let readCount = 0
  while (!stop.aborted) {
    const promised = [...progress.acknowledged]
    const committed = await readCommitted(kafka, progress.partitionCount).catch(() => undefined)
    if (committed !== undefined) {
      readCount += 1
      for (const [partition, next] of committed.entries()) {
        const [last, told] = [before[partition] ?? 0, promised[partition] ?? 0]
        if (next < last) progress.violations.push(`partition ${partition}: committed ${last}, then ${next}`)
        if (next < told) progress.violations.push(`partition ${partition}: told ${told}, committed is ${next}`)
      }
      before = committed
    }
    await sleep(300)
  }
  return readCount
}

/** By partition; 0 where nothing is committed. */
export function readCommitted(kafka: ReturnType<typeof kafkajsClient>, partitionCount: number): Promise<number[]> {
  return withAdmin(kafka, async (admin) => {
    const [topic] = await admin.fetchOffsets({ groupId: GROUP, topics: [GROUP_TOPIC] })
    const next = new Array<number>(partitionCount).fill(0)
    for (const { partition, offset } of topic?.partitions ?? []) next[partition] = Math.max(0, Number(offset))
    return next
  })
}
