import type { Intake, PendingProduce, ProduceRequest, ProduceResult } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { CancelTimer, Clock, Random } from '../ports/clock.js'
import { newSegmentId, segmentObjectKey } from '../segment-identity.js'
import type { Arena, ArenaPool } from './arena-pool.js'
import {
  decideFlush,
  type FlushLimits,
  fullBucket,
  type TokenBucket,
  takeToken,
  type UploadState,
} from './flush-policy.js'
import { OpenSegment } from './open-segment.js'
import type { SealedSegment } from './segments.js'

/**
 * Collects Produce requests of all connections into the open segment and seals it by the flush policy. Runs on the
 * main thread and touches record bytes once, to copy them; everything that costs CPU per byte is the worker's.
 *
 * Lifecycle: `append` until `close`, which seals what is open and refuses the rest.
 */
export class SegmentIntake implements Intake {
  readonly #options: SegmentIntakeOptions
  readonly #waiting: WaitingRequest[] = []
  #open: OpenSegment | undefined
  #tokens: TokenBucket
  #timer: { readonly atMs: number; readonly cancel: CancelTimer } | undefined
  #pumping = false
  #closed = false

  constructor(options: SegmentIntakeOptions) {
    this.#options = options
    this.#tokens = fullBucket(options.flush, options.clock.monotonicMs())
  }

  append(request: ProduceRequest): Promise<PendingProduce> {
    if (this.#closed) return Promise.reject(closing())
    const arrivedAtMs = this.#options.clock.monotonicMs()
    if (request.batches.length === 0) return Promise.resolve({ results: Promise.resolve([]) })
    let bytes = 0
    for (const batch of request.batches) bytes += batch.bytes
    // Nobody is ahead and there is room: no queue, no wait.
    if (this.#waiting.length === 0 && this.#open?.fits(bytes)) {
      return Promise.resolve(this.#copy(this.#open, request, arrivedAtMs))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, bytes, arrivedAtMs, resolve, reject })
      void this.#pump()
    })
  }

  /** Call when an upload finished: sparse traffic may now be sealed early. */
  reconsider(): void {
    if (this.#open !== undefined) this.#considerSeal(this.#open)
  }

  /** Seals what is open and fails who still waits for memory; after it `append` rejects. */
  close(): void {
    this.#closed = true
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closing())
    if (this.#open !== undefined) this.#seal(this.#open)
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
        if (this.#open !== undefined && !this.#open.fits(head.bytes)) this.#seal(this.#open)
        if (this.#open === undefined) {
          const arena = await this.#acquire(head)
          // `close`, or a refusal, may have emptied the queue meanwhile.
          if (arena === undefined) continue
          this.#open = new OpenSegment(arena, this.#options.clock.monotonicMs())
        }
        this.#waiting.shift()
        head.resolve(this.#copy(this.#open, head.request, head.arrivedAtMs))
      }
    } finally {
      this.#pumping = false
    }
  }

  async #acquire(head: WaitingRequest): Promise<Arena | undefined> {
    try {
      const arena = this.#options.arenas.tryAcquire(head.bytes) ?? (await this.#options.arenas.acquire(head.bytes))
      if (this.#waiting[0] === head) return arena
      arena.release()
    } catch (error) {
      if (this.#waiting[0] !== head) return undefined
      this.#waiting.shift()
      const refused = error instanceof HeadraceError ? error : closing()
      if (refused.code === 'AGENT_CLOSING') head.reject(refused)
      else head.resolve({ results: Promise.resolve(head.request.batches.map(() => ({ ok: false, error: refused }))) })
    }
    return undefined
  }

  #copy(open: OpenSegment, request: ProduceRequest, arrivedAtMs: number): PendingProduce {
    const results = new Promise<readonly ProduceResult[]>((settle) => {
      open.append(request, arrivedAtMs, settle)
    })
    this.#considerSeal(open)
    return { results }
  }

  #considerSeal(open: OpenSegment): void {
    const { clock, flush, uploads } = this.#options
    const nowMs = clock.monotonicMs()
    const decision = decideFlush(
      flush,
      { openedAtMs: open.openedAtMs, bytes: open.bytes, uploads: uploads(), tokens: this.#tokens },
      nowMs,
    )
    if (decision.seal) {
      this.#seal(open)
      return
    }
    if (this.#timer !== undefined && this.#timer.atMs <= decision.recheckAtMs) return
    this.#cancelTimer()
    const cancel = clock.schedule(Math.max(0, decision.recheckAtMs - nowMs), () => {
      this.#timer = undefined
      this.reconsider()
    })
    this.#timer = { atMs: decision.recheckAtMs, cancel }
  }

  #seal(open: OpenSegment): void {
    const { clock, random, flush, submit } = this.#options
    this.#cancelTimer()
    this.#open = undefined
    const sealedAtMs = clock.monotonicMs()
    this.#tokens = takeToken(flush, this.#tokens, sealedAtMs)
    const createdAtMs = clock.nowMs()
    const segmentId = newSegmentId(createdAtMs, random)
    submit(open.seal({ segmentId, objectKey: segmentObjectKey(segmentId), createdAtMs }, sealedAtMs))
  }

  #cancelTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

export interface SegmentIntakeOptions {
  readonly arenas: ArenaPool
  readonly flush: FlushLimits
  readonly clock: Clock
  readonly random: Random
  readonly uploads: () => UploadState
  /** Takes over a sealed segment and everything in it. Must not throw. */
  readonly submit: (sealed: SealedSegment) => void
}

interface WaitingRequest {
  readonly request: ProduceRequest
  readonly bytes: number
  readonly arrivedAtMs: number
  resolve(pending: PendingProduce): void
  reject(error: Error): void
}

function closing(): HeadraceError {
  return new HeadraceError('AGENT_CLOSING', 'safe', 'the agent is shutting down; another agent can take this request')
}
