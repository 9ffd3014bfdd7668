import { randomUUID } from 'node:crypto'
import type {
  AddPartitionsOptions,
  Broker,
  ClientInfo,
  DeleteRecordsRequest,
  DeleteRecordsResult,
  FetchRequest,
  FetchResult,
  OffsetRequest,
  OffsetResult,
  ProduceRequest,
  ProduceResult,
  TopicConfigChange,
  TopicDirectory,
  TopicSpec,
} from '../../../engine/broker.js'
import { HeadraceError } from '../../../engine/errors.js'
import { type PartitionRef, partitionKey, type Topic } from '../../../engine/model.js'
import { changedConfigs } from '../../../engine/topics/topic-config-changes.js'
import { checkTopicConfigs } from '../../../engine/topics/topic-configs.js'
import {
  checkPartitionCount,
  checkPartitionsAdded,
  checkTopicName,
  grownAssignment,
} from '../../../engine/topics/topic-rules.js'
import { FakeGroups } from './fake-groups.js'

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

interface StoredBatch {
  readonly baseOffset: number
  readonly endOffset: number
  readonly maxTimestampMs: number
  readonly bytes: Buffer
}

/**
 * A broker in memory for tests of the Kafka adapter: it stores whole batches, gives them offsets and forgets nothing.
 * Fields that are functions may be replaced to make something late or fail.
 */
export class FakeBroker implements Broker {
  agents = [{ nodeId: 7, host: '127.0.0.1', port: 9092, zone: 'zone-a' as string | null }]
  /** Agents that are known for the groups they run. */
  coordinators: typeof this.agents = []
  /** Called before a request's bytes are taken. */
  beforeAppend: () => Promise<void> = async () => {}
  /** Called before a request's results are known, with its number. */
  beforeCommit: (request: number) => Promise<void> = async () => {}
  /** Thrown by whatever would touch the catalog. */
  failure: HeadraceError | undefined
  appended: ProduceRequest[] = []
  fetches: FetchRequest[] = []

  readonly #topics = new Map<string, Topic>()
  readonly #logs = new Map<string, StoredBatch[]>()
  readonly #logStarts = new Map<string, number>()
  readonly #wakers = new Set<() => void>()
  #producerId = 1000

  readonly intake = {
    append: async (request: ProduceRequest) => {
      await this.beforeAppend()
      this.#check()
      const bytes = Buffer.concat(request.chunks)
      const number = this.appended.push(request) - 1
      const batches = request.batches.map((batch) => ({
        ...batch,
        record: Buffer.from(bytes.subarray(batch.position, batch.position + batch.bytes)),
      }))
      const results = this.beforeCommit(number).then(() => {
        const settled = batches.map((batch): ProduceResult => this.#store(batch, batch.record))
        for (const wake of [...this.#wakers]) wake()
        return settled
      })
      return { results }
    },
  }

  readonly reader = {
    isAnswerMemoryWanted: false,
    fetch: async (request: FetchRequest): Promise<FetchResult[]> => {
      this.fetches.push(request)
      this.#check()
      const read = () => request.partitions.map((partition) => this.#read(partition))
      const enough = (results: FetchResult[]) =>
        results.some(({ error }) => error !== undefined) ||
        results.reduce((sum, { bytes }) => sum + bytes, 0) >= request.bytesMin
      let results = read()
      const deadlineMs = performance.now() + request.waitMaxMs
      while (!enough(results) && performance.now() < deadlineMs && !request.signal.aborted) {
        await this.#wait(deadlineMs - performance.now(), request.signal)
        results = read()
      }
      return results
    },
    listOffsets: async (requests: readonly OffsetRequest[]): Promise<OffsetResult[]> => {
      this.#check()
      return requests.map((request) => {
        const { spec } = request
        const log = this.#log(request)
        const none = { offset: -1, timestampMs: -1 }
        if (spec === 'earliest') return { offset: 0, timestampMs: -1 }
        if (spec === 'latest') return { offset: log.at(-1)?.endOffset ?? 0, timestampMs: -1 }
        const found =
          spec === 'max-timestamp'
            ? log.toSorted((left, right) => right.maxTimestampMs - left.maxTimestampMs)[0]
            : log.find(({ maxTimestampMs }) => maxTimestampMs >= spec.timestampMs)
        return found === undefined ? none : { offset: found.baseOffset, timestampMs: found.maxTimestampMs }
      })
    },
  }

  readonly topics: Mutable<TopicDirectory> = {
    autoCreate: true,
    defaultPartitionCount: 2,
    cached: (name: string) => this.#topics.get(name),
    byName: async (names: readonly string[]) => {
      this.#check()
      return new Map([...this.#topics].filter(([name]) => names.includes(name)))
    },
    byId: async (topicIds: readonly string[]) => {
      this.#check()
      const found = [...this.#topics.values()].filter(({ topicId }) => topicIds.includes(topicId))
      return new Map(found.map((topic) => [topic.topicId, topic]))
    },
    refresh: (names: readonly string[]) => this.topics.byName(names),
    forget: () => {},
    list: async () => {
      this.#check()
      return [...this.#topics.values()]
    },
    create: async (spec: TopicSpec, { validateOnly = false } = {}): Promise<Topic> => {
      this.#check()
      const { name, configs, assignment, partitionCount = this.topics.defaultPartitionCount } = spec
      checkTopicName(name)
      checkPartitionCount(partitionCount)
      checkTopicConfigs(configs)
      if (this.#topics.has(name)) throw new HeadraceError('TOPIC_EXISTS', 'never', `topic ${name} exists`)
      const assigned = assignment === undefined ? {} : { assignment }
      const topic = { topicId: randomUUID(), name, partitionCount, configs, ...assigned }
      if (!validateOnly) this.#topics.set(name, topic)
      return topic
    },
    ensure: async (name: string): Promise<Topic> => this.#topics.get(name) ?? this.topics.create({ name, configs: {} }),
    delete: async (topicId: string) => {
      this.#check()
      for (const [name, topic] of this.#topics) if (topic.topicId === topicId) this.#topics.delete(name)
    },
    alterConfigs: async (topicId: string, change: TopicConfigChange, { validateOnly = false } = {}) => {
      const topic = this.#topic(topicId)
      return this.#keep({ ...topic, configs: changedConfigs(topic.configs, change) }, validateOnly)
    },
    addPartitions: async (
      topicId: string,
      partitionCount: number,
      { validateOnly = false, assignment: added }: AddPartitionsOptions = {},
    ) => {
      const topic = this.#topic(topicId)
      checkPartitionCount(partitionCount)
      checkPartitionsAdded(topic.name, topic.partitionCount, partitionCount)
      const assignment = grownAssignment(topic, added)
      return this.#keep({ ...topic, partitionCount, ...(assignment && { assignment }) }, validateOnly)
    },
  }

  readonly logs = {
    deleteRecords: async (requests: readonly DeleteRecordsRequest[]): Promise<DeleteRecordsResult[]> => {
      this.#check()
      return requests.map((request) => {
        const key = partitionKey(request.topicId, request.partition)
        const end = this.#log(request).at(-1)?.endOffset ?? 0
        const offset = request.offset === 'high-watermark' ? end : request.offset
        if (offset > end) return { error: new HeadraceError('OFFSET_OUT_OF_RANGE', 'never', `not in the log`) }
        const logStartOffset = Math.max(offset, this.#logStarts.get(key) ?? 0)
        this.#logStarts.set(key, logStartOffset)
        return { logStartOffset }
      })
    },
    sizes: async (partitions: readonly PartitionRef[]) => {
      this.#check()
      return partitions.map((ref) => this.#log(ref).reduce((sum, { bytes }) => sum + bytes.byteLength, 0))
    },
    producers: async (partitions: readonly PartitionRef[]) => {
      this.#check()
      return partitions.map(() => [{ producerId: 7, producerEpoch: 1, lastSequence: 9, lastTimestampMs: 5 }])
    },
  }

  readonly producerIds = {
    next: async () => {
      this.#check()
      this.#producerId += 1
      return this.#producerId
    },
  }

  readonly groups = new FakeGroups(() => this.#check())

  /** How often somebody looked who is in the cluster. */
  lookCount = 0

  readonly cluster = {
    clusterId: 'test-cluster',
    nodeId: 7,
    agentsFor: () => this.agents,
    nodesFor: () => [...this.agents, ...this.coordinators],
    lookAround: async () => {
      this.lookCount += 1
    },
    coordinatorOf: () => this.agents[0] as (typeof this.agents)[0],
    isAcrossZones: ({ clientId }: ClientInfo) => clientId === 'far-away',
    leaderOf: ({ partition }: PartitionRef) => this.agents[partition % this.agents.length]!,
  }

  #topic(topicId: string): Topic {
    this.#check()
    const topic = [...this.#topics.values()].find((other) => other.topicId === topicId)
    if (topic === undefined) throw new HeadraceError('TOPIC_UNKNOWN', 'never', `there is no topic ${topicId}`)
    return topic
  }

  #keep(topic: Topic, validateOnly: boolean): Topic {
    if (!validateOnly) this.#topics.set(topic.name, topic)
    return topic
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure
  }

  #log(partition: PartitionRef): StoredBatch[] {
    const key = partitionKey(partition.topicId, partition.partition)
    const log = this.#logs.get(key) ?? []
    this.#logs.set(key, log)
    return log
  }

  #store(partition: PartitionRef, bytes: Buffer): ProduceResult {
    const log = this.#log(partition)
    const baseOffset = log.at(-1)?.endOffset ?? 0
    bytes.writeBigInt64BE(BigInt(baseOffset), 0)
    bytes.writeInt32BE(0, 12)
    const endOffset = baseOffset + bytes.readInt32BE(23) + 1
    log.push({ baseOffset, endOffset, maxTimestampMs: Number(bytes.readBigInt64BE(35)), bytes })
    return { ok: true, baseOffset, logStartOffset: 0 }
  }

  #read(request: FetchRequest['partitions'][number]): FetchResult {
    const log = this.#log(request)
    const highWatermark = log.at(-1)?.endOffset ?? 0
    if (request.offset < 0 || request.offset > highWatermark) {
      const error = new HeadraceError('OFFSET_OUT_OF_RANGE', 'never', `offset ${request.offset} is out of range`)
      return { error, highWatermark, logStartOffset: 0, chunks: [], bytes: 0 }
    }
    const chunks: Uint8Array[] = []
    let bytes = 0
    for (const batch of log) {
      if (batch.endOffset <= request.offset) continue
      if (bytes > 0 && bytes + batch.bytes.byteLength > request.bytesMax) break
      chunks.push(batch.bytes)
      bytes += batch.bytes.byteLength
    }
    return { highWatermark, logStartOffset: 0, chunks, bytes }
  }

  #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#wakers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      this.#wakers.add(done)
      signal.addEventListener('abort', done)
    })
  }
}
