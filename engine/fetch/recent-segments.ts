import { copyBytes, type SegmentIndex, stampLogAppendTime } from '../../format/index.js'
import { HeadraceError } from '../errors.js'
import type { CommittedSegment } from '../intake/segments.js'
import type { Extent } from '../ports/catalog.js'
import {
  BATCH_BYTES,
  BATCH_COLUMNS,
  BATCH_FLAG_LOG_APPEND_TIME,
  BATCH_FLAGS,
  BATCH_POSITION,
} from '../ports/segment-uploader.js'
import { ByteLru } from './byte-lru.js'
import type { LoadedRun } from './extent-decoder.js'
import { firstBlockAt } from './fetch-plan.js'

/** Batches in memory, and how many bytes they are. */
export interface RecentRun extends LoadedRun {
  readonly bytes: number
}

/** A segment this agent has written, with its batches still in memory, uncompressed. */
export interface RecentSegment {
  readonly segmentId: string
  readonly index: SegmentIndex
  /** Memory it takes, but for arenas. */
  readonly bytes: number
  /** The batch with this number in index order. Only read, and not kept. */
  batch(number: number): Uint8Array
}

/** Segments that nobody read anything recent of, in a row, before they are no longer kept in their arenas. */
const UNREAD_SEGMENTS_MAX = 64

interface Remembered {
  readonly segment: RecentSegment
  /** Number of each block's first batch. */
  readonly firstBatches: Uint32Array
}

/**
 * What this agent wrote a moment ago, under a byte budget, the least recently read out first: consumers at the end of the
 * log cost no GET. Purely an economy: a segment that is not here is read from the store. Small segments are copied (`recentCopy`), so that a
 * few bytes hold no arena; large ones are read where they lie (`inArena`).
 */
export class RecentSegments {
  readonly #segments: ByteLru<Remembered>
  #committedSinceRead = UNREAD_SEGMENTS_MAX

  constructor(bytesMax: number) {
    this.#segments = new ByteLru(bytesMax)
  }

  get bytes(): number {
    return this.#segments.bytes
  }

  get bytesMax(): number {
    return this.#segments.bytesMax
  }

  /**
   * Whether anybody reads what was written lately. Memory that is kept for readers is memory that writes find cold: without
   * readers it costs some percent of an agent's throughput.
   */
  get isWanted(): boolean {
    return this.#committedSinceRead < UNREAD_SEGMENTS_MAX
  }

  /** A segment was committed, remembered or not. */
  noteCommit(): void {
    this.#committedSinceRead += 1
  }

  remember(segment: RecentSegment): void {
    const { blocks } = segment.index
    const firstBatches = new Uint32Array(blocks.length)
    let count = 0
    for (const [number, block] of blocks.entries()) {
      firstBatches[number] = count
      count += block.batches.length
    }
    this.#segments.put(segment.segmentId, { segment, firstBatches }, segment.bytes)
  }

  /** Whether `read` is likely to have the extent. Does not count as reading it. */
  has(extent: Extent): boolean {
    return extent.level === 0 && this.#segments.has(extent.segmentId)
  }

  /** The extent's batches from the one that contains `offset`, `bytesMax` bytes or a batch more; undefined if not here. */
  read(extent: Extent, offset: number, bytesMax: number): RecentRun | undefined {
    if (extent.level !== 0) return undefined
    this.#committedSinceRead = 0
    const remembered = this.#segments.get(extent.segmentId)
    if (remembered === undefined) return undefined
    const { blocks } = remembered.segment.index
    const block = firstBlockAt(blocks, extent.position)
    if (blocks[block]?.position !== extent.position) return undefined

    const numbers: number[] = []
    let bytes = 0
    let next = extent.baseOffset
    let baseOffset = next
    const first = (remembered.firstBatches[block] ?? 0) + extent.batchSkipCount
    const batches = batchesFrom(remembered, block, extent.batchSkipCount)
    for (let number = first; number < first + extent.batchCount && bytes < bytesMax; number++) {
      const batch = batches.next()
      if (batch.done) return undefined
      next += batch.value.lastOffsetDelta + 1
      if (next <= offset) baseOffset = next
      else {
        numbers.push(number)
        bytes += batch.value.bytes
      }
    }
    const run = { ...extent, baseOffset, endOffset: next, batchSkipCount: 0, batchCount: numbers.length }
    const { segmentId } = extent
    const memories = () => {
      if (this.#segments.get(segmentId) === remembered) return numbers.map((number) => remembered.segment.batch(number))
      throw new HeadraceError('OBJECT_NOT_FOUND', 'safe', `segment ${segmentId} has left memory; it is in the store`)
    }
    return { run, bytes, memories }
  }

  forget(segmentId: string): void {
    this.#segments.delete(segmentId)
  }

  clear(): void {
    this.#segments.clear()
  }
}

function* batchesFrom(remembered: Remembered, block: number, skipCount: number) {
  const { blocks } = remembered.segment.index
  for (let number = block; number < blocks.length; number++) {
    for (const batch of blocks[number]?.batches.slice(number === block ? skipCount : 0) ?? []) yield batch
  }
}

/** What the index costs: some hundred bytes of JavaScript objects per batch. */
const INDEX_BYTES_PER_BATCH = 200

/** A copy of a committed segment's batches, for which its arena is not needed. */
export function recentCopy(committed: CommittedSegment): RecentSegment {
  const source = inArena(committed)
  const { sealed, output } = committed.uploaded
  const starts = new Uint32Array(output.batchOrder.length + 1)
  const memory = new Uint8Array(sealed.bytes)
  let end = 0
  for (const number of output.batchOrder.keys()) {
    const batch = source.batch(number)
    copyBytes(batch, memory, end)
    end += batch.byteLength
    starts[number + 1] = end
  }
  return {
    ...source,
    bytes: source.bytes + memory.byteLength,
    batch: (number) => memory.subarray(starts[number], starts[number + 1]),
  }
}

/** A committed segment's batches where they are: to be forgotten before the arena is reused. */
export function inArena(committed: CommittedSegment): RecentSegment {
  const { sealed, output, index } = committed.uploaded
  const { batches, arena, segmentId, createdAtMs } = sealed.input
  return {
    segmentId,
    index,
    bytes: INDEX_BYTES_PER_BATCH * output.batchOrder.length,
    batch: (number) => {
      const row = (output.batchOrder[number] ?? 0) * BATCH_COLUMNS
      const bytes = new Uint8Array(arena, batches[row + BATCH_POSITION], batches[row + BATCH_BYTES])
      if (((batches[row + BATCH_FLAGS] ?? 0) & BATCH_FLAG_LOG_APPEND_TIME) === 0) return bytes
      // The arena has what the producer sent; the object, what the worker made of it.
      const stamped = bytes.slice()
      stampLogAppendTime(stamped, createdAtMs)
      return stamped
    },
  }
}
