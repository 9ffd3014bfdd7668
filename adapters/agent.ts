import { randomUUID } from 'node:crypto'
import type { Broker } from '../engine/broker.js'
import { Membership } from '../engine/cluster/membership.js'
import { hasRole, refusingIntake, refusingReader } from '../engine/cluster/roles.js'
import { HeadraceError } from '../engine/errors.js'
import { createLogReader, fetchLimitsFor, RecentSegments, WatermarkBoard } from '../engine/fetch/index.js'
import { createGroups } from '../engine/groups/index.js'
import { startJobs } from '../engine/jobs/index.js'
import { type MemoryPlan, planMemory } from '../engine/memory-plan.js'
import type { Catalog } from '../engine/ports/catalog.js'
import type { Logger } from '../engine/ports/logger.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import type { SegmentUploader } from '../engine/ports/segment-uploader.js'
import { BlockProducerIds } from '../engine/producers/block-producer-ids.js'
import { CachedTopicDirectory } from '../engine/topics/cached-topic-directory.js'
import { CatalogLogAdmin } from '../engine/topics/catalog-log-admin.js'
import { createWritePath, type WritePath } from '../engine/write-path.js'
import { jobsOptions, openMerger } from './background-jobs.js'
import { openThreadedCatalog } from './catalog/threaded-catalog.js'
import { Closers } from './closers.js'
import {
  type AgentConfig,
  type AgentOptions,
  advertisedAddress,
  formatHostPort,
  type HostPort,
  resolveConfig,
} from './config/index.js'
import { EventLoopTurns } from './event-loop-turns.js'
import {
  createPrometheusMetrics,
  createReadiness,
  ObjectStoreHealth,
  type PrometheusMetrics,
  type Readiness,
  startHttpServer,
} from './http/index.js'
import { DEFAULT_KAFKA_SETTINGS, startKafkaListener } from './kafka/index.js'
import { createLogger } from './logging.js'
import { MeteredUploader, openObjectStore } from './object-store/index.js'
import { checkObjectStore } from './object-store-check.js'
import { systemClock, systemRandom } from './system-clock.js'
import { PiscinaSegmentUploader } from './worker-pool/piscina-segment-uploader.js'

/** A running agent. */
export interface Agent {
  /** Where the Kafka listener is bound; the first of them. */
  readonly kafka: HostPort
  /** All Kafka listeners, in the order of the configuration. */
  readonly listeners: readonly BoundListener[]
  /** Where HTTP is bound; null when it is off. */
  readonly http: HostPort | null
  readonly nodeId: number
  readonly clusterId: string
  readonly config: AgentConfig
  /**
   * Leaves the cluster, stops reading requests, commits and answers what was taken in, and releases everything.
   * Idempotent. The caller bounds the wait; `headrace agent` does by `shutdown-timeout`.
   */
  close(): Promise<void>
}

export interface BoundListener extends HostPort {
  readonly name: string
}

/** Uploads under way in a worker beside the segment it encodes: they cost memory, not CPU. */
const TASKS_PER_WORKER = 8
/** An agent that misses this many heartbeats is gone. */
const HEARTBEATS_MISSED_MAX = 4
const TOPIC_CACHE_AGE_MAX_MS = 5_000
/** Below the 30 s after which common clients give a request up by themselves. */
const COMMIT_RETRY_MAX_MS = 20_000

/**
 * Starts an agent in this process and resolves once it takes requests. This is the composition root: the one place
 * that knows which adapter stands behind which port.
 *
 * @throws HeadraceError CONFIG_INVALID for a wrong setting; what the stores say when they cannot be reached; the
 *   operating system's error when an address cannot be bound. Nothing is left running then.
 */
export async function startAgent(options: AgentOptions = {}): Promise<Agent> {
  const config = resolveConfig(options)
  const logger = createLogger(config)
  const closers = new Closers(logger)
  try {
    return await start(config, logger, closers)
  } catch (error) {
    await closers.closeAll()
    throw error
  }
}

async function start(config: AgentConfig, logger: Logger, closers: Closers): Promise<Agent> {
  const parts = await openParts(config, logger, closers)
  const { catalog, metrics, health, memory } = parts

  // A fixed port is registered before it takes connections, so that the first client gets a whole picture. Nobody can
  // know port 0 before it is bound and printed.
  const wanted = config.listeners.map(({ name, listen }) => ({ name, ...listen }))
  const portsAreKnown = wanted.every(({ port }) => port > 0)
  let cluster = portsAreKnown ? await join(config, catalog, logger, closers, wanted) : undefined
  const groups = createGroups({
    catalog,
    cluster: {
      get nodeId() {
        return broker.cluster.nodeId
      },
      coordinatorOf: (groupId) => broker.cluster.coordinatorOf(groupId),
      lookAround: () => broker.cluster.lookAround(),
    },
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics,
    memoryBytesMax: memory.groupBytes,
    initialRebalanceDelayMs: config.groupInitialRebalanceDelayMs,
    offsetsRetentionMs: config.groupOffsetsRetentionMs,
  })
  const broker: Broker = {
    intake: hasRole(config, 'produce') ? parts.writePath.intake : refusingIntake(),
    reader: hasRole(config, 'fetch') ? parts.reader : refusingReader(parts.reader),
    topics: parts.topics,
    logs: parts.logs,
    producerIds: new BlockProducerIds(catalog),
    groups: groups.coordinator,
    get cluster() {
      if (cluster === undefined) throw new HeadraceError('AGENT_CLOSING', 'safe', 'the agent is not registered yet')
      return cluster
    },
  }
  const listener = await startKafkaListener({
    listen: wanted,
    broker,
    settings: {
      ...DEFAULT_KAFKA_SETTINGS,
      requestBytesMax: config.requestBytesMax,
      messageBytesMax: config.messageBytesMax,
      retentionTimeMs: config.retentionTimeMs ?? -1,
      retentionBytes: config.retentionBytes ?? -1,
      logDirectory: parts.objectStore.location,
      frameBudgetBytes: memory.frameBytes,
      closeTimeoutMs: config.shutdownTimeoutMs,
    },
    logger,
    metrics: metrics.kafka,
  })
  closers.add('Kafka listener', listener)
  // Before the listener, whose connections wait for what members wait for.
  closers.add('consumer groups', groups)
  const listeners = wanted.map((address, place) => ({ ...address, port: listener.bound[place]?.port ?? address.port }))
  const kafka = { host: listeners[0]?.host ?? '', port: listeners[0]?.port ?? 0 }
  cluster ??= await join(config, catalog, logger, closers, listeners)
  const membership = cluster
  groups.startExpiry()
  if (hasRole(config, 'jobs')) runJobs(config, logger, closers, parts)

  const readiness = createReadiness({
    catalog: () => catalog.ping(),
    'object store': () => health.check(),
  })
  const http = await openHttp(config, closers, { metrics, readiness, logger, listeners, cluster: membership, parts })
  logger.info(
    {
      kafka,
      ...(listeners.length > 1 ? { listeners } : {}),
      http,
      nodeId: membership.nodeId,
      clusterId: membership.clusterId,
      objectStore: parts.objectStore.location,
      catalog: catalog.location,
    },
    'agent started',
  )
  return {
    kafka,
    listeners,
    http,
    get nodeId() {
      return membership.nodeId
    },
    clusterId: membership.clusterId,
    config,
    // First out of the registry, so that clients go elsewhere while this agent finishes what it has.
    close: async () => {
      await membership.leave().catch((error: unknown) => logger.warn({ error }, 'leaving the cluster failed'))
      await closers.closeAll()
    },
  }
}

/** Everything between the listener and the stores. Opened inside out, so that it closes outside in. */
async function openParts(config: AgentConfig, logger: Logger, closers: Closers): Promise<Parts> {
  const metrics = createPrometheusMetrics()
  const memory = planMemory(config.memoryBytes, config.flushBytes)
  const health = new ObjectStoreHealth()
  const catalog = closers.add('catalog', openThreadedCatalog(config.catalog))
  await catalog.migrate()
  const objectStore = closers.add('object store', openObjectStore(config.objectStore, { sink: metrics.objectStore }))
  await checkObjectStore(objectStore)
  const uploader = closers.add('workers', openUploader(config, objectStore, health, memory, metrics))
  const topics = new CachedTopicDirectory({
    catalog,
    clock: systemClock,
    random: systemRandom,
    autoCreate: config.autoCreateTopics,
    defaultPartitionCount: config.defaultPartitionCount,
    ageMaxMs: TOPIC_CACHE_AGE_MAX_MS,
  })
  const watermarks = new WatermarkBoard({ catalog, clock: systemClock, logger })
  const recent = new RecentSegments(memory.recentBytes)
  const limits = fetchLimitsFor(memory)
  const clock = systemClock
  const turns = new EventLoopTurns()
  const turn = () => turns.next()
  const reader = closers.add(
    'reader',
    createLogReader({ catalog, objectStore, watermarks, recent, turn, clock, metrics, logger, limits }),
  )
  const writePath = closers.add(
    'write path',
    createWritePath({
      catalog,
      uploader,
      clock: systemClock,
      random: systemRandom,
      metrics,
      logger,
      flush: { flushBytes: config.flushBytes, flushIntervalMs: config.flushIntervalMs },
      commit: { commitAgeMaxMs: config.commitAgeMaxMs, commitRetryMaxMs: COMMIT_RETRY_MAX_MS },
      arenaBytes: memory.arenaBytes,
      extents: reader.extents,
      watermarks,
      recent,
      onTopicGone: (topicId) => topics.forget(topicId),
    }),
  )
  const logs = new CatalogLogAdmin(catalog, watermarks)
  return { catalog, objectStore, metrics, memory, health, topics, logs, reader, writePath }
}

interface Parts {
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly metrics: PrometheusMetrics
  readonly memory: MemoryPlan
  readonly health: ObjectStoreHealth
  readonly topics: CachedTopicDirectory
  readonly logs: Broker['logs']
  readonly reader: Broker['reader']
  readonly writePath: WritePath
}

function openUploader(
  config: AgentConfig,
  objectStore: ObjectStore,
  health: ObjectStoreHealth,
  memory: MemoryPlan,
  metrics: PrometheusMetrics,
): SegmentUploader {
  const inMemory = config.objectStore.startsWith('memory:')
  const pool = new PiscinaSegmentUploader({
    objectStoreUrl: inMemory ? undefined : config.objectStore,
    objectStore,
    workerCount: config.workerCount,
    tasksPerWorker: TASKS_PER_WORKER,
    taskCountMax: Math.ceil(memory.arenaBytes / config.flushBytes),
  })
  // In memory it is this thread's store that uploads, which reports by itself.
  const metered = inMemory ? pool : new MeteredUploader(pool, metrics.objectStore, systemClock)
  return { upload: (input) => health.watch(metered.upload(input)), close: () => metered.close() }
}

/** Last in, first out: a stopping agent begins nothing new. */
function runJobs(config: AgentConfig, logger: Logger, closers: Closers, parts: Parts): void {
  const { catalog, objectStore, metrics, memory } = parts
  const merger = closers.add('merger', openMerger(config, objectStore))
  const ports = { catalog, objectStore, merger, metrics: metrics.jobs, logger, holder: randomUUID() }
  closers.add('background jobs', startJobs(jobsOptions(config, { ...ports, readBytesMax: memory.compactionBytes })))
}

async function join(
  config: AgentConfig,
  catalog: Catalog,
  logger: Logger,
  closers: Closers,
  bound: readonly HostPort[],
): Promise<Membership> {
  const listeners = config.listeners.map((listener, place) => {
    return { name: listener.name, ...advertisedAddress(listener, bound[place] ?? listener.listen) }
  })
  const membership = await Membership.join({
    catalog,
    clock: systemClock,
    logger,
    instanceId: randomUUID(),
    listeners,
    zone: config.zone,
    roles: config.roles,
    zoneMap: config.zoneMap,
    placement: config.placement,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    expiryMs: HEARTBEATS_MISSED_MAX * config.heartbeatIntervalMs,
  })
  closers.add('membership', { close: () => membership.leave() })
  return membership
}

interface HttpParts {
  readonly metrics: PrometheusMetrics
  readonly readiness: Readiness
  readonly logger: Logger
  readonly listeners: readonly BoundListener[]
  readonly cluster: Membership
  readonly parts: Parts
}

async function openHttp(config: AgentConfig, closers: Closers, http: HttpParts): Promise<HostPort | null> {
  if (config.http === null) return null
  const { metrics, readiness, logger, listeners, cluster, parts } = http
  const status = () => ({
    'node id': cluster.nodeId,
    'cluster id': cluster.clusterId,
    zone: config.zone,
    kafka: listeners.map(listeners.length > 1 ? formatListener : formatHostPort).join(', '),
    'object store': parts.objectStore.location,
    catalog: parts.catalog.location,
    agents: cluster.agentsFor({ clientId: null, remoteAddress: '' }).length,
  })
  const server = await startHttpServer({ listen: config.http, metrics, readiness, status, logger })
  closers.add('HTTP server', server)
  return server.address
}

function formatListener(listener: BoundListener): string {
  return `${listener.name}://${formatHostPort(listener)}`
}
