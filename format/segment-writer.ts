import assert from 'node:assert/strict'
import { BLOCK_HEADER_BYTES, BLOCK_RAW_BYTES_MAX, encodeBlockHeader } from './block.js'
import { BlockCompressor } from './block-compressor.js'
import { concat } from './bytes.js'
import { crc32c } from './crc32c.js'
import { extendCrc32c, joinCrc32c } from './crc32c-join.js'
import { BATCH_ATTRIBUTES, RECORD_CODEC_NONE, type RecordBatchHeader, readBatchHeader } from './record-batch.js'
import { encodeFooter } from './segment-footer.js'
import { encodeSegmentHeader } from './segment-header.js'
import { encodeIndex } from './segment-index.js'
import { comparePartitions } from './segment-index-check.js'
import {
  BASE_OFFSET_UNKNOWN,
  type BatchEntry,
  type BlockEntry,
  type SegmentHeader,
  type SegmentIndex,
} from './types.js'

/** Raw size at which a block closes: small enough for LZ4's speed and for a fetch, large enough for its ratio. */
export const BLOCK_TARGET_BYTES_DEFAULT = 128 * 1024

/**
 * Takes the segment's bytes, in order. It consumes (copies, writes) them before it returns: memory is reused, and raw
 * blocks are views of the caller's batches.
 */
export type SegmentSink = (bytes: Uint8Array) => void

export interface SegmentWriterOptions {
  readonly blockTargetBytes?: number
  /**
   * Every batch's CRC has been held against its bytes. The CRC of blocks stored raw is then made of those of their batches, without
   * reading the bytes a second time. Without that check a wrong batch would make its whole block unreadable.
   */
  readonly batchCrcsChecked?: boolean
}

export interface FinishedSegment {
  readonly objectBytes: number
  readonly index: SegmentIndex
  /** The index as it is stored. */
  readonly indexBytes: Uint8Array
}

/**
 * Writes one segment, block by block, with the memory of one block: what intake's workers and compaction share. Same
 * calls, same bytes. Lifecycle: `appendBatch` in (topic id, partition) order, then `finish` once.
 */
export class SegmentWriter {
  readonly #header: SegmentHeader
  readonly #sink: SegmentSink
  readonly #blockTargetBytes: number
  readonly #batchCrcsChecked: boolean
  readonly #compressor = new BlockCompressor()
  readonly #headerScratch = new Uint8Array(BLOCK_HEADER_BYTES)
  readonly #blocks: BlockEntry[] = []
  #objectBytes = 0
  #block: OpenBlock | undefined
  #finished = false

  /** @throws RangeError when the header cannot be stored */
  constructor(header: SegmentHeader, sink: SegmentSink, options: SegmentWriterOptions = {}) {
    this.#header = { segmentId: header.segmentId, level: header.level, createdAtMs: header.createdAtMs }
    this.#sink = sink
    this.#blockTargetBytes = Math.min(options.blockTargetBytes ?? BLOCK_TARGET_BYTES_DEFAULT, BLOCK_RAW_BYTES_MAX)
    this.#batchCrcsChecked = options.batchCrcsChecked ?? false
    this.#emit(encodeSegmentHeader(header))
  }

  /** Bytes handed to the sink so far. */
  get objectBytes(): number {
    return this.#objectBytes
  }

  /**
   * Adds a batch. `bytes` is exactly the batch that `header` describes, already validated; it must stay unchanged until
   * the block closes, at the latest with `finish`. `baseOffset` is required above level 0 and forbidden at it.
   */
  appendBatch(
    topicId: string,
    partition: number,
    bytes: Uint8Array,
    header: RecordBatchHeader,
    baseOffset = BASE_OFFSET_UNKNOWN,
  ): void {
    assert(!this.#finished, 'the segment is finished')
    assert(header.bytes === bytes.byteLength, 'the bytes are not the batch the header describes')
    assert(bytes.byteLength <= BLOCK_RAW_BYTES_MAX, 'the batch is larger than a block can be')
    assert((this.#header.level === 0) === (baseOffset === BASE_OFFSET_UNKNOWN), 'offsets belong to levels above 0 only')
    const block = this.#blockFor(topicId, partition, bytes.byteLength)
    block.append(bytes, header, baseOffset)
    if (block.rawBytes >= this.#blockTargetBytes) this.#closeBlock()
  }

  /** Writes index and footer. */
  finish(): FinishedSegment {
    assert(!this.#finished, 'the segment is finished')
    this.#closeBlock()
    this.#finished = true
    const index: SegmentIndex = { ...this.#header, blocks: this.#blocks }
    const indexBytes = encodeIndex(index)
    const indexPosition = this.#objectBytes
    this.#emit(indexBytes)
    this.#emit(
      encodeFooter({
        indexPosition,
        indexBytes: indexBytes.byteLength,
        indexCrc: crc32c(indexBytes),
        ...countsOf(index),
      }),
    )
    return { objectBytes: this.#objectBytes, index, indexBytes }
  }

  #blockFor(topicId: string, partition: number, batchBytes: number): OpenBlock {
    const open = this.#block
    if (open !== undefined) {
      const same = open.topicId === topicId && open.partition === partition
      if (same && open.rawBytes + batchBytes <= this.#blockTargetBytes) return open
      this.#closeBlock()
    }
    const last = this.#blocks.at(-1)
    const order = last === undefined ? -1 : comparePartitions(last, { topicId, partition })
    assert(order <= 0, 'batches must come in (topic id, partition) order')
    if (last?.topicId !== topicId) this.#compressor.startTopic()
    this.#block = new OpenBlock(topicId, partition)
    return this.#block
  }

  #closeBlock(): void {
    const block = this.#block
    if (block === undefined) return
    this.#block = undefined
    const stored = this.#compressor.compress(block, this.#batchCrcsChecked ? block.batchesCrc : undefined)
    const entry = block.entry(this.#objectBytes, stored.codec, stored.bytes, stored.crc)
    // A literal: a spread is slow, and there is one for each block.
    const header = {
      topicId: entry.topicId,
      partition: entry.partition,
      codec: entry.codec,
      rawBytes: entry.rawBytes,
      storedBytes: stored.bytes,
      batchCount: entry.batches.length,
      storedCrc: entry.storedCrc,
    }
    encodeBlockHeader(header, this.#headerScratch)
    this.#emit(this.#headerScratch)
    for (const piece of stored.pieces) this.#emit(piece)
    this.#blocks.push(entry)
  }

  #emit(bytes: Uint8Array): void {
    this.#objectBytes += bytes.byteLength
    this.#sink(bytes)
  }
}

/** The block under construction: batches as views, and what its index entry will say. */
class OpenBlock {
  /** Batches that lie side by side in memory share one view, so that they need no gathering. */
  readonly pieces: Uint8Array[] = []
  rawBytes = 0
  /** Bytes of batches whose producer compressed them. */
  precompressedBytes = 0
  /** CRC of all batches if each has the CRC that its header says. */
  batchesCrc = 0
  readonly #batches: BatchEntry[] = []
  #recordCount = 0
  #minTimestampMs = Number.POSITIVE_INFINITY
  #maxTimestampMs = -1

  constructor(
    readonly topicId: string,
    readonly partition: number,
  ) {}

  append(bytes: Uint8Array, header: RecordBatchHeader, baseOffset: number): void {
    this.#batches.push({
      position: this.rawBytes,
      bytes: bytes.byteLength,
      baseOffset,
      lastOffsetDelta: header.lastOffsetDelta,
      recordCount: header.recordCount,
      producerId: header.producerId,
      producerEpoch: header.producerEpoch,
      baseSequence: header.baseSequence,
      maxTimestampMs: header.maxTimestampMs,
    })
    this.rawBytes += bytes.byteLength
    if (header.recordCodec !== RECORD_CODEC_NONE) this.precompressedBytes += bytes.byteLength
    // What a batch's own CRC does not cover is its first bytes.
    const crc = extendCrc32c(this.batchesCrc, bytes, 0, BATCH_ATTRIBUTES)
    this.batchesCrc = joinCrc32c(crc, header.crc, bytes.byteLength - BATCH_ATTRIBUTES)
    this.#recordCount += header.recordCount
    this.#minTimestampMs = Math.min(this.#minTimestampMs, header.baseTimestampMs)
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, header.maxTimestampMs)
    this.#addPiece(bytes)
  }

  entry(position: number, codec: BlockEntry['codec'], storedBytes: number, storedCrc: number): BlockEntry {
    return {
      topicId: this.topicId,
      partition: this.partition,
      position,
      bytes: BLOCK_HEADER_BYTES + storedBytes,
      rawBytes: this.rawBytes,
      codec,
      storedCrc,
      recordCount: this.#recordCount,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
      batches: this.#batches,
    }
  }

  #addPiece(bytes: Uint8Array): void {
    const last = this.pieces.at(-1)
    if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.byteLength === bytes.byteOffset) {
      const joined = new Uint8Array(last.buffer, last.byteOffset, last.byteLength + bytes.byteLength)
      this.pieces[this.pieces.length - 1] = joined
    } else {
      this.pieces.push(bytes)
    }
  }
}

/** What a footer counts. */
export function countsOf(index: SegmentIndex): {
  readonly blockCount: number
  readonly partitionCount: number
  readonly batchCount: number
  readonly recordCount: number
} {
  let partitionCount = 0
  let batchCount = 0
  let recordCount = 0
  let previous: BlockEntry | undefined
  for (const block of index.blocks) {
    if (previous === undefined || comparePartitions(previous, block) !== 0) partitionCount += 1
    batchCount += block.batches.length
    recordCount += block.recordCount
    previous = block
  }
  return { blockCount: index.blocks.length, partitionCount, batchCount, recordCount }
}

/** One batch for `encodeSegment`. */
export interface SegmentBatch {
  readonly topicId: string
  readonly partition: number
  readonly bytes: Uint8Array
  /** Required above level 0. */
  readonly baseOffset?: number
}

/**
 * A whole segment in memory: batches of partitions in any order, batches of one partition in commit order. For tools
 * and tests; batches are not validated beyond their headers. @throws FormatError BATCH_* for bytes that are no batch
 */
export function encodeSegment(
  header: SegmentHeader,
  batches: readonly SegmentBatch[],
  options: SegmentWriterOptions = {},
): { readonly bytes: Uint8Array; readonly index: SegmentIndex } {
  const chunks: Uint8Array[] = []
  const writer = new SegmentWriter(header, (bytes) => chunks.push(bytes.slice()), options)
  for (const batch of batches.toSorted(comparePartitions)) {
    writer.appendBatch(batch.topicId, batch.partition, batch.bytes, readBatchHeader(batch.bytes), batch.baseOffset)
  }
  const { objectBytes, index } = writer.finish()
  return { bytes: concat(chunks, objectBytes), index }
}
