import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient } from '../../test/support/kafka/raw-client.js'
import type { Load } from './load.js'

const TIMEOUT_MS = 60_000
const POLL_MS = 50
const LATEST = -1
const TOPIC_ALREADY_EXISTS = 36
const COORDINATOR_LOAD_IN_PROGRESS = 14

export function openClient({ host, port }: Pick<Load, 'host' | 'port'>): Promise<RawClient> {
  return RawClient.open(port, { host, receiveTimeoutMs: TIMEOUT_MS })
}

/** Creates the topic unless it exists and waits for its leaders; one producer id per connection. */
export async function prepare(load: Load): Promise<number[]> {
  const client = await openClient(load)
  try {
    await createTopic(client, load)
    await leadersKnown(client, load)
    const producerIds: number[] = []
    for (let number = 0; number < load.connectionCount; number++) producerIds.push(await newProducerId(client))
    return producerIds
  } finally {
    client.destroy()
  }
}

/** Kafka answers the first ones with "loading" while it fetches a block of ids. */
async function newProducerId(client: RawClient): Promise<number> {
  const request = { transactionalId: null, transactionTimeoutMs: 0 }
  const deadlineMs = performance.now() + TIMEOUT_MS
  for (;;) {
    const { errorCode, producerId } = await client.request('initProducerId', 1, request)
    if (errorCode === 0) return producerId
    if (errorCode !== COORDINATOR_LOAD_IN_PROGRESS || performance.now() > deadlineMs) {
      throw new Error(`InitProducerId answered ${errorCode}`)
    }
    await sleep(POLL_MS)
  }
}

async function createTopic(client: RawClient, { topic: name, partitionCount }: Load): Promise<void> {
  const topic = { name, partitionCount, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await client.request('createTopics', 4, {
    topics: [topic],
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  const { errorCode } = topics[0]
  if (errorCode !== 0 && errorCode !== TOPIC_ALREADY_EXISTS) throw new Error(`CreateTopics answered ${errorCode}`)
}

/**
 * A broker names leaders a while after it created a topic. All must be the one broker there is: the generator measures one
 * broker, and writes to it without asking who leads.
 */
async function leadersKnown(client: RawClient, { topic: name, partitionCount }: Load): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS
  for (;;) {
    const { brokers, topics } = await client.request('metadata', 4, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    })
    const partitions: readonly { errorCode: number; leaderId: number }[] = topics[0].partitions
    const ready = partitions.filter(({ errorCode, leaderId }) => errorCode === 0 && leaderId >= 0).length
    if (brokers.length > 1) throw new Error(`the load is for one broker; there are ${brokers.length}`)
    if (topics[0].errorCode === 0 && ready === partitionCount && (await leadersLead(client, name, partitionCount)))
      return
    if (performance.now() > deadlineMs) throw new Error(`${ready} of ${partitionCount} partitions have a leader`)
    await sleep(POLL_MS)
  }
}

/** Kafka names a leader before that one knows of it, and the first requests to it fail. */
async function leadersLead(client: RawClient, name: string, partitionCount: number): Promise<boolean> {
  const asked = Array.from({ length: partitionCount }, (_, partition) => ({ partition, timestamp: LATEST }))
  const { topics } = await client.request('listOffsets', 2, {
    isolationLevel: 0,
    topics: [{ name, partitions: asked }],
  })
  return topics[0].partitions.every(({ errorCode }: { errorCode: number }) => errorCode === 0)
}

export async function deleteTopic(load: Load): Promise<void> {
  const client = await openClient(load)
  const { topics } = await client.request('deleteTopics', 1, {
    topics: [{ name: load.topic }],
    timeoutMs: TIMEOUT_MS,
  })
  client.destroy()
  const failed = topics.find(({ errorCode }: { errorCode: number }) => errorCode !== 0)
  if (failed !== undefined) throw new Error(`DeleteTopics answered ${failed.errorCode}`)
}
