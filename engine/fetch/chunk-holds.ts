import { type PartitionRef, partitionKey } from '../model.js'

/** What is held, as the plan of one fetch sees it: without the partitions that it is made for. */
export interface HeldChunks {
  isHeld(chunkKey: string): boolean
}

export interface ChunkHoldsLimits {
  /**
   * Chunks that one partition of a consumer holds. Who is further ahead of another than that does not wait for it any more: there is nothing
   * to be saved.
   */
  readonly perPartitionMax: number
  /** Chunks that one consumer holds, each counted once for each of its partitions; and that all consumers hold. */
  readonly perConsumerMax: number
  readonly holdsMax: number
  /** A consumer that has not fetched for so long holds nothing. */
  readonly idleMs: number
}

interface Hold {
  readonly chunkKey: string
  /** Places that hold it. */
  count: number
}

/** Where a consumer stands in a partition: the chunks it will read next, in this order. */
interface Place {
  readonly holds: readonly Hold[]
  /** Which answer to the consumer moved it there. */
  readonly answerNumber: number
}

interface Consumer {
  readonly places: Map<string, Place>
  /** Aborted when the connection has gone. */
  readonly signal: AbortSignal
  answerCount: number
  answeredMs: number
}

const SWEEP_INTERVAL_MS = 1_000

/** A place that was not moved by this many answers, and by twice as many as there are places, is taken for abandoned. */
const ABANDONED_AFTER = 8

/**
 * The chunks that consumers will come back to: for each partition that one of them reads, the next ones after what it was given
 * last. One fetch does not show them. A consumer may leave partitions out of a fetch as long as it has records of them (the Java
 * client does), and the members of a group share segments without sharing partitions. Evicting what somebody holds means loading it again.
 *
 * An economy only, and bounded: what is wrong or missing here costs loads, never records.
 */
export class ChunkHolds {
  readonly #holds = new Map<string, Hold>()
  readonly #consumers = new Map<object, Consumer>()
  #holdCount = 0
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(private readonly limits: ChunkHoldsLimits) {}

  /** Chunks held, each counted as often as it is. */
  get holdCount(): number {
    return this.#holdCount
  }

  get consumerCount(): number {
    return this.#consumers.size
  }

  /** What is held besides the places of this consumer in these partitions. `consumer` is any object that stands for one. */
  besides(consumer: object, partitions: readonly PartitionRef[]): HeldChunks {
    const places = this.#consumers.get(consumer)?.places
    if (places === undefined) return { isHeld: (chunkKey) => this.#holds.has(chunkKey) }
    const own = new Map<Hold, number>()
    for (const { topicId, partition } of partitions) {
      const holds = places.get(partitionKey(topicId, partition))?.holds ?? []
      for (const hold of holds) own.set(hold, (own.get(hold) ?? 0) + 1)
    }
    return {
      isHeld: (chunkKey) => {
        const hold = this.#holds.get(chunkKey)
        return hold !== undefined && hold.count > (own.get(hold) ?? 0)
      },
    }
  }

  /** How many chunks are worth naming for each of so many partitions of a fetch. */
  chunksPerPartition(partitionCount: number): number {
    const { perPartitionMax, perConsumerMax } = this.limits
    return Math.max(1, Math.min(perPartitionMax, Math.floor(perConsumerMax / Math.max(1, partitionCount))))
  }

  /** The consumer has come to a new place in the partition, from where it will read these chunks; none: it holds nothing there. */
  move(consumer: object, at: PartitionRef, chunkKeys: Iterable<string>, signal: AbortSignal, nowMs: number): void {
    const known = this.#consumers.get(consumer)
    const holds: Hold[] = []
    for (const chunkKey of chunkKeys) {
      if (this.#holdCount >= this.limits.holdsMax) break
      holds.push(this.#hold(chunkKey))
    }
    if (holds.length === 0 && known === undefined) return
    const key = partitionKey(at.topicId, at.partition)
    this.#release(known?.places.get(key))
    known?.places.delete(key)
    if (holds.length === 0) return
    const { places, answerCount } = known ?? this.#add(consumer, signal, nowMs)
    places.set(key, { holds, answerNumber: answerCount })
  }

  /** An answer leaves for the consumer. */
  answered(consumer: object, nowMs: number): void {
    const known = this.#consumers.get(consumer)
    if (known !== undefined) {
      known.answerCount += 1
      known.answeredMs = nowMs
      this.#dropAbandoned(known)
      if (known.places.size === 0) this.#consumers.delete(consumer)
    }
    if (nowMs - this.#sweptMs >= SWEEP_INTERVAL_MS) this.#sweep(nowMs)
  }

  /**
   * Which of the chunks, least recently used first, is missed least: the first that nobody holds; else the one that all who hold it
   * have the most before. Undefined where there are none.
   */
  leastMissed(chunkKeys: Iterable<string>): string | undefined {
    const held: string[] = []
    for (const chunkKey of chunkKeys) {
      if (!this.#holds.has(chunkKey)) return chunkKey
      held.push(chunkKey)
    }
    const distances = this.#distances()
    const distanceOf = (chunkKey: string) => distances.get(chunkKey) ?? Number.POSITIVE_INFINITY
    return held.reduce<string | undefined>((least, chunkKey) => {
      // Later segments have greater keys, as long as compaction has not been there.
      if (least === undefined || distanceOf(chunkKey) > distanceOf(least)) return chunkKey
      return distanceOf(chunkKey) === distanceOf(least) && chunkKey > least ? chunkKey : least
    }, undefined)
  }

  /** Of each held chunk, how many chunks come before it for the partition that is nearest to it. */
  #distances(): Map<string, number> {
    const distances = new Map<string, number>()
    for (const { places } of this.#consumers.values()) {
      for (const { holds } of places.values()) {
        for (const [distance, { chunkKey }] of holds.entries()) {
          if (distance < (distances.get(chunkKey) ?? Number.POSITIVE_INFINITY)) distances.set(chunkKey, distance)
        }
      }
    }
    return distances
  }

  #add(consumer: object, signal: AbortSignal, nowMs: number): Consumer {
    const added: Consumer = { places: new Map(), signal, answerCount: 0, answeredMs: nowMs }
    this.#consumers.set(consumer, added)
    return added
  }

  /** A partition that went to another member, or is paused, is not asked for any more, and nothing else says so. */
  #dropAbandoned({ places, answerCount }: Consumer): void {
    const oldest = answerCount - Math.max(ABANDONED_AFTER, 2 * places.size)
    for (const [key, place] of places) {
      if (place.answerNumber >= oldest) continue
      this.#release(place)
      places.delete(key)
    }
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs
    for (const [consumer, { places, signal, answeredMs }] of this.#consumers) {
      if (!signal.aborted && nowMs - answeredMs < this.limits.idleMs) continue
      for (const place of places.values()) this.#release(place)
      this.#consumers.delete(consumer)
    }
  }

  #hold(chunkKey: string): Hold {
    const hold = this.#holds.get(chunkKey) ?? { chunkKey, count: 0 }
    if (hold.count === 0) this.#holds.set(chunkKey, hold)
    hold.count += 1
    this.#holdCount += 1
    return hold
  }

  #release(place: Place | undefined): void {
    for (const hold of place?.holds ?? []) {
      hold.count -= 1
      this.#holdCount -= 1
      if (hold.count === 0) this.#holds.delete(hold.chunkKey)
    }
  }
}
