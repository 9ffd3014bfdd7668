import type { FetchRequest, FetchResult } from '../broker.js'
import type { Extent, ExtentAnswer } from '../ports/catalog.js'
import type { Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import type { AnswerMemory, AnswerShare } from './answer-memory.js'
import type { ByteGate } from './byte-gate.js'
import type { ChunkHolds } from './chunk-holds.js'
import type { LoadedRun } from './extent-decoder.js'
import type { ExtentReader } from './extent-reader.js'
import type { FetchLimits } from './fetch-limits.js'
import { type FetchBudget, mayHaveMoved, PartitionProgress, readFailure } from './fetch-progress.js'
import type { ExtentLookup, KnownExtents } from './known-extents.js'
import { chunksAhead, type PlannedRead, planRound, readBytesBound } from './round-plan.js'
import type { WatermarkBoard } from './watermarks.js'

export interface FetchRunOptions {
  readonly extents: KnownExtents
  readonly reader: ExtentReader
  readonly board: WatermarkBoard
  readonly holds: ChunkHolds
  /** Bytes being read by all fetches near the end of the log, and by those far behind. */
  readonly gates: { readonly near: ByteGate; readonly lagging: ByteGate }
  /** What their answers take until they have left. */
  readonly answers: { readonly near: AnswerMemory; readonly lagging: AnswerMemory }
  /** Waits until a read of many bytes may have the thread; answers of the catalog may come hundreds at a time. */
  readonly turn: () => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: FetchLimits
}

/** How much larger batches may become than they are stored; where they become larger still the answer holds fewer. */
const INFLATION_GUESS = 4
/** Reads of less are not worth a turn of the event loop. */
const LARGE_READ_BYTES = 256 * 1024

function isLarge(answers: readonly (ExtentAnswer | undefined)[]): boolean {
  let bytes = 0
  for (const answer of answers) {
    for (const extent of answer?.extents ?? []) {
      bytes += extent.bytes
      if (bytes >= LARGE_READ_BYTES) return true
    }
  }
  return false
}

type Loaded = { readonly ok: true; readonly run: LoadedRun } | { readonly ok: false; readonly error: unknown }

/** One fetch from its request to its results: rounds of asking the catalog, reading and taking, with waits between them. */
export class FetchRun {
  readonly #partitions: readonly PartitionProgress[]
  readonly #budget: FetchBudget
  readonly #shares: AnswerShare[] = []
  readonly #bytesMin: number
  readonly #bytesMax: number
  /** There was no memory to go on with. */
  #isCutShort = false

  constructor(
    private readonly options: FetchRunOptions,
    private readonly request: FetchRequest,
    /** Ends the fetch: the client has gone, or the agent closes. */
    private readonly signal: AbortSignal,
  ) {
    this.#partitions = request.partitions.map((partition) => new PartitionProgress(partition))
    this.#bytesMax = Math.min(request.bytesMax, options.limits.responseBytesMax)
    this.#bytesMin = Math.min(request.bytesMin, options.limits.bytesMinMax, this.#bytesMax)
    this.#budget = { bytesLeft: this.#bytesMax, empty: true }
  }

  get bytes(): number {
    return this.#bytesMax - this.#budget.bytesLeft
  }

  /** The answer has left, or nobody wants it. */
  release(): void {
    for (const share of this.#shares) share.release()
  }

  async run(): Promise<readonly FetchResult[]> {
    const { clock, board } = this.options
    const deadlineMs = clock.monotonicMs() + this.request.waitMaxMs
    let targets = this.#open()
    let isWoken = false
    for (;;) {
      const progressed = await this.#round(targets, isWoken)
      if (this.#done()) break
      targets = this.#open().filter((partition) => partition.behind)
      if (progressed && targets.length > 0) continue
      const waitMs = deadlineMs - clock.monotonicMs()
      const seen = this.#open().map((open) => ({ ...open.partition, highWatermark: open.seenWatermark }))
      await board.wait(seen, waitMs, this.signal)
      if (this.signal.aborted) break
      const news = this.#open().filter((target) => this.#hasNews(target))
      if (news.length === 0 && clock.monotonicMs() >= deadlineMs) break
      // Woken without news: a partition has gone, only the catalog knows which.
      targets = news.length > 0 ? news : this.#open()
      isWoken = news.length > 0
    }
    const passedOver = this.#partitions.filter((progress) => progress.passedOver)
    this.options.holds.answered(this.request.turns, clock.monotonicMs())
    this.request.turns.answered(passedOver.map(({ partition }) => partition))
    return this.#partitions.map((progress) => {
      const { topicId, partition } = progress.partition
      return progress.result(board.knownLogStart(topicId, partition))
    })
  }

  #open(): PartitionProgress[] {
    return this.#partitions.filter((partition) => partition.open)
  }

  #hasNews(progress: PartitionProgress): boolean {
    const { topicId, partition } = progress.partition
    return this.options.board.known(topicId, partition) > progress.seenWatermark
  }

  #done(): boolean {
    if (this.#isCutShort || this.signal.aborted || this.bytes >= this.#bytesMin || this.#budget.bytesLeft <= 0)
      return true
    return this.#partitions.some((partition) => partition.failed) || this.#open().length === 0
  }

  /** Answers whether it got on: added bytes, or has reason to look again at once. */
  async #round(targets: readonly PartitionProgress[], isWoken: boolean): Promise<boolean> {
    const { board, holds, limits, reader } = this.options
    const answers = await this.#extentsFor(targets, isWoken)
    if (answers === undefined || this.signal.aborted) return false
    if (isLarge(answers)) await this.options.turn()
    const extentsOf: (readonly Extent[])[] = []
    const reads = planRound(
      targets.map((target, number) => {
        const { topicId, partition } = target.partition
        const extents = target.observe(answers[number], board.known(topicId, partition))
        extentsOf.push(extents)
        const dueCount = this.request.turns.dueCount(target.partition)
        return { nextOffset: target.nextOffset, bytesLeft: target.bytesLeft, dueCount, extents }
      }),
      {
        bytesLeft: this.#budget.bytesLeft,
        segmentsMax: limits.segmentsPerRoundMax,
        loadBytesLeft: limits.loadBytesPerRoundMax,
        openChunksMax: limits.openChunksMax,
        isDueForced: this.request.turns.isDueForced,
        lookaheadBytes: limits.lookaheadBytes,
      },
      reader,
      holds.besides(
        this.request.turns,
        targets.map(({ partition }) => partition),
      ),
    )
    if (reads.length === 0) {
      this.#move(targets, extentsOf)
      return false
    }
    const progressed = await this.#readWithin(targets, reads)
    this.#move(targets, extentsOf)
    return progressed
  }

  /** Within the memory of answers and of reads. */
  async #readWithin(targets: readonly PartitionProgress[], reads: readonly PlannedRead[]): Promise<boolean> {
    const { answers, gates, limits, reader } = this.options
    const pool = reads.some((read) => reader.isLagging(read.extent)) ? 'lagging' : 'near'
    const readBytes = reads.reduce((sum, read) => sum + readBytesBound(read, limits.wholeExtentBytesMax), 0)
    const share = await this.#shareOf(answers[pool], readBytes * INFLATION_GUESS)
    if (share === undefined) return false
    const release = await gates[pool].acquire(readBytes, this.signal).catch(() => undefined)
    if (release === undefined) return false
    const budget = { bytesLeft: Math.min(this.#budget.bytesLeft, share.bytes), empty: this.#budget.empty }
    const budgetBytes = budget.bytesLeft
    try {
      reader.prepare(reads)
      return await this.#read(targets, reads, budget, share)
    } finally {
      this.#budget.bytesLeft -= budgetBytes - budget.bytesLeft
      this.#budget.empty = budget.empty
      share.settle()
      release()
    }
  }

  /** Waits only where there is nothing yet to answer with: who held memory and waited for more could wait for ever. */
  async #shareOf(memory: AnswerMemory, bytesMax: number): Promise<AnswerShare | undefined> {
    const bytes = Math.min(this.#budget.bytesLeft, bytesMax)
    const share = this.#budget.empty
      ? await memory.acquire(bytes, this.signal).catch(() => undefined)
      : memory.tryAcquire(bytes)
    if (share === undefined) this.#isCutShort = true
    else this.#shares.push(share)
    return share
  }

  /** Where the consumer stands now, for the plans of its next fetches and of others. */
  #move(targets: readonly PartitionProgress[], extentsOf: readonly (readonly Extent[])[]): void {
    const { holds, reader, clock } = this.options
    const countMax = holds.chunksPerPartition(targets.length)
    for (const [number, target] of targets.entries()) {
      const ahead = chunksAhead(extentsOf[number] ?? [], target.nextOffset, countMax, reader)
      holds.move(this.request.turns, target.partition, ahead, this.request.signal, clock.monotonicMs())
    }
  }

  /** Who has been woken by news has asked the catalog before, and where the news are this agent's own need not ask it again. */
  async #extentsFor(
    targets: readonly PartitionProgress[],
    isWoken: boolean,
  ): Promise<(ExtentAnswer | undefined)[] | undefined> {
    const { board, extents } = this.options
    const lookups = this.#lookups(targets)
    if (lookups.length === 0) return undefined
    if (isWoken) {
      const news = lookups.map((lookup) => extents.findNews(lookup, board.known(lookup.topicId, lookup.partition)))
      if (news.every((answer) => answer !== undefined)) return news
    }
    try {
      return await extents.find(lookups)
    } catch (error) {
      for (const target of targets) target.fail(readFailure(error))
      return undefined
    }
  }

  #lookups(targets: readonly PartitionProgress[]): ExtentLookup[] {
    const { limits } = this.options
    const extentCountMax = Math.max(1, Math.floor(limits.extentsPerRoundMax / targets.length))
    return targets.map((target) => {
      const { topicId, partition } = target.partition
      const bytesWanted = Math.max(1, Math.min(target.bytesLeft, this.#budget.bytesLeft))
      const bytesMax = bytesWanted + limits.lookaheadBytes
      return { topicId, partition, offset: target.nextOffset, bytesWanted, bytesMax, extentCountMax }
    })
  }

  /** Loads side by side, takes in the planned order. */
  async #read(
    targets: readonly PartitionProgress[],
    reads: readonly PlannedRead[],
    budget: FetchBudget,
    share: AnswerShare,
  ): Promise<boolean> {
    const loads = await Promise.all(reads.map((read) => this.#load(read)))
    if (this.signal.aborted) return false
    let progressed = false
    const stopped = new Set<PartitionProgress>()
    for (const [number, read] of reads.entries()) {
      const target = targets[read.partition]
      const loaded = loads[number]
      // After a failed or a full extent the later ones of the same partition would leave a gap.
      if (target === undefined || loaded === undefined || !target.open || stopped.has(target)) continue
      try {
        if (!loaded.ok) throw loaded.error
        if (target.take(loaded.run, budget, share) > 0) progressed = true
        if (target.nextOffset < read.extent.endOffset) stopped.add(target)
      } catch (error) {
        stopped.add(target)
        if (this.#tryAgain(target, read.extent, error)) progressed = true
      }
    }
    return progressed
  }

  #load(read: PlannedRead): Promise<Loaded> {
    return this.options.reader.load(read.extent, read.fromOffset, read.bytesMax, this.signal).then(
      (run) => ({ ok: true, run }),
      (error) => ({ ok: false, error }),
    )
  }

  /** The catalog may have moved the data meanwhile; asks it again, a bounded number of times. */
  #tryAgain(target: PartitionProgress, extent: Extent, error: unknown): boolean {
    const { extents, logger, limits, reader } = this.options
    const failure = readFailure(error)
    extents.forget(target.partition)
    if (mayHaveMoved(error)) {
      reader.forget(extent)
      target.attempts += 1
      if (target.attempts < limits.attemptsMax) return true
      logger.error({ error, objectKey: extent.objectKey }, 'an extent cannot be read although the catalog names it')
    }
    target.fail(failure)
    return false
  }
}
