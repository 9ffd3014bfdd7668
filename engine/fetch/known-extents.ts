import { type PartitionRef, partitionKey } from '../model.js'
import type { Catalog, Extent, ExtentAnswer, ExtentRequest, PartitionOffsets } from '../ports/catalog.js'
import type { Clock } from '../ports/clock.js'
import { partitionPoint } from './partition-point.js'

/** An `ExtentRequest` of a fetch, and how much of its `bytesMax` it means to read now. */
export interface ExtentLookup extends ExtentRequest {
  readonly bytesWanted: number
}

export interface KnownExtentsOptions {
  readonly catalog: Pick<Catalog, 'findExtents' | 'partitionOffsets'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** How long extents are believed to be where the catalog said. */
  readonly ageMaxMs: number
  /** Extents kept, over all partitions. */
  readonly extentCountMax: number
}

interface KnownRun {
  readonly answer: ExtentAnswer
  readonly askedAtMs: number
}

/**
 * Extents that the catalog has named, kept for a moment. Each answer reaches beyond what its fetch takes, so whoever reads a log in
 * order finds what comes next here, and the catalog is only asked where the log begins and ends now: a row per partition
 * instead of hundreds.
 *
 * Offsets of an extent never change, and the objects of extents that compaction or retention took away stay for their grace period. Where
 * that is set shorter than `ageMaxMs`, a read finds its object gone, `forget`s, and the catalog is asked.
 */
export class KnownExtents {
  /** By partition, the oldest first. */
  readonly #runs = new Map<string, KnownRun>()
  #extentCount = 0

  constructor(private readonly options: KnownExtentsOptions) {}

  /** As `Catalog.findExtents`; extents may be fewer than asked for, but enough to go on with. */
  async find(lookups: readonly ExtentLookup[]): Promise<(ExtentAnswer | undefined)[]> {
    const known = lookups.map((lookup) => this.#known(lookup))
    const [offsets, found] = await Promise.all([
      this.#offsetsOf(lookups.filter((_, place) => known[place] !== undefined)),
      this.#ask(lookups.filter((_, place) => known[place] === undefined)),
    ])
    const [ofKnown, ofFound] = [offsets.values(), found.values()]
    return known.map((extents) => {
      if (extents === undefined) return ofFound.next().value
      const current = ofKnown.next().value
      return current && { ...current, extents }
    })
  }

  #offsetsOf(lookups: readonly ExtentLookup[]): Promise<(PartitionOffsets | undefined)[]> {
    return lookups.length === 0 ? Promise.resolve([]) : this.options.catalog.partitionOffsets(lookups)
  }

  async #ask(lookups: readonly ExtentLookup[]): Promise<(ExtentAnswer | undefined)[]> {
    if (lookups.length === 0) return []
    const askedAtMs = this.options.clock.monotonicMs()
    const answers = await this.options.catalog.findExtents(lookups)
    for (const [number, lookup] of lookups.entries()) {
      const answer = answers[number]
      this.forget(lookup)
      if (answer !== undefined && answer.extents.length > 1) this.#keep(lookup, { answer, askedAtMs })
    }
    return answers
  }

  /** What was known proved wrong. */
  forget({ topicId, partition }: PartitionRef): void {
    const key = partitionKey(topicId, partition)
    this.#extentCount -= this.#runs.get(key)?.answer.extents.length ?? 0
    this.#runs.delete(key)
  }

  #known(lookup: ExtentLookup): readonly Extent[] | undefined {
    const run = this.#runs.get(partitionKey(lookup.topicId, lookup.partition))
    if (run === undefined || this.options.clock.monotonicMs() - run.askedAtMs > this.options.ageMaxMs) return undefined
    const extents = extentsFrom(run.answer.extents, lookup.offset)
    if (extents.length === 0) return undefined
    const isAllThereWas = extents.at(-1)?.endOffset === run.answer.highWatermark
    return isAllThereWas || isEnough(extents, lookup) ? extents : undefined
  }

  #keep(partition: PartitionRef, run: KnownRun): void {
    this.#runs.set(partitionKey(partition.topicId, partition.partition), run)
    this.#extentCount += run.answer.extents.length
    for (const [key, { answer }] of this.#runs) {
      if (this.#extentCount <= this.options.extentCountMax) return
      this.#extentCount -= answer.extents.length
      this.#runs.delete(key)
    }
  }
}

/** From the one that contains `offset` on; none when it is not among them. */
function extentsFrom(extents: readonly Extent[], offset: number): readonly Extent[] {
  const first = extents[0]
  if (first === undefined || offset < first.baseOffset) return []
  const passed = partitionPoint(extents, ({ endOffset }) => endOffset <= offset)
  return passed === 0 ? extents : extents.slice(passed)
}

/** All that is to be read now, and half of what a new answer would say of what follows. */
function isEnough(extents: readonly Extent[], { bytesWanted, bytesMax, extentCountMax }: ExtentLookup): boolean {
  if (extents.length * 2 >= extentCountMax) return true
  const bytesEnough = Math.max(bytesWanted, bytesMax / 2)
  let bytes = 0
  for (const extent of extents) {
    bytes += extent.bytes
    if (bytes >= bytesEnough) return true
  }
  return false
}
