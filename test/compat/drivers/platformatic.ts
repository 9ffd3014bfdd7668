import { setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'
import {
  Admin,
  ConfigResourceTypes,
  type ConsumeOptions,
  Consumer,
  type GroupAssignment,
  IncrementalAlterConfigOperationTypes,
  type Message,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import {
  CODECS,
  type Codec,
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
import { packageVersion } from './kafkajs.js'

const BATCH_RECORDS = 500
/** Node's own, from 22.15 on. */
const ZSTD_IS_THERE = 'zstdCompressSync' in zlib

type TextConsumer = Consumer<string, string, string, string>

export class PlatformaticDriver implements Driver {
  readonly client = '@platformatic/kafka'
  readonly codecs: readonly Codec[] = CODECS.filter((codec) => codec !== 'zstd' || ZSTD_IS_THERE)
  readonly lacks = { 'static-membership': 'closing the client leaves the group, also with an instance id' }
  readonly #base: {
    readonly clientId: string
    readonly bootstrapBrokers: string[]
    readonly retries: number
    readonly retryDelay: number
  }
  readonly #consumers = new Set<TextConsumer>()

  constructor({ brokers }: DriverOptions) {
    this.#base = { clientId: 'compat', bootstrapBrokers: [...brokers], retries: 20, retryDelay: 100 }
  }

  async version(): Promise<string> {
    return `@platformatic/kafka ${packageVersion('@platformatic/kafka')}`
  }

  async produce({ topic, codec, idempotent, records }: ProduceCommand): Promise<void> {
    const producer = new Producer({ ...this.#base, idempotent, serializers: stringSerializers })
    try {
      for (let start = 0; start < records.length; start += BATCH_RECORDS) {
        const messages = records.slice(start, start + BATCH_RECORDS).map(({ partition, key, value }) => ({
          topic,
          partition,
          value,
          ...(key === null ? {} : { key }),
        }))
        await producer.send({ messages, compression: codec, acks: -1 })
      }
    } finally {
      await producer.close()
    }
  }

  async read({ topic, count, fromTimestampMs }: ReadCommand): Promise<ReadRecord[]> {
    const records: ReadRecord[] = []
    const consumer = this.#consumer({ group: `read-${topic}-${process.hrtime.bigint()}`, topic })
    // -2 is Kafka's "earliest".
    const starts = await consumer.listOffsets({ topics: [topic], timestamp: BigInt(fromTimestampMs ?? -2) })
    const ends = await consumer.listOffsets({ topics: [topic], timestamp: -1n })
    const offsets = starts.get(topic)!.map((offset, partition) => ({
      topic,
      partition,
      offset: offset < 0n ? ends.get(topic)![partition]! : offset,
    }))
    await this.#consume(consumer, { topics: [topic], mode: 'manual', offsets }, records, 0)
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
    consumer.on('consumer:group:join', ({ assignments }: { assignments?: GroupAssignment[] }) => {
      partitions = assignments?.find(({ topic }) => topic === command.topic)?.partitions ?? []
      assignmentCount += 1
    })
    consumer.on('consumer:group:rebalance', () => {
      partitions = []
    })
    const end = await this.#consume(
      consumer,
      { topics: [command.topic], mode: 'committed', fallbackMode: 'earliest', autocommit: 500 },
      records,
      command.workMs ?? 0,
    )
    return {
      state: async () => ({ partitions, assignmentCount, records: [...records] }),
      leave: end,
    }
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.#admin((admin) => admin.createTopics({ topics: [topic], partitions, replicas: 1 }))
  }

  async partitionCount(topic: string): Promise<number | undefined> {
    return this.#admin(async (admin) => {
      if (!(await admin.listTopics()).includes(topic)) return undefined
      const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
      return topics.get(topic)?.partitionsCount
    })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin((admin) => admin.deleteTopics({ topics: [topic] }))
  }

  async createPartitions(topic: string, count: number): Promise<void> {
    await this.#admin((admin) => admin.createPartitions({ topics: [{ name: topic, count }] }))
  }

  async setConfig(topic: string, name: string, value: string): Promise<void> {
    const configs = [{ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }]
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }]
    await this.#admin((admin) => admin.incrementalAlterConfigs({ resources, validateOnly: false }))
  }

  async config(topic: string, name: string): Promise<string | undefined> {
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [name] }]
    const [found] = await this.#admin((admin) => admin.describeConfigs({ resources }))
    return found?.configs.find((config) => config.name === name)?.value ?? undefined
  }

  async describeGroup(group: string): Promise<DescribedGroup | undefined> {
    return this.#admin(async (admin) => {
      if (!(await admin.listGroups()).has(group)) return undefined
      const found = (await admin.describeGroups({ groups: [group] })).get(group)
      // It names states in its own way: STABLE.
      return found === undefined ? undefined : { state: found.state, memberCount: found.members.size }
    })
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#admin((admin) => admin.deleteGroups({ groups: [group] }))
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await this.#end(consumer)
  }

  async #admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin(this.#base)
    try {
      return await use(admin)
    } finally {
      await admin.close()
    }
  }

  #consumer({ group, instanceId }: JoinCommand): TextConsumer {
    const consumer = new Consumer({
      ...this.#base,
      groupId: group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: 500,
      maxWaitTime: 200,
      deserializers: stringDeserializers,
      ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  async #consume(
    consumer: TextConsumer,
    options: ConsumeOptions<string, string, string, string>,
    records: ReadRecord[],
    workMs: number,
  ): Promise<() => Promise<void>> {
    const stream = await consumer.consume(options)
    const reading = (async () => {
      for await (const message of stream as AsyncIterable<Message<string, string, string, string>>) {
        if (workMs > 0) await sleep(workMs)
        const { partition, offset, key, value } = message
        records.push({ partition, offset: Number(offset), key: key ?? null, value: value ?? '' })
      }
    })().catch(() => {})
    return async () => {
      await stream.close()
      await reading
      await this.#end(consumer)
    }
  }

  async #end(consumer: TextConsumer): Promise<void> {
    if (!this.#consumers.delete(consumer)) return
    await consumer.close(true)
  }
}
