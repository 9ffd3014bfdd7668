import type { FetchRequest, FetchResult, LogReader, OffsetRequest, OffsetResult } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { Catalog } from '../ports/catalog.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { Metrics } from '../ports/metrics.js'
import type { ObjectStore } from '../ports/object-store.js'
import { AnswerMemory } from './answer-memory.js'
import { ByteGate } from './byte-gate.js'
import { ChunkHolds } from './chunk-holds.js'
import { ExtentReader } from './extent-reader.js'
import { FETCH_LIMITS_DEFAULT, type FetchLimits } from './fetch-limits.js'
import { FetchRun, type FetchRunOptions } from './fetch-run.js'
import { type ExtentSink, KnownExtents } from './known-extents.js'
import { OffsetLookup } from './offset-lookup.js'
import { RecentSegments } from './recent-segments.js'
import type { WatermarkBoard } from './watermarks.js'

export interface LogReaderOptions {
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  readonly limits?: Partial<FetchLimits>
  /** The commit lane advances it. The reader does not close it. */
  readonly watermarks: WatermarkBoard
  /** Resolves when a read of many bytes may have the thread. Default: at once. */
  readonly turn?: () => Promise<void>
  /** The commit lane fills it. Without it everything is read from the store. */
  readonly recent?: RecentSegments
}

export interface ClosableLogReader extends LogReader {
  /** The write path tells it what it has committed, before it tells the watermarks. */
  readonly extents: ExtentSink
  /** Ends every fetch at once, with what it has; later calls are refused with AGENT_CLOSING. Idempotent. */
  close(): Promise<void>
}

export function createLogReader(options: LogReaderOptions): ClosableLogReader {
  return new CatalogLogReader(options)
}

/** The read path of an agent: many fetches at once, sharing caches, gates and the watermark board. */
class CatalogLogReader implements ClosableLogReader {
  readonly #reader: ExtentReader
  readonly #lookup: OffsetLookup
  readonly #run: FetchRunOptions
  readonly #closing = new AbortController()
  readonly #fetches = new Set<AbortController>()

  constructor(private readonly options: LogReaderOptions) {
    const limits = { ...FETCH_LIMITS_DEFAULT, ...options.limits }
    const { catalog, objectStore, clock, metrics, logger, watermarks: board } = options
    const recent = options.recent ?? new RecentSegments(0)
    const turn = options.turn ?? (() => Promise.resolve())
    const holds = new ChunkHolds({
      perPartitionMax: limits.openChunksMax,
      perConsumerMax: limits.holdsPerConsumerMax,
      holdsMax: limits.holdsMax,
      idleMs: limits.holdIdleMs,
    })
    const reader = new ExtentReader({ objectStore, clock, metrics, limits, recent, holds })
    const gates = {
      near: new ByteGate(limits.bytesInFlightMax),
      lagging: new ByteGate(limits.laggingBytesInFlightMax),
    }
    const answers = {
      near: new AnswerMemory(limits.answerBytesMax),
      lagging: new AnswerMemory(limits.laggingAnswerBytesMax),
    }
    this.#reader = reader
    this.#lookup = new OffsetLookup({ catalog, reader, limits })
    const { extentAgeMaxMs: ageMaxMs, extentsKnownMax: extentCountMax } = limits
    const extents = new KnownExtents({ catalog, clock, ageMaxMs, extentCountMax })
    this.#run = { extents, reader, holds, board, gates, answers, turn, clock, logger, limits }
  }

  get extents(): ExtentSink {
    return this.#run.extents
  }

  async fetch(request: FetchRequest): Promise<readonly FetchResult[]> {
    this.#checkOpen()
    const { metrics } = this.options
    const fetch = new AbortController()
    const abort = () => fetch.abort()
    if (request.signal.aborted) abort()
    request.signal.addEventListener('abort', abort, { once: true })
    this.#fetches.add(fetch)
    const run = new FetchRun(this.#run, request, fetch.signal)
    try {
      const results = await run.run()
      this.#reportAnswers()
      request.whenSent(() => this.#release(run))
      metrics.count('fetch_requests', 1)
      metrics.count('fetch_bytes', run.bytes)
      metrics.gauge('cache_bytes', this.#reader.cacheBytes)
      return results
    } catch (error) {
      this.#release(run)
      throw error
    } finally {
      this.#fetches.delete(fetch)
      request.signal.removeEventListener('abort', abort)
    }
  }

  get isAnswerMemoryWanted(): boolean {
    return this.#run.answers.near.isWanted || this.#run.answers.lagging.isWanted
  }

  async listOffsets(requests: readonly OffsetRequest[]): Promise<readonly OffsetResult[]> {
    this.#checkOpen()
    return this.#lookup.find(requests, this.#closing.signal)
  }

  async close(): Promise<void> {
    this.#closing.abort(closing())
    for (const fetch of this.#fetches) fetch.abort()
    this.#reader.close()
  }

  #release(run: FetchRun): void {
    run.release()
    this.#reportAnswers()
  }

  #reportAnswers(): void {
    const { near, lagging } = this.#run.answers
    this.options.metrics.gauge('answer_bytes', near.bytesHeld + lagging.bytesHeld)
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw closing()
  }
}

function closing(): HeadraceError {
  return new HeadraceError('AGENT_CLOSING', 'safe', 'this agent is closing; ask another one')
}
