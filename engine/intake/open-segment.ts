import type { ProduceBatch, ProduceRequest, ProduceResult } from '../broker.js'
import type { TopicId } from '../model.js'
import {
  BATCH_BYTES,
  BATCH_COLUMNS,
  BATCH_FLAG_KEYS_REQUIRED,
  BATCH_FLAG_LOG_APPEND_TIME,
  BATCH_FLAG_ZSTD_ALLOWED,
  BATCH_FLAGS,
  BATCH_PARTITION,
  BATCH_POSITION,
  BATCH_TOPIC,
} from '../ports/segment-uploader.js'
import type { Arena } from './arena-pool.js'
import { ChunkCopier } from './chunk-copier.js'
import type { SealedSegment, SegmentRequest } from './segments.js'

/**
 * The one mutable stage: requests are copied in until the flush policy says seal. A request is in it whole or not at
 * all, because a segment is what becomes visible atomically.
 */
export class OpenSegment {
  readonly openedAtMs: number
  readonly #arena: Arena
  readonly #bytes: Uint8Array
  readonly #topicNumbers = new Map<TopicId, number>()
  readonly #requests: SegmentRequest[] = []
  #columns = new Int32Array(64 * BATCH_COLUMNS)
  #batchCount = 0
  #used = 0

  constructor(arena: Arena, openedAtMs: number) {
    this.#arena = arena
    this.#bytes = new Uint8Array(arena.buffer)
    this.openedAtMs = openedAtMs
  }

  get bytes(): number {
    return this.#used
  }

  get requestCount(): number {
    return this.#requests.length
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes.byteLength
  }

  /** The one copy of record bytes on the main thread. The caller has checked `fits`. */
  append(request: ProduceRequest, arrivedAtMs: number, settle: (results: readonly ProduceResult[]) => void): void {
    const copier = new ChunkCopier(request.chunks)
    const firstBatch = this.#batchCount
    for (const batch of request.batches) {
      copier.copy(batch.position, batch.bytes, this.#bytes, this.#used)
      this.#addRow(batch.topicId, batch.partition, batch.bytes, flagsOf(batch))
      this.#used += batch.bytes
    }
    this.#requests.push({ firstBatch, batchCount: request.batches.length, arrivedAtMs, settle })
  }

  seal(
    identity: { readonly segmentId: string; readonly objectKey: string; readonly createdAtMs: number },
    sealedAtMs: number,
  ): SealedSegment {
    return {
      stage: 'sealed',
      segmentId: identity.segmentId,
      input: {
        ...identity,
        arena: this.#arena.buffer,
        topicIds: [...this.#topicNumbers.keys()],
        batches: this.#columns.slice(0, this.#batchCount * BATCH_COLUMNS),
      },
      arena: this.#arena,
      requests: this.#requests,
      batchCount: this.#batchCount,
      bytes: this.#used,
      openedAtMs: this.openedAtMs,
      sealedAtMs,
    }
  }

  #addRow(topicId: TopicId, partition: number, bytes: number, flags: number): void {
    let topicNumber = this.#topicNumbers.get(topicId)
    if (topicNumber === undefined) {
      topicNumber = this.#topicNumbers.size
      this.#topicNumbers.set(topicId, topicNumber)
    }
    const row = this.#batchCount * BATCH_COLUMNS
    if (row === this.#columns.length) {
      const grown = new Int32Array(this.#columns.length * 2)
      grown.set(this.#columns)
      this.#columns = grown
    }
    this.#columns[row + BATCH_TOPIC] = topicNumber
    this.#columns[row + BATCH_PARTITION] = partition
    this.#columns[row + BATCH_POSITION] = this.#used
    this.#columns[row + BATCH_BYTES] = bytes
    this.#columns[row + BATCH_FLAGS] = flags
    this.#batchCount++
  }
}

function flagsOf({ zstdAllowed, logAppendTime, keysRequired }: ProduceBatch): number {
  return (
    (zstdAllowed ? BATCH_FLAG_ZSTD_ALLOWED : 0) |
    (logAppendTime ? BATCH_FLAG_LOG_APPEND_TIME : 0) |
    (keysRequired ? BATCH_FLAG_KEYS_REQUIRED : 0)
  )
}
