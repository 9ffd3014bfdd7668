import type { MemoryObjectStore } from '../../adapters/object-store/memory.js'
import type { Intake, ProduceRequest } from '../../engine/broker.js'
import { type ClosableLogReader, createLogReader, RecentSegments, WatermarkBoard } from '../../engine/fetch/index.js'
import type { JobRunner } from '../../engine/jobs/index.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { NO_METRICS } from '../../engine/ports/metrics.js'
import { createWritePath, type WritePath } from '../../engine/write-path.js'
import { SeededRandom } from '../support/virtual-clock.js'
import type { CatalogDatabase } from './catalog-database.js'
import { simulatedCatalog } from './simulated-catalog.js'
import { type JobsPolicy, startSimulatedJobs } from './simulated-jobs.js'
import { InlineSegmentUploader, SimulatedObjectStore } from './simulated-object-store.js'
import { AgentClock, type Life, type World } from './world.js'

export const COMMIT_AGE_MAX_MS = 2000
const COMMIT_RETRY_MAX_MS = 1000
const CLOCK_SKEW_MAX_MS = 200

/** One agent: the engine's real write and read path, in a world where it can die at any moment. */
export class SimulatedAgent implements Life {
  alive = true
  accepting = true
  readonly reader: ClosableLogReader
  readonly store: SimulatedObjectStore
  readonly #writePath: WritePath
  readonly #board: WatermarkBoard
  readonly #jobs: JobRunner | undefined
  readonly #mourners = new Set<() => void>()

  constructor(
    readonly name: string,
    private readonly world: World,
    database: CatalogDatabase,
    objects: MemoryObjectStore,
    /** Undefined: an agent without background jobs. */
    policy: JobsPolicy | undefined,
  ) {
    const clock = new AgentClock(world.clock, this, Math.floor(world.between(-CLOCK_SKEW_MAX_MS, CLOCK_SKEW_MAX_MS)))
    const catalog = simulatedCatalog(world, this, database)
    this.store = new SimulatedObjectStore(world, this, objects)
    const recent = new RecentSegments(world.chance(0.5) ? 16_384 : 0)
    this.#board = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER, pollIntervalMs: 20 })
    const small = { chunkBytes: 512, cacheBytesMax: 8192, laggingCacheBytesMax: 8192, loadBytesMax: 2048 }
    this.reader = createLogReader({
      catalog,
      objectStore: this.store,
      clock,
      metrics: NO_METRICS,
      logger: NO_LOGGER,
      watermarks: this.#board,
      recent,
      limits: { ...small, laggingAgeMs: 1000, wholeExtentBytesMax: 1024 },
    })
    const flushBytes = world.pick([700, 1500, 6000]) ?? 1500
    this.#writePath = createWritePath({
      catalog,
      uploader: new InlineSegmentUploader(world, this.store),
      clock,
      random: new SeededRandom(world.int(2 ** 31)),
      metrics: NO_METRICS,
      logger: NO_LOGGER,
      flush: { flushBytes, flushIntervalMs: world.pick([5, 25, 100]) ?? 25 },
      commit: { commitAgeMaxMs: COMMIT_AGE_MAX_MS, commitRetryMaxMs: COMMIT_RETRY_MAX_MS },
      arenaBytes: flushBytes * (1 + world.int(4)),
      extents: this.reader.extents,
      watermarks: this.#board,
      recent,
      onTopicGone: () => {},
    })
    const jobs = { life: this, clock, database, objectStore: this.store, commitAgeMaxMs: COMMIT_AGE_MAX_MS }
    this.#jobs = policy && startSimulatedJobs(world, { ...jobs, policy })
    world.history.add({ kind: 'agent', agent: name, change: 'started' })
  }

  get intake(): Intake {
    return this.world.bug === 'request-split' ? splitting(this.#writePath.intake, this.world) : this.#writePath.intake
  }

  /** `mourn` is called once when the agent dies or closes; the returned function takes it back. */
  onEnd(mourn: () => void): () => void {
    this.#mourners.add(mourn)
    return () => this.#mourners.delete(mourn)
  }

  die(): void {
    if (!this.alive) return
    this.alive = false
    this.world.history.add({ kind: 'agent', agent: this.name, change: 'crashed' })
    this.#end()
  }

  /** What SIGTERM does: nothing new is taken in, what was taken in is settled, then the connections end. */
  async close(): Promise<void> {
    if (!this.accepting || !this.alive) return
    this.accepting = false
    this.world.history.add({ kind: 'agent', agent: this.name, change: 'closing' })
    await this.stopJobs()
    await this.#writePath.close()
    await this.reader.close()
    this.#board.close()
    if (!this.alive) return
    this.world.history.add({ kind: 'agent', agent: this.name, change: 'closed' })
    this.alive = false
    this.#end()
  }

  /** Idempotent. Does not come to an end where the agent dies meanwhile. */
  async stopJobs(): Promise<void> {
    await this.#jobs?.close()
  }

  #end(): void {
    this.accepting = false
    for (const mourn of [...this.#mourners]) mourn()
    this.#mourners.clear()
  }
}

/** The bug of an intake that lets a request be spread over segments. */
function splitting(intake: Intake, world: World): Intake {
  return {
    append: async (request: ProduceRequest) => {
      const parts = []
      for (const batch of request.batches) {
        parts.push(await intake.append({ chunks: request.chunks, batches: [batch] }))
        await world.sleep(world.between(0, 40))
      }
      return { results: Promise.all(parts.map((part) => part.results)).then((results) => results.flat()) }
    },
  }
}
