import { isHeadraceError } from '../errors.js'
import type { SegmentId } from '../model.js'
import type { Clock, Random } from '../ports/clock.js'
import type { JobMetrics } from '../ports/job-metrics.js'
import type { SegmentInfo, SegmentSwap, SegmentTotal } from '../ports/jobs-catalog.js'
import { MergeInputError, type MergeOutput, type SegmentMerger } from '../ports/segment-merger.js'
import { newSegmentId, segmentObjectKey } from '../segment-identity.js'
import {
  type CompactionLimits,
  isFull,
  type MergePlan,
  outputExtents,
  planCompaction,
  planMerge,
  planRewrite,
} from './compaction-plan.js'
import type { Job } from './job-runner.js'
import { KEY_COMPACTED_LEVEL } from './key-compaction-plan.js'
import { type LeasedOptions, leased } from './leased.js'
import { swapUntilKnown } from './swap-until-known.js'
import { SWEEP_LEASE, SWEEP_NEEDED } from './sweep-job.js'

export interface CompactionJobOptions extends LeasedOptions {
  readonly clock: Clock
  readonly random: Random
  readonly merger: SegmentMerger
  readonly metrics: JobMetrics
  readonly intervalMs: number
  readonly limits: CompactionLimits
  readonly readBytesMax: number
  readonly commitAgeMaxMs: number
}

/** Rows of live segments per question. */
const PAGE_SEGMENTS = 1000
/** Merged segments whose live bytes are counted per pass. */
const REWRITE_SEGMENTS = 50
/** Passes between two looks. */
const REWRITE_INTERVALS = 6
/** An output extent's batches: rows stay few, and readers find their place by the segment's index. */
const EXTENT_BYTES_MAX = 8 * 1024 * 1024
/** Segments remembered as too full of batches to be merged. */
const DENSE_SEGMENTS_MAX = 10_000
/** How long an input that could not be read is left alone. */
const BAD_INPUT_REST_MS = 3_600_000
/** How long a level rests after a failure that is nobody's: each attempt reads its inputs. */
const FAILED_REST_MS = 60_000

/**
 * Compaction: per level and under a lease of its own, merges the oldest segments into one of the next level, as long as there are enough
 * of them; rewrites merged segments most of whose bytes are dead. A pass that dies anywhere leaves the old state or the new one, and an
 * object for the sweep.
 */
export class CompactionJob implements Job {
  readonly name = 'compaction'
  readonly intervalMs: number
  readonly #options: CompactionJobOptions
  /** Inputs that could not be read, and until when they are left alone. */
  readonly #bad = new Map<SegmentId, number>()
  /** Where the next look for dead bytes begins, per level. */
  readonly #rewriteAfter = new Map<number, SegmentId>()
  readonly #rewriteLookedAtMs = new Map<number, number>()
  /** Too many batches for a merge with any other: they stay in their level, as full ones do. */
  readonly #dense = new Set<SegmentId>()
  /** Levels that failed, and until when they rest. */
  readonly #resting = new Map<number, number>()

  constructor(options: CompactionJobOptions) {
    this.#options = options
    this.intervalMs = options.intervalMs
  }

  async run(signal: AbortSignal): Promise<boolean> {
    const { catalog, metrics } = this.#options
    const totals = await catalog.segmentTotals()
    metrics.segments(totals)
    let more = false
    for (const total of totals.filter(({ state, level }) => state === 'live' && level < KEY_COMPACTED_LEVEL)) {
      if (signal.aborted) return false
      if (await this.#compactLevel(total, signal)) more = true
    }
    return more
  }

  /** Answers whether something was merged. */
  async #compactLevel(total: SegmentTotal, signal: AbortSignal): Promise<boolean> {
    const { limits, clock } = this.#options
    if ((this.#resting.get(total.level) ?? 0) > clock.monotonicMs()) return false
    const worthMerging = total.segmentCount >= limits.fanIn || total.objectBytes >= limits.targetBytes
    if (!worthMerging && !this.#mayRewrite(total.level)) return false
    try {
      const merged = await leased(this.#options, `compaction-${total.level}`, signal, async (leaseSignal) => {
        const inputs = (worthMerging ? await this.#planLevel(total.level) : undefined) ?? []
        if (inputs.length > 0) return { result: await this.#merge(inputs, total.level + 1, leaseSignal) }
        const rewritten = this.#mayRewrite(total.level) ? await this.#planRewrite(total.level) : []
        return { result: rewritten.length > 0 && (await this.#merge(rewritten, total.level, leaseSignal)) }
      })
      return merged ?? false
    } catch (error) {
      this.#resting.set(total.level, clock.monotonicMs() + FAILED_REST_MS)
      throw error
    }
  }

  async #planLevel(level: number): Promise<readonly SegmentInfo[] | undefined> {
    const { catalog, limits } = this.#options
    const nowMs = await catalog.databaseTimeMs()
    // Those that are full stay in their level: they are passed over, page by page.
    let open: SegmentInfo[] = []
    for (let after: SegmentId | undefined; ; ) {
      const page = await catalog.liveSegments({
        level,
        limit: PAGE_SEGMENTS,
        ...(after === undefined ? {} : { after }),
      })
      open = open.concat(page.filter((segment) => this.#isOpen(segment)))
      const plan = planCompaction(open, limits, nowMs)
      if (plan !== undefined || page.length < PAGE_SEGMENTS) return plan
      after = page.at(-1)?.segmentId
    }
  }

  /** Now and then: dead bytes grow slowly, and an idle agent should ask little. */
  #mayRewrite(level: number): boolean {
    const lookedAtMs = this.#rewriteLookedAtMs.get(level) ?? Number.NEGATIVE_INFINITY
    const dueMs = lookedAtMs + REWRITE_INTERVALS * this.intervalMs
    return level > 0 && this.#options.clock.monotonicMs() >= dueMs
  }

  async #planRewrite(level: number): Promise<readonly SegmentInfo[]> {
    const { catalog, clock, limits } = this.#options
    this.#rewriteLookedAtMs.set(level, clock.monotonicMs())
    const after = this.#rewriteAfter.get(level)
    const request = { level, limit: REWRITE_SEGMENTS, ...(after === undefined ? {} : { after }) }
    const page = (await catalog.liveSegments(request)).filter((segment) => !this.#isBad(segment))
    const last = page.at(-1)
    if (last === undefined || page.length < REWRITE_SEGMENTS) this.#rewriteAfter.delete(level)
    else this.#rewriteAfter.set(level, last.segmentId)
    return planRewrite(page, await catalog.liveUseOf(page.map(({ segmentId }) => segmentId)), limits)
  }

  async #merge(segments: readonly SegmentInfo[], level: number, signal: AbortSignal): Promise<boolean> {
    const { catalog, limits, metrics, logger } = this.#options
    const rows = await catalog.extentsOfSegments(segments.map(({ segmentId }) => segmentId))
    const plan = planMerge(segments, rows, limits)
    const [first] = plan.inputs
    const isAlone = plan.inputs.length === 1 && segments.length > 1 && plan.extents.length > 0
    if (first !== undefined && isAlone && level > first.level) {
      // By itself it would only be moved up, level by level.
      this.#noteDense(first)
      return true
    }
    try {
      const { swap, output } = await this.#write(plan, level, signal)
      const outcome = await swapUntilKnown(catalog, swap, this.#options.commitAgeMaxMs)
      if (!outcome.swapped) {
        metrics.count('compactions_failed', 1)
        logger.info(
          { code: outcome.code, inputs: plan.inputs.length },
          'the catalog refused a compaction; planning anew',
        )
        return false
      }
      this.#report(plan, level, output)
      return true
    } catch (error) {
      if (signal.aborted) return false
      metrics.count('compactions_failed', 1)
      // An input has expired, and its grace was over before it was read: the next plan is without it.
      if (isHeadraceError(error, 'OBJECT_NOT_FOUND')) return false
      if (!(error instanceof MergeInputError)) throw error
      const bad = plan.objects[error.object]
      if (bad !== undefined) this.#bad.set(bad.segmentId, this.#options.clock.nowMs() + BAD_INPUT_REST_MS)
      logger.error(
        { err: error, objectKey: bad?.objectKey },
        'a segment cannot be compacted; "headrace verify" tells more',
      )
      return false
    }
  }

  async #write(
    plan: MergePlan,
    level: number,
    signal: AbortSignal,
  ): Promise<{ readonly swap: SegmentSwap; readonly output: MergeOutput | undefined }> {
    const { clock, random, merger, readBytesMax } = this.#options
    const inputs = plan.inputs.map(({ segmentId }) => segmentId)
    if (plan.extents.length === 0) return { swap: { inputs, output: undefined }, output: undefined }
    const createdAtMs = clock.nowMs()
    const segmentId = newSegmentId(createdAtMs, random)
    const objectKey = segmentObjectKey(segmentId)
    const { objects, extents } = plan
    const identity = { segmentId, objectKey, level, createdAtMs }
    const merge = { ...identity, objects, extents, readBytesMax, extentBytesMax: EXTENT_BYTES_MAX }
    // Should this agent die before the swap, nothing but the sweep knows of the object.
    await this.#options.catalog.noteLease(SWEEP_LEASE, SWEEP_NEEDED)
    const output = await merger.merge(merge, signal)
    const { objectBytes } = output
    const written = { segmentId, objectKey, objectBytes, level, extents: outputExtents(plan, output.extents) }
    return { swap: { inputs, output: written }, output }
  }

  #report(plan: MergePlan, level: number, output: MergeOutput | undefined): void {
    const { metrics, logger } = this.#options
    const inputBytes = plan.inputs.reduce((sum, { objectBytes }) => sum + objectBytes, 0)
    const outputBytes = output?.objectBytes ?? 0
    metrics.count('compactions', 1)
    metrics.count('compaction_read_bytes', output?.readBytes ?? 0)
    metrics.count('compaction_written_bytes', outputBytes)
    metrics.count('compaction_reclaimed_bytes', Math.max(0, inputBytes - outputBytes))
    metrics.count('compaction_gets', output?.getRequestCount ?? 0)
    metrics.count('compaction_puts', output?.putRequestCount ?? 0)
    logger.debug({ level, inputs: plan.inputs.length, inputBytes, outputBytes }, 'segments compacted')
  }

  #isOpen(segment: SegmentInfo): boolean {
    return !isFull(segment, this.#options.limits) && !this.#dense.has(segment.segmentId) && !this.#isBad(segment)
  }

  #noteDense({ segmentId }: SegmentInfo): void {
    // Most of them have gone by then; those that have not are found again.
    if (this.#dense.size >= DENSE_SEGMENTS_MAX) this.#dense.clear()
    this.#dense.add(segmentId)
  }

  #isBad({ segmentId }: SegmentInfo): boolean {
    const until = this.#bad.get(segmentId)
    if (until === undefined) return false
    if (until > this.#options.clock.nowMs()) return true
    this.#bad.delete(segmentId)
    return false
  }
}
