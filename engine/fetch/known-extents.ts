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

/** Where the read path learns which extents this agent's commits have made. */
export interface ExtentSink {
  /** Whether anybody has looked for extents lately; without readers there is no need to tell. */
  readonly isWanted: boolean
  /** Extents of one commit, those of a partition in order. */
  committed(extents: readonly Extent[]): void
}

/** Extents of a partition without a gap, and what else the catalog said then. */
interface KnownRun {
  readonly extents: Extent[]
  readonly logStartOffset: number
  /** Of the log, as far as this run knows. */
  highWatermark: number
  readonly askedAtMs: number
}

/**
 * Extents that the catalog has named, kept for a moment. Each answer reaches beyond what its fetch takes, so whoever reads a log in
 * order finds what comes next here, and the catalog is only asked where the log begins and ends now: a row per partition
 * instead of hundreds. What this agent commits is added at the end, so that who waits for it need not ask at all.
 *
 * Offsets of an extent never change, and the objects of extents that compaction or retention took away stay for their grace period. Where
 * that is set shorter than `ageMaxMs`, a read finds its object gone, `forget`s, and the catalog is asked.
 */
export class KnownExtents implements ExtentSink {
  /** By partition, the oldest first. */
  readonly #runs = new Map<string, KnownRun>()
  #size = 0
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(private readonly options: KnownExtentsOptions) {}

  get isWanted(): boolean {
    return this.options.clock.monotonicMs() - this.#lookedAtMs <= this.options.ageMaxMs
  }

  committed(extents: readonly Extent[]): void {
    for (const extent of extents) {
      const run = this.#freshRun(extent)
      // Not where the run ends before the log does, or another agent has committed in between.
      if (run === undefined || extent.baseOffset !== endOf(run)) continue
      run.extents.push(extent)
      run.highWatermark = extent.endOffset
      this.#size += 1
    }
    this.#shrink()
  }

  /**
   * As `find`, of a log that goes to `highWatermark` at least, without asking the catalog: for who has asked it once and knows by the board
   * that there is news. Undefined where they are not all known.
   */
  findNews(request: ExtentRequest, highWatermark: number): ExtentAnswer | undefined {
    const run = this.#freshRun(request)
    if (run === undefined || run.highWatermark < highWatermark || endOf(run) !== run.highWatermark) return undefined
    const extents = extentsFrom(run.extents, request)
    if (extents.length === 0) return undefined
    return { extents, logStartOffset: run.logStartOffset, highWatermark: run.highWatermark }
  }

  /** As `Catalog.findExtents`; extents may be fewer than asked for, but enough to go on with. */
  async find(lookups: readonly ExtentLookup[]): Promise<(ExtentAnswer | undefined)[]> {
    this.#lookedAtMs = this.options.clock.monotonicMs()
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
      if (answer === undefined || (answer.extents.length === 0 && lookup.offset !== answer.highWatermark)) continue
      const { logStartOffset, highWatermark } = answer
      this.#keep(lookup, { extents: [...answer.extents], logStartOffset, highWatermark, askedAtMs })
    }
    return answers
  }

  /** What was known proved wrong. */
  forget({ topicId, partition }: PartitionRef): void {
    this.#remove(partitionKey(topicId, partition))
  }

  #freshRun({ topicId, partition }: PartitionRef): KnownRun | undefined {
    const run = this.#runs.get(partitionKey(topicId, partition))
    if (run === undefined || this.options.clock.monotonicMs() - run.askedAtMs > this.options.ageMaxMs) return undefined
    return run
  }

  #known(lookup: ExtentLookup): readonly Extent[] | undefined {
    const run = this.#freshRun(lookup)
    if (run === undefined) return undefined
    const extents = extentsFrom(run.extents, lookup)
    if (extents.length === 0) return undefined
    const isAllThereWas = extents.at(-1)?.endOffset === run.highWatermark
    return isAllThereWas || isEnough(extents, lookup) ? extents : undefined
  }

  #keep(partition: PartitionRef, run: KnownRun): void {
    this.#runs.set(partitionKey(partition.topicId, partition.partition), run)
    this.#size += sizeOf(run)
    this.#shrink()
  }

  #remove(key: string): void {
    const run = this.#runs.get(key)
    if (run === undefined) return
    this.#size -= sizeOf(run)
    this.#runs.delete(key)
  }

  #shrink(): void {
    for (const key of this.#runs.keys()) {
      if (this.#size <= this.options.extentCountMax) return
      this.#remove(key)
    }
  }
}

function endOf({ extents, highWatermark }: KnownRun): number {
  return extents.at(-1)?.endOffset ?? highWatermark
}

/** In extents; one that is empty takes memory, too. */
function sizeOf(run: KnownRun): number {
  return 1 + run.extents.length
}

/** From the one that contains `offset` on, as many as are asked for; none when it is not among them. */
function extentsFrom(extents: readonly Extent[], { offset, extentCountMax }: ExtentRequest): readonly Extent[] {
  const first = extents[0]
  if (first === undefined || offset < first.baseOffset) return []
  const passed = partitionPoint(extents, ({ endOffset }) => endOffset <= offset)
  return extents.slice(passed, passed + extentCountMax)
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
