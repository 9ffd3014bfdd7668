import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin, type Consumer, type Kafka } from 'kafkajs'
import { kafkajsClient, kafkajsCompression, withAdmin } from '../../support/kafkajs-client.js'
import {
  CODECS,
  type DescribedGroup,
  type Driver,
  type DriverOptions,
  type JoinCommand,
  type Member,
  type ProduceCommand,
  READ_TIMEOUT_MS,
  type ReadCommand,
  type ReadRecord,
  SESSION_TIMEOUT_MS,
  within,
} from '../driver.js'

const { ConfigResourceTypes, KafkaJSConnectionError, Partitioners } = kafkajs

const BATCH_RECORDS = 500
const HEARTBEAT_MS = 500

/** kafkajs: gzip is its own, the other codecs are plugged in, as its users do. */
export class KafkajsDriver implements Driver {
  readonly client = 'kafkajs'
  readonly codecs = CODECS
  readonly lacks = { 'static-membership': 'the client has no group instance ids' }
  readonly #kafka: Kafka
  readonly #consumers = new Set<Consumer>()

  constructor({ brokers }: DriverOptions) {
    this.#kafka = kafkajsClient(brokers, { clientId: 'compat', retry: { initialRetryTime: 100, retries: 20 } })
  }

  async version(): Promise<string> {
    return `kafkajs ${packageVersion('kafkajs')}`
  }

  async produce({ topic, codec, idempotent, records }: ProduceCommand): Promise<void> {
    const producer = this.#kafka.producer({
      idempotent,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await overCuts(() => producer.connect())
    try {
      for (let start = 0; start < records.length; start += BATCH_RECORDS) {
        const messages = records.slice(start, start + BATCH_RECORDS).map((record) => ({ ...record }))
        const batch = { topic, acks: -1, compression: kafkajsCompression[codec], messages }
        await (idempotent ? overCuts(() => producer.send(batch)) : producer.send(batch))
      }
    } finally {
      await producer.disconnect()
    }
  }

  /** It cannot read without a group: one that nobody else has. */
  async read({ topic, count, fromTimestampMs }: ReadCommand): Promise<ReadRecord[]> {
    const records: ReadRecord[] = []
    const starts =
      fromTimestampMs === undefined
        ? []
        : await this.#admin((admin) => admin.fetchTopicOffsetsByTimestamp(topic, fromTimestampMs))
    const consumer = this.#consumer({ group: `read-${topic}-${process.hrtime.bigint()}`, topic })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await run(consumer, records, 0)
    if (starts.length > 0) {
      // It can be told where to go only once it runs, and may have read something by then.
      for (const { partition, offset } of starts) consumer.seek({ topic, partition, offset })
      records.length = 0
    }
    await within(`${count} records of ${topic}`, READ_TIMEOUT_MS, async () =>
      records.length >= count ? true : undefined,
    )
    await this.#end(consumer)
    return records
  }

  async join(command: JoinCommand): Promise<Member> {
    const records: ReadRecord[] = []
    let partitions: readonly number[] = []
    let assignmentCount = 0
    const consumer = this.#consumer(command)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      partitions = payload.memberAssignment[command.topic] ?? []
      assignmentCount += 1
    })
    consumer.on(consumer.events.REBALANCING, () => {
      partitions = []
    })
    await consumer.connect()
    await consumer.subscribe({ topic: command.topic, fromBeginning: true })
    await run(consumer, records, command.workMs ?? 0)
    return {
      state: async () => ({ partitions, assignmentCount, records: [...records] }),
      leave: () => this.#end(consumer),
    }
  }

  async createTopic(topic: string, numPartitions: number): Promise<void> {
    await this.#admin((admin) => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    return this.#admin(async (admin) => {
      if (!(await admin.listTopics()).includes(topic)) return undefined
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]?.partitions.length
    })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin((admin) => admin.deleteTopics({ topics: [topic] }))
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#admin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }))
  }

  async setConfig(topic: string, name: string, value: string): Promise<void> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }]
    await this.#admin((admin) => admin.alterConfigs({ validateOnly: false, resources }))
  }

  async config(topic: string, name: string): Promise<string | undefined> {
    const asked = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }]
    const { resources } = await this.#admin((admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: asked }),
    )
    return resources[0]?.configEntries.find((entry) => entry.configName === name)?.configValue
  }

  async describeGroup(group: string): Promise<DescribedGroup | undefined> {
    return this.#admin(async (admin) => {
      const listed = await admin.listGroups()
      if (!listed.groups.some(({ groupId }) => groupId === group)) return undefined
      const [found] = (await admin.describeGroups([group])).groups
      return found === undefined ? undefined : { state: found.state, memberCount: found.members.length }
    })
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#admin((admin) => admin.deleteGroups([group]))
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await this.#end(consumer)
  }

  #admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    return withAdmin(this.#kafka, use)
  }

  #consumer({ group }: JoinCommand): Consumer {
    const consumer = this.#kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: 200,
      maxBytesPerPartition: 4 << 20,
    })
    this.#consumers.add(consumer)
    return consumer
  }

  async #end(consumer: Consumer): Promise<void> {
    this.#consumers.delete(consumer)
    await consumer.disconnect()
  }
}

const CUTS_MAX = 20

/**
 * What kafkajs leaves to the application: a connection that is cut while it is being made fails the whole call. The same
 * batch sent again by the same producer has the same sequence numbers.
 */
async function overCuts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let cuts = 0; ; cuts++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof KafkaJSConnectionError) || cuts === CUTS_MAX) throw error
    }
  }
}

async function run(consumer: Consumer, records: ReadRecord[], workMs: number): Promise<void> {
  await consumer.run({
    autoCommitInterval: 500,
    eachMessage: async ({ partition, message, heartbeat }) => {
      if (workMs > 0) {
        await sleep(workMs)
        await heartbeat()
      }
      const { offset, key, value } = message
      records.push({ partition, offset: Number(offset), key: key?.toString() ?? null, value: value?.toString() ?? '' })
    },
  })
}

export function packageVersion(name: string): string {
  const url = new URL(`../../../../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version
}
