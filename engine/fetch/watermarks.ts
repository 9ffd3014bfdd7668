import { type PartitionRef, partitionKey, type TopicId } from '../model.js'
import type { Catalog } from '../ports/catalog.js'
import type { CancelTimer, Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'

/** Where the commit lane tells what it has committed. */
export interface WatermarkSink {
  /** Everything of the partition below `highWatermark` is committed. Lower values than known are ignored. */
  advance(topicId: TopicId, partition: number, highWatermark: number): void
}

/** Where is told that a log begins later than before. */
export interface LogStartSink {
  /** Nothing of the partition below `logStartOffset` can be read. Lower values than known are ignored. */
  advanceLogStart(topicId: TopicId, partition: number, logStartOffset: number): void
}

/** What a waiter has seen of a partition. */
export interface SeenWatermark extends PartitionRef {
  readonly highWatermark: number
}

export interface WatermarkBoardOptions {
  readonly catalog: Pick<Catalog, 'partitionOffsets'>
  readonly clock: Clock
  readonly logger: Logger
  /** Pause between polls of the catalog while somebody waits. Default 50. */
  readonly pollIntervalMs?: number
  /** Watermarks remembered; what is forgotten costs one poll at worst. Default 100 000. */
  readonly partitionsMax?: number
}

interface Waiter {
  readonly seen: readonly SeenWatermark[]
  readonly wake: () => void
}

/**
 * High watermarks (and log starts) as far as this agent knows them, and the fetches that wait for one to rise. Commits of this agent wake
 * them at once; commits of others are seen by one poll of the catalog for all waiting partitions together, and nobody
 * polls while nobody waits. A watermark never falls.
 */
export class WatermarkBoard implements WatermarkSink, LogStartSink {
  readonly #watermarks = new Map<string, number>()
  /** Only of logs that have lost their beginning. */
  readonly #logStarts = new Map<string, number>()
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #refs = new Map<string, PartitionRef>()
  readonly #pollIntervalMs: number
  readonly #partitionsMax: number
  #cancelPoll: CancelTimer | undefined
  #polling = false
  #closed = false

  constructor(private readonly options: WatermarkBoardOptions) {
    this.#pollIntervalMs = options.pollIntervalMs ?? 50
    this.#partitionsMax = options.partitionsMax ?? 100_000
  }

  /** The highest watermark heard of, -1 when none. */
  known(topicId: TopicId, partition: number): number {
    return this.#watermarks.get(partitionKey(topicId, partition)) ?? -1
  }

  advance(topicId: TopicId, partition: number, highWatermark: number): void {
    const key = partitionKey(topicId, partition)
    const known = this.#watermarks.get(key) ?? -1
    if (highWatermark <= known) return
    this.#watermarks.delete(key)
    this.#watermarks.set(key, highWatermark)
    this.#forgetOldest(this.#watermarks)
    for (const waiter of [...(this.#waiters.get(key) ?? [])]) {
      const seen = waiter.seen.find((mark) => mark.topicId === topicId && mark.partition === partition)
      if (seen !== undefined && highWatermark > seen.highWatermark) waiter.wake()
    }
  }

  /** The latest log start heard of, 0 when none. A long poll answers with it, not with what it saw when it began. */
  knownLogStart(topicId: TopicId, partition: number): number {
    return this.#logStarts.get(partitionKey(topicId, partition)) ?? 0
  }

  advanceLogStart(topicId: TopicId, partition: number, logStartOffset: number): void {
    const key = partitionKey(topicId, partition)
    if (logStartOffset <= (this.#logStarts.get(key) ?? 0)) return
    this.#logStarts.delete(key)
    this.#logStarts.set(key, logStartOffset)
    this.#forgetOldest(this.#logStarts)
  }

  /**
   * Waits until one of the partitions has a higher watermark than seen, or has gone from the catalog, or `waitMs` are over, or
   * `signal` aborts. Never rejects; the caller looks again.
   */
  wait(seen: readonly SeenWatermark[], waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted || waitMs <= 0) return Promise.resolve()
    if (seen.some((mark) => this.known(mark.topicId, mark.partition) > mark.highWatermark)) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        cancelDeadline()
        signal.removeEventListener('abort', wake)
        this.#remove(waiter)
        resolve()
      }
      const waiter: Waiter = { seen, wake }
      const cancelDeadline = this.options.clock.schedule(waitMs, wake)
      signal.addEventListener('abort', wake, { once: true })
      this.#add(waiter)
    })
  }

  /** Wakes everybody; nobody waits any more. */
  close(): void {
    this.#closed = true
    this.#cancelPoll?.()
    this.#cancelPoll = undefined
    for (const waiters of [...this.#waiters.values()]) for (const waiter of [...waiters]) waiter.wake()
  }

  #add(waiter: Waiter): void {
    for (const mark of waiter.seen) {
      const key = partitionKey(mark.topicId, mark.partition)
      const waiters = this.#waiters.get(key)
      if (waiters !== undefined) waiters.add(waiter)
      else {
        this.#waiters.set(key, new Set([waiter]))
        this.#refs.set(key, {
          topicId: mark.topicId,
          partition: mark.partition,
        })
      }
    }
    this.#schedulePoll(this.#pollIntervalMs)
  }

  #remove(waiter: Waiter): void {
    for (const mark of waiter.seen) {
      const key = partitionKey(mark.topicId, mark.partition)
      const waiters = this.#waiters.get(key)
      if (waiters?.delete(waiter) !== true || waiters.size > 0) continue
      this.#waiters.delete(key)
      this.#refs.delete(key)
    }
    if (this.#waiters.size > 0) return
    this.#cancelPoll?.()
    this.#cancelPoll = undefined
  }

  #schedulePoll(delayMs: number): void {
    if (this.#polling || this.#cancelPoll !== undefined || this.#closed || this.#waiters.size === 0) return
    this.#cancelPoll = this.options.clock.schedule(delayMs, () => {
      this.#cancelPoll = undefined
      void this.#poll()
    })
  }

  async #poll(): Promise<void> {
    const { catalog, clock, logger } = this.options
    const refs = [...this.#refs.values()]
    const startedMs = clock.monotonicMs()
    this.#polling = true
    try {
      const answers = await catalog.partitionOffsets(refs)
      for (const [index, ref] of refs.entries()) {
        const offsets = answers[index]
        if (offsets !== undefined) {
          this.advanceLogStart(ref.topicId, ref.partition, offsets.logStartOffset)
          this.advance(ref.topicId, ref.partition, offsets.highWatermark)
        } else this.#wakeAll(partitionKey(ref.topicId, ref.partition))
      }
    } catch (error) {
      // Waiters end at their own deadline and then see the catalog's error themselves.
      logger.warn({ error, partitions: refs.length }, 'Could not ask the catalog for high watermarks; asking again')
    } finally {
      this.#polling = false
      // A slow catalog is left alone for longer than it was busy with us.
      this.#schedulePoll(Math.max(this.#pollIntervalMs, 3 * (clock.monotonicMs() - startedMs)))
    }
  }

  #wakeAll(key: string): void {
    this.#watermarks.delete(key)
    this.#logStarts.delete(key)
    for (const waiter of [...(this.#waiters.get(key) ?? [])]) waiter.wake()
  }

  #forgetOldest(offsets: Map<string, number>): void {
    if (offsets.size <= this.#partitionsMax) return
    const oldest = offsets.keys().next()
    if (!oldest.done) offsets.delete(oldest.value)
  }
}
