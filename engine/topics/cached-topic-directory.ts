import { v4 } from 'uuid'
import type { AddPartitionsOptions, TopicConfigChange, TopicDirectory, TopicSpec } from '../broker.js'
import { HeadraceError, isHeadraceError } from '../errors.js'
import type { Topic, TopicId } from '../model.js'
import type { Catalog } from '../ports/catalog.js'
import type { Clock, Random } from '../ports/clock.js'
import { changedConfigs } from './topic-config-changes.js'
import { checkTopicConfigs } from './topic-configs.js'
import { checkPartitionCount, checkPartitionsAdded, checkTopicName } from './topic-rules.js'

/**
 * Topics as this agent last saw them. Produce needs a name's id without waiting; a topic that another agent deleted
 * meanwhile is refused by the commit, and what another agent created is looked up when it is first asked for. What is
 * older than `ageMaxMs` is looked up again; that something does not exist is never cached. While the catalog is away the last
 * picture serves on: writes go as far as they can, and clients are still told where their partitions are.
 */
export class CachedTopicDirectory implements TopicDirectory {
  readonly autoCreate: boolean
  readonly defaultPartitionCount: number
  readonly #options: TopicDirectoryOptions
  readonly #byName = new Map<string, CachedTopic>()
  readonly #byId = new Map<TopicId, CachedTopic>()

  constructor(options: TopicDirectoryOptions) {
    this.#options = options
    this.autoCreate = options.autoCreate
    this.defaultPartitionCount = options.defaultPartitionCount
  }

  cached(name: string): Topic | undefined {
    return this.#fresh(this.#byName.get(name))
  }

  async byName(names: readonly string[]): Promise<ReadonlyMap<string, Topic>> {
    const found = new Map<string, Topic>()
    const missing: string[] = []
    for (const name of new Set(names)) {
      const topic = this.cached(name)
      if (topic !== undefined) found.set(name, topic)
      else missing.push(name)
    }
    if (missing.length === 0) return found
    const topics = await this.#orAsLastSeen(missing, this.#byName, async () => [
      ...(await this.refresh(missing)).values(),
    ])
    for (const topic of topics) found.set(topic.name, topic)
    return found
  }

  async refresh(names: readonly string[]): Promise<ReadonlyMap<string, Topic>> {
    const found = new Map<string, Topic>()
    if (names.length === 0) return found
    const topics = await this.#options.catalog.topicsByName(names)
    for (const name of names) this.#forgetName(name)
    for (const topic of topics) found.set(topic.name, this.#remember(topic))
    return found
  }

  async byId(topicIds: readonly TopicId[]): Promise<ReadonlyMap<TopicId, Topic>> {
    const found = new Map<TopicId, Topic>()
    const missing: TopicId[] = []
    for (const topicId of new Set(topicIds)) {
      const topic = this.#fresh(this.#byId.get(topicId))
      if (topic !== undefined) found.set(topicId, topic)
      else missing.push(topicId)
    }
    if (missing.length === 0) return found
    const topics = await this.#orAsLastSeen(missing, this.#byId, async () => {
      const current = await this.#options.catalog.topicsById(missing)
      for (const topicId of missing) this.forget(topicId)
      return current.map((topic) => this.#remember(topic))
    })
    for (const topic of topics) found.set(topic.topicId, topic)
    return found
  }

  async list(): Promise<readonly Topic[]> {
    const topics = await this.#options.catalog.listTopics()
    this.#byName.clear()
    this.#byId.clear()
    return topics.map((topic) => this.#remember(topic))
  }

  async create(spec: TopicSpec, options: { readonly validateOnly?: boolean } = {}): Promise<Topic> {
    const partitionCount = spec.partitionCount ?? this.#options.defaultPartitionCount
    checkTopicName(spec.name)
    checkPartitionCount(partitionCount)
    checkTopicConfigs(spec.configs)
    const { name, configs, assignment } = spec
    const assigned = assignment === undefined ? {} : { assignment }
    const topic = { topicId: this.#newTopicId(), name, partitionCount, configs, ...assigned }
    if (options.validateOnly !== true) return this.#remember(await this.#options.catalog.createTopic(topic))
    const existing = await this.#options.catalog.topicsByName([spec.name])
    if (existing.length > 0) throw new HeadraceError('TOPIC_EXISTS', 'never', `topic ${spec.name} already exists`)
    return topic
  }

  async ensure(name: string): Promise<Topic> {
    const existing = (await this.byName([name])).get(name)
    if (existing !== undefined) return existing
    try {
      return await this.create({ name, configs: {} })
    } catch (error) {
      // Another request or agent was faster, which is what was wanted.
      const other = isHeadraceError(error, 'TOPIC_EXISTS') ? (await this.byName([name])).get(name) : undefined
      if (other === undefined) throw error
      return other
    }
  }

  async delete(topicId: TopicId): Promise<void> {
    await this.#options.catalog.deleteTopic(topicId)
    this.forget(topicId)
  }

  async alterConfigs(
    topicId: TopicId,
    change: TopicConfigChange,
    options: { readonly validateOnly?: boolean } = {},
  ): Promise<Topic> {
    const { catalog } = this.#options
    if (options.validateOnly !== true) {
      return this.#remember(await catalog.updateTopicConfigs(topicId, (configs) => changedConfigs(configs, change)))
    }
    const topic = await this.#current(topicId)
    return { ...topic, configs: changedConfigs(topic.configs, change) }
  }

  async addPartitions(topicId: TopicId, partitionCount: number, options: AddPartitionsOptions = {}): Promise<Topic> {
    checkPartitionCount(partitionCount)
    if (options.validateOnly !== true) {
      return this.#remember(await this.#options.catalog.addPartitions(topicId, partitionCount, options.assignment))
    }
    const topic = await this.#current(topicId)
    checkPartitionsAdded(topic.name, topic.partitionCount, partitionCount)
    return { ...topic, partitionCount }
  }

  async #current(topicId: TopicId): Promise<Topic> {
    const [topic] = await this.#options.catalog.topicsById([topicId])
    if (topic !== undefined) return topic
    throw new HeadraceError('TOPIC_UNKNOWN', 'never', `there is no topic ${topicId}; it may have been deleted`)
  }

  /** Drops what is cached of a topic: a commit found it gone. */
  forget(topicId: TopicId): void {
    const cached = this.#byId.get(topicId)
    if (cached === undefined) return
    this.#byId.delete(topicId)
    if (this.#byName.get(cached.topic.name) === cached) this.#byName.delete(cached.topic.name)
  }

  /** Whether a topic is still there is the commit's to decide; nothing is stored by what was seen last. */
  async #orAsLastSeen<Key>(
    keys: readonly Key[],
    known: ReadonlyMap<Key, CachedTopic>,
    lookUp: () => Promise<readonly Topic[]>,
  ): Promise<readonly Topic[]> {
    try {
      return await lookUp()
    } catch (error) {
      const last = keys.flatMap((key) => known.get(key)?.topic ?? [])
      if (!isHeadraceError(error, 'CATALOG_UNAVAILABLE') || last.length < keys.length) throw error
      // For as long as a fresh one: not every request should wait until the catalog has failed it once more.
      return last.map((topic) => this.#remember(topic))
    }
  }

  #forgetName(name: string): void {
    const cached = this.#byName.get(name)
    if (cached !== undefined) this.forget(cached.topic.topicId)
  }

  #remember(topic: Topic): Topic {
    const cached = { topic, asOfMs: this.#options.clock.monotonicMs() }
    this.#byName.set(topic.name, cached)
    this.#byId.set(topic.topicId, cached)
    return topic
  }

  #fresh(cached: CachedTopic | undefined): Topic | undefined {
    if (cached === undefined) return undefined
    return this.#options.clock.monotonicMs() - cached.asOfMs <= this.#options.ageMaxMs ? cached.topic : undefined
  }

  #newTopicId(): TopicId {
    return v4({ random: this.#options.random.bytes(16) })
  }
}

export interface TopicDirectoryOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly random: Random
  readonly autoCreate: boolean
  readonly defaultPartitionCount: number
  readonly ageMaxMs: number
}

interface CachedTopic {
  readonly topic: Topic
  readonly asOfMs: number
}
