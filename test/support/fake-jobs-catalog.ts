import type { CommitDecision } from '../../engine/commit/commit-decisions.js'
import { HeadraceError } from '../../engine/errors.js'
import { type PartitionRef, partitionKey, type SegmentId, type TopicId } from '../../engine/model.js'
import type { CommitSegment, Extent, SegmentOutcome } from '../../engine/ports/catalog.js'
import type { Clock } from '../../engine/ports/clock.js'
import {
  type ExtentRef,
  type JobsCatalog,
  type Lease,
  type LeaseRest,
  type LiveSegmentsRequest,
  type LiveUse,
  type LogHead,
  NOTHING_REMOVED,
  type OldestExtentsRequest,
  type Removal,
  type SegmentExtent,
  type SegmentInfo,
  type SegmentState,
  type SegmentSwap,
  type SegmentTotal,
  type SwapOutcome,
} from '../../engine/ports/jobs-catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { FakeLogs } from './fake-logs.js'

interface FakeSegment extends SegmentInfo {
  state: SegmentState
  deadAtMs: number
}

interface FakeLease {
  holder: string | null
  token: number
  expiresAtMs: number
  restsUntilMs: number
  note: string
}

/** What background jobs ask of the fake catalog. */
export abstract class FakeJobsCatalog implements JobsCatalog {
  readonly logs = new FakeLogs()
  readonly #outcomes = new Map<SegmentId, SegmentOutcome>()
  readonly #segments = new Map<SegmentId, FakeSegment>()
  readonly #leases = new Map<string, FakeLease>()
  /** Extents of deleted topics. */
  readonly #deleted = new Map<TopicId, Extent[]>()

  constructor(protected readonly clock: Pick<Clock, 'nowMs'>) {}

  protected abstract checkOpen(): void

  isCommitted({ segmentId }: CommitSegment): boolean {
    return this.#outcomes.has(segmentId)
  }

  /** What a commit answers once it is over: segments without an outcome were too old to have one. */
  outcomesOf(segments: readonly CommitSegment[]): SegmentOutcome[] {
    return segments.map(
      ({ segmentId }) => this.#outcomes.get(segmentId) ?? { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' },
    )
  }

  /** All that a commit writes but producers. */
  writeCommit(segments: readonly CommitSegment[], decision: CommitDecision): void {
    for (const [number, { segmentId, objectKey, objectBytes }] of segments.entries()) {
      const decided = decision.segments[number]
      if (decided === undefined) throw new Error('a segment was not decided')
      this.#outcomes.set(segmentId, { segmentId, committed: true, batches: decided.batches })
      this.addSegment({ segmentId, objectKey, objectBytes, level: 0 }, decided.extents.length)
    }
    this.logs.write(segments, decision)
  }

  protected noteTopicDeleted(topicId: TopicId, extents: Extent[]): void {
    this.#deleted.set(topicId, extents)
  }

  async databaseTimeMs(): Promise<number> {
    this.checkOpen()
    return this.clock.nowMs()
  }

  // ---- leases

  async acquireLease(name: string, holder: string, durationMs: number): Promise<Lease | undefined> {
    this.checkOpen()
    const nowMs = this.clock.nowMs()
    const lease = this.#leases.get(name) ?? { holder: null, token: 0, expiresAtMs: 0, restsUntilMs: 0, note: '' }
    this.#leases.set(name, lease)
    const held = lease.holder !== null && lease.expiresAtMs > nowMs
    const own = held && lease.holder === holder
    if (!own && (held || lease.restsUntilMs > nowMs)) return undefined
    if (!own) lease.token += 1
    Object.assign(lease, { holder, expiresAtMs: nowMs + durationMs })
    return { name, holder, token: lease.token, note: lease.note }
  }

  async renewLease({ name, holder, token }: Lease, durationMs: number): Promise<boolean> {
    this.checkOpen()
    const lease = this.#leases.get(name)
    if (lease?.holder !== holder || lease.token !== token) return false
    lease.expiresAtMs = this.clock.nowMs() + durationMs
    return true
  }

  async releaseLease({ name, holder, token }: Lease, rest: LeaseRest = { restMs: 0 }): Promise<void> {
    this.checkOpen()
    const lease = this.#leases.get(name)
    if (lease?.holder !== holder || lease.token !== token) return
    const restsUntilMs = this.clock.nowMs() + rest.restMs
    Object.assign(lease, { holder: null, expiresAtMs: 0, restsUntilMs, note: rest.note ?? lease.note })
  }

  async noteLease(name: string, note: string): Promise<void> {
    this.checkOpen()
    const lease = this.#leases.get(name) ?? { holder: null, token: 0, expiresAtMs: 0, restsUntilMs: 0, note }
    this.#leases.set(name, lease)
    lease.note = note
  }

  // ---- retention

  async oldestExtents(requests: readonly OldestExtentsRequest[]): Promise<(LogHead | undefined)[]> {
    this.checkOpen()
    return requests.map((request) => {
      const log = this.logs.find(request)
      if (log === undefined) return undefined
      const { logStartOffset, highWatermark, extents } = log
      return { logStartOffset, highWatermark, extents: extents.slice(0, request.extentCountMax) }
    })
  }

  async removeExtents(extents: readonly ExtentRef[]): Promise<Removal> {
    this.checkOpen()
    const going = new Set(extents.map(extentKey))
    return this.drop((extent) => going.has(extentKey(extent)) && !this.#isWanted(extent))
  }

  async deletedTopics(limit: number): Promise<TopicId[]> {
    this.checkOpen()
    return [...this.#deleted.keys()].slice(0, limit)
  }

  async clearDeletedTopic(topicId: TopicId, extentCountMax: number): Promise<Removal & { readonly done: boolean }> {
    this.checkOpen()
    if (this.logs.find({ topicId, partition: 0 }) !== undefined) {
      throw new HeadraceError('TOPIC_EXISTS', 'never', `topic ${topicId} is not deleted`)
    }
    const chosen = new Set((this.#deleted.get(topicId) ?? []).slice(0, extentCountMax))
    if (chosen.size > 0) return { ...this.drop((extent) => chosen.has(extent)), done: false }
    this.#deleted.delete(topicId)
    return { ...NOTHING_REMOVED, done: true }
  }

  // ---- compaction

  async liveSegments({ level, limit, after = '' }: LiveSegmentsRequest): Promise<SegmentInfo[]> {
    this.checkOpen()
    return this.#inState('live', (segment) => segment.level === level && segment.segmentId > after).slice(0, limit)
  }

  async extentsOfSegments(segmentIds: readonly SegmentId[]): Promise<SegmentExtent[]> {
    this.checkOpen()
    const extents = this.#allExtents().filter((extent) => segmentIds.includes(extent.segmentId))
    return extents.map((extent) => ({ ...extent, wanted: this.#isWanted(extent) }))
  }

  async swapSegments(swap: SegmentSwap, limits: { readonly commitAgeMaxMs: number }): Promise<SwapOutcome> {
    this.checkOpen()
    const { inputs, output } = swap
    if (output && this.#segments.has(output.segmentId)) return { swapped: true }
    if (output && this.clock.nowMs() - segmentTimeMs(output.segmentId) > limits.commitAgeMaxMs) {
      return { swapped: false, code: 'SEGMENT_TOO_OLD' }
    }
    const present = this.#allExtents().filter((extent) => inputs.includes(extent.segmentId))
    const presentKeys = new Set(present.map(extentKey))
    const outputs = output?.extents ?? []
    const replaced = outputs.flatMap((extent) => extent.replaces)
    const missing = replaced.some((ref) => this.#isWanted(ref) && !presentKeys.has(extentKey(ref)))
    const covered = new Set(replaced.map(extentKey))
    const forgotten = present.some((extent) => this.#isWanted(extent) && !covered.has(extentKey(extent)))
    if (missing || (forgotten && swap.partial !== true)) return { swapped: false, code: 'INPUTS_CHANGED' }
    const kept = outputs.filter((extent) => extent.replaces.some((ref) => this.#isWanted(ref)))
    this.drop((extent) => (swap.partial === true ? covered.has(extentKey(extent)) : inputs.includes(extent.segmentId)))
    if (output === undefined) return { swapped: true }
    const { segmentId, objectKey, objectBytes, level } = output
    this.addSegment({ segmentId, objectKey, objectBytes, level }, kept.length)
    for (const { replaces: _, ...extent } of kept) {
      const log = this.logs.find(extent)
      log?.extents.push({ ...extent, segmentId, objectKey, objectBytes, level })
      log?.extents.sort((a, b) => a.endOffset - b.endOffset)
    }
    return { swapped: true }
  }

  // ---- deletion

  async deadSegments(graceMs: number, limit: number): Promise<SegmentInfo[]> {
    this.checkOpen()
    const before = this.clock.nowMs() - graceMs
    return this.#inState('dead', (segment) => segment.deadAtMs <= before).slice(0, limit)
  }

  async markObjectsDeleted(segmentIds: readonly SegmentId[]): Promise<void> {
    this.checkOpen()
    for (const segmentId of segmentIds) {
      const segment = this.#segments.get(segmentId)
      if (segment?.state === 'dead') segment.state = 'deleted'
    }
  }

  async forgetSegments(ageMinMs: number, limit: number): Promise<number> {
    this.checkOpen()
    const old = this.#inState('deleted', ({ segmentId }) => this.#isOlder(segmentId, ageMinMs)).slice(0, limit)
    for (const { segmentId } of old) {
      this.#segments.delete(segmentId)
      this.#outcomes.delete(segmentId)
    }
    return old.length
  }

  // ---- sweep and inspection

  async orphansAmong(segmentIds: readonly SegmentId[], ageMinMs: number): Promise<SegmentId[]> {
    this.checkOpen()
    const claimed = (segmentId: SegmentId) => ['live', 'dead'].includes(this.#segments.get(segmentId)?.state ?? '')
    return segmentIds.filter((segmentId) => this.#isOlder(segmentId, ageMinMs) && !claimed(segmentId))
  }

  async newestSegmentId(): Promise<SegmentId | undefined> {
    this.checkOpen()
    return [...this.#segments.keys()].sort().at(-1)
  }

  async segmentTotals(): Promise<SegmentTotal[]> {
    this.checkOpen()
    const totals = new Map<string, SegmentTotal>()
    for (const { state, level, objectBytes, deadAtMs } of this.#segments.values()) {
      const known = totals.get(`${state}/${level}`)
      totals.set(`${state}/${level}`, {
        state,
        level,
        segmentCount: (known?.segmentCount ?? 0) + 1,
        objectBytes: (known?.objectBytes ?? 0) + objectBytes,
        deadForMs: Math.max(known?.deadForMs ?? 0, state === 'live' ? 0 : this.clock.nowMs() - deadAtMs),
      })
    }
    const rank = ({ state, level }: SegmentTotal) => ['live', 'dead', 'deleted'].indexOf(state) * 100_000 + level
    return [...totals.values()].sort((a, b) => rank(a) - rank(b))
  }

  async liveUseOf(segmentIds: readonly SegmentId[]): Promise<LiveUse[]> {
    this.checkOpen()
    return segmentIds.map((segmentId) => {
      const extents = this.#allExtents().filter((extent) => extent.segmentId === segmentId)
      return {
        extentCount: extents.length,
        bytes: extents.reduce((sum, { bytes }) => sum + bytes, 0),
        batchCount: extents.reduce((sum, { batchCount }) => sum + batchCount, 0),
      }
    })
  }

  // ---- rows

  #allExtents(): Extent[] {
    return [...[...this.logs.rows.values()].flatMap(({ extents }) => extents), ...[...this.#deleted.values()].flat()]
  }

  #isWanted(extent: PartitionRef & { readonly endOffset: number }): boolean {
    return extent.endOffset > (this.logs.find(extent)?.logStartOffset ?? Number.POSITIVE_INFINITY)
  }

  #isOlder(segmentId: SegmentId, ageMs: number): boolean {
    return segmentTimeMs(segmentId) < this.clock.nowMs() - ageMs
  }

  #inState(state: SegmentState, accepts: (segment: FakeSegment) => boolean): FakeSegment[] {
    return [...this.#segments.values()]
      .filter((segment) => segment.state === state && accepts(segment))
      .sort((a, b) => a.level - b.level || (a.segmentId < b.segmentId ? -1 : 1))
  }

  protected addSegment(
    segment: Pick<SegmentInfo, 'segmentId' | 'objectKey' | 'objectBytes' | 'level'>,
    liveExtentCount: number,
  ): void {
    const committedAtMs = this.clock.nowMs()
    const state = liveExtentCount > 0 ? 'live' : 'dead'
    this.#segments.set(segment.segmentId, {
      ...segment,
      liveExtentCount,
      committedAtMs,
      state,
      deadAtMs: committedAtMs,
    })
  }

  /** Removes extents, and counts what is left of their segments. */
  protected drop(goes: (extent: Extent) => boolean): Removal {
    const going = this.#allExtents().filter(goes)
    const gone = new Set(going)
    for (const log of this.logs.rows.values()) log.extents = log.extents.filter((extent) => !gone.has(extent))
    for (const [topicId, extents] of this.#deleted) {
      this.#deleted.set(
        topicId,
        extents.filter((extent) => !gone.has(extent)),
      )
    }
    let deadSegmentCount = 0
    for (const segmentId of new Set(going.map((extent) => extent.segmentId))) {
      const segment = this.#segments.get(segmentId)
      if (segment === undefined) continue
      const liveExtentCount = this.#allExtents().filter((extent) => extent.segmentId === segmentId).length
      const dies = liveExtentCount === 0 && segment.state === 'live'
      if (dies) deadSegmentCount += 1
      this.#segments.set(segmentId, {
        ...segment,
        liveExtentCount,
        ...(dies ? { state: 'dead', deadAtMs: this.clock.nowMs() } : {}),
      })
    }
    return { extentCount: going.length, bytes: going.reduce((sum, { bytes }) => sum + bytes, 0), deadSegmentCount }
  }
}

function extentKey({ topicId, partition, endOffset, segmentId }: ExtentRef): string {
  return `${partitionKey(topicId, partition)}/${endOffset}/${segmentId}`
}
