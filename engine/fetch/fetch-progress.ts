import { BATCH_CRC, FormatError, patchBatch } from '../../format/index.js'
import type { FetchPartition, FetchResult } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { Extent, ExtentAnswer } from '../ports/catalog.js'
import type { AnswerShare } from './answer-memory.js'
import { decodeRun, type LoadedRun, type PlacedBatch } from './extent-decoder.js'

/** What is left of a fetch's budget; shared by its partitions. */
export interface FetchBudget {
  bytesLeft: number
  /** The first batch of an answer may be larger than any limit, or a client with small limits never gets on. */
  empty: boolean
}

/** Pictures older than the board's news, in a row, before a fetch waits for the next news. */
const STALE_PICTURES_MAX = 3

/** How far a fetch has come with one partition. Only ever moves forward. */
export class PartitionProgress {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #nextOffset: number
  #highWatermark = -1
  #seenWatermark = -1
  #stalePictureCount = 0
  #logStartOffset = -1
  #error: HeadraceError | undefined
  #closed = false
  /** How often objects of this partition were not as the catalog said. */
  attempts = 0

  constructor(readonly partition: FetchPartition) {
    this.#nextOffset = partition.offset
  }

  /** Where the next batch begins. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  get bytes(): number {
    return this.#bytes
  }

  get bytesLeft(): number {
    return this.partition.bytesMax - this.#bytes
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  /**
   * The watermark up to which the extents looked at go. The board may know a later one already: what lies between has not been
   * looked for yet, and waiting for news would be waiting for the news after those.
   */
  get seenWatermark(): number {
    return this.#seenWatermark
  }

  get failed(): boolean {
    return this.#error !== undefined
  }

  /** Whether more can be added: not failed, not full. */
  get open(): boolean {
    return !this.#closed
  }

  /** Whether the catalog is known to have more. */
  get behind(): boolean {
    return this.open && this.#nextOffset < this.#highWatermark
  }

  /** Whether the answer holds none of its records although there are some. */
  get passedOver(): boolean {
    return this.#bytes === 0 && !this.failed && this.#nextOffset < this.#highWatermark
  }

  /**
   * Takes the catalog's answer; `knownWatermark` is what the board knows, which may be later news. Answers the extents worth
   * reading.
   */
  observe(answer: ExtentAnswer | undefined, knownWatermark: number): readonly Extent[] {
    const { topicId, partition } = this.partition
    if (answer === undefined) {
      const text = `partition ${partition} of topic ${topicId} does not exist; refresh the metadata`
      this.fail(new HeadraceError('PARTITION_UNKNOWN', 'never', text))
      return []
    }
    this.#highWatermark = Math.max(this.#highWatermark, answer.highWatermark, knownWatermark)
    this.#logStartOffset = Math.max(this.#logStartOffset, answer.logStartOffset)
    this.#noteSeen(answer.highWatermark)
    if (this.#nextOffset >= answer.logStartOffset && this.#nextOffset <= this.#highWatermark) return answer.extents
    const text = `offset ${this.#nextOffset} is not in the log, which goes from ${this.#logStartOffset} to ${this.#highWatermark}`
    this.fail(new HeadraceError('OFFSET_OUT_OF_RANGE', 'never', text))
    return []
  }

  /** A catalog that stays behind the board, as one restored from a backup does, is not asked again and again at once. */
  #noteSeen(watermark: number): void {
    this.#stalePictureCount = watermark < this.#highWatermark ? this.#stalePictureCount + 1 : 0
    this.#seenWatermark = this.#stalePictureCount < STALE_PICTURES_MAX ? watermark : this.#highWatermark
  }

  /**
   * Copies the batches of a run into the answer as long as they fit. Answers the bytes added.
   * @throws FormatError when the bytes are bad; what was added before stays
   */
  take(loaded: LoadedRun, budget: FetchBudget, share: Pick<AnswerShare, 'append'>): number {
    const bytesBefore = this.#bytes
    for (const batch of decodeRun(loaded)) {
      if (batch.endOffset <= this.#nextOffset) continue
      if (batch.bytes > Math.min(budget.bytesLeft, this.bytesLeft) && !budget.empty) {
        this.#closed = true
        break
      }
      appendPlaced(batch, share, this.#chunks)
      this.#bytes += batch.bytes
      this.#nextOffset = batch.endOffset
      budget.bytesLeft -= batch.bytes
      budget.empty = false
    }
    if (this.bytesLeft <= 0) this.#closed = true
    return this.#bytes - bytesBefore
  }

  /** Ends the partition; the error is told only where there is no data: the next fetch will meet it again. */
  fail(error: HeadraceError): void {
    this.#closed = true
    if (this.#bytes === 0) this.#error = error
  }

  /** `knownLogStart` is what the board knows, which may be later news. */
  result(knownLogStart: number): FetchResult {
    return {
      ...(this.#error === undefined ? {} : { error: this.#error }),
      highWatermark: this.#highWatermark,
      logStartOffset: this.#logStartOffset < 0 ? -1 : Math.max(this.#logStartOffset, knownLogStart),
      chunks: this.#chunks,
      bytes: this.#bytes,
    }
  }
}

/** Headrace has no leaders; an epoch that never changes tells clients that nothing was truncated. */
const LEADER_EPOCH = 0
/** The front of a batch, which has all that is written into it. */
const front = new Uint8Array(BATCH_CRC)

/** The batch is not ours to write into. */
function appendPlaced(batch: PlacedBatch, share: Pick<AnswerShare, 'append'>, chunks: Uint8Array[]): void {
  const { memory, position, bytes, baseOffset } = batch
  front.set(memory.subarray(position, position + front.byteLength))
  patchBatch(front, 0, baseOffset, LEADER_EPOCH)
  share.append(front, chunks)
  share.append(memory.subarray(position + front.byteLength, position + bytes), chunks)
}

/** What a failed read is told as; anything but the world and bad bytes is our own bug and goes on. */
export function readFailure(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error
  if (!(error instanceof FormatError)) throw error
  const text = `stored bytes are damaged: ${error.message}; check the object store and its replication`
  return new HeadraceError('BATCH_CORRUPT', 'never', text, { cause: error })
}

/** Whether the catalog may know better by now: compaction or retention took the object, or the bytes came damaged. */
export function mayHaveMoved(error: unknown): boolean {
  if (error instanceof FormatError) return true
  return error instanceof HeadraceError && (error.code === 'OBJECT_NOT_FOUND' || error.code === 'OBJECT_RANGE_INVALID')
}
