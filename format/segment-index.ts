import { BLOCK_HEADER_BYTES, BLOCK_RAW_BYTES_MAX } from './block.js'
import { dataView, getSafeInt64, setSafeInt64 } from './bytes.js'
import { FormatError } from './errors.js'
import { BATCH_HEADER_BYTES } from './record-batch.js'
import { checkStorable } from './segment-header.js'
import { checkIndex } from './segment-index-check.js'
import { type BatchEntry, BLOCK_CODEC_LZ4, type BlockCodec, type BlockEntry, type SegmentIndex } from './types.js'
import { UUID_BYTES, uuidText, writeUuid } from './uuid.js'

/**
 * The partition index (big-endian): a header, then per block an entry, each followed by the entries of its batches.
 *
 * Header: repeats the segment header, so that the tail of an object describes it whole.
 *   0  16  segment id
 *  16   8  creation time     ms
 *  24   2  level
 *  26   2  reserved          zero
 *  28   4  block count
 *
 * Block entry:
 *   0  16  topic id
 *  16   4  partition
 *  20   8  position          of the block's header in the object
 *  28   4  stored bytes      without the block's header
 *  32   4  raw bytes
 *  36   1  codec
 *  37   3  reserved          zero
 *  40   4  stored CRC-32C    as in the block's header
 *  44   4  batch count
 *  48   8  record count
 *  56   8  min timestamp     ms, -1 none
 *  64   8  max timestamp     ms, -1 none
 *
 * Batch entry:
 *   0   8  base offset       -1 at level 0, known above
 *   8   8  producer id       -1 none
 *  16   8  max timestamp     ms, -1 none
 *  24   4  position          in the raw block; a batch ends where the next begins
 *  28   4  last offset delta
 *  32   4  record count
 *  36   4  base sequence     -1 none
 *  40   2  producer epoch    -1 none
 *  42   2  reserved          zero
 *
 * A block's base offset is that of its first batch. The index's length and CRC stand in the footer.
 */
export const INDEX_SEGMENT_ID = 0
export const INDEX_CREATED_AT = INDEX_SEGMENT_ID + UUID_BYTES
export const INDEX_LEVEL = INDEX_CREATED_AT + 8
export const INDEX_RESERVED = INDEX_LEVEL + 2
export const INDEX_BLOCK_COUNT = INDEX_RESERVED + 2
export const INDEX_HEADER_BYTES = INDEX_BLOCK_COUNT + 4

export const ENTRY_TOPIC_ID = 0
export const ENTRY_PARTITION = ENTRY_TOPIC_ID + UUID_BYTES
export const ENTRY_POSITION = ENTRY_PARTITION + 4
export const ENTRY_STORED_BYTES = ENTRY_POSITION + 8
export const ENTRY_RAW_BYTES = ENTRY_STORED_BYTES + 4
export const ENTRY_CODEC = ENTRY_RAW_BYTES + 4
export const ENTRY_RESERVED = ENTRY_CODEC + 1
export const ENTRY_STORED_CRC = ENTRY_RESERVED + 3
export const ENTRY_BATCH_COUNT = ENTRY_STORED_CRC + 4
export const ENTRY_RECORD_COUNT = ENTRY_BATCH_COUNT + 4
export const ENTRY_MIN_TIMESTAMP = ENTRY_RECORD_COUNT + 8
export const ENTRY_MAX_TIMESTAMP = ENTRY_MIN_TIMESTAMP + 8
export const BLOCK_ENTRY_BYTES = ENTRY_MAX_TIMESTAMP + 8

export const BATCH_ENTRY_BASE_OFFSET = 0
export const BATCH_ENTRY_PRODUCER_ID = BATCH_ENTRY_BASE_OFFSET + 8
export const BATCH_ENTRY_MAX_TIMESTAMP = BATCH_ENTRY_PRODUCER_ID + 8
export const BATCH_ENTRY_POSITION = BATCH_ENTRY_MAX_TIMESTAMP + 8
export const BATCH_ENTRY_LAST_OFFSET_DELTA = BATCH_ENTRY_POSITION + 4
export const BATCH_ENTRY_RECORD_COUNT = BATCH_ENTRY_LAST_OFFSET_DELTA + 4
export const BATCH_ENTRY_BASE_SEQUENCE = BATCH_ENTRY_RECORD_COUNT + 4
export const BATCH_ENTRY_PRODUCER_EPOCH = BATCH_ENTRY_BASE_SEQUENCE + 4
export const BATCH_ENTRY_RESERVED = BATCH_ENTRY_PRODUCER_EPOCH + 2
export const BATCH_ENTRY_BYTES = BATCH_ENTRY_RESERVED + 2

/** Size of the index once encoded. */
export function indexBytes(index: SegmentIndex): number {
  let bytes = INDEX_HEADER_BYTES
  for (const block of index.blocks) bytes += BLOCK_ENTRY_BYTES + block.batches.length * BATCH_ENTRY_BYTES
  return bytes
}

/** The index as a segment stores it, and as it travels between threads. @throws RangeError for what cannot be stored */
export function encodeIndex(index: SegmentIndex): Uint8Array {
  checkStorable(index)
  const bytes = new Uint8Array(indexBytes(index))
  const view = dataView(bytes)
  writeUuid(index.segmentId, bytes, INDEX_SEGMENT_ID)
  setSafeInt64(view, INDEX_CREATED_AT, index.createdAtMs)
  view.setUint16(INDEX_LEVEL, index.level)
  view.setUint32(INDEX_BLOCK_COUNT, index.blocks.length)
  let position = INDEX_HEADER_BYTES
  for (const block of index.blocks) {
    encodeBlockEntry(block, bytes, view, position)
    position += BLOCK_ENTRY_BYTES
    for (const batch of block.batches) {
      encodeBatchEntry(batch, view, position)
      position += BATCH_ENTRY_BYTES
    }
  }
  return bytes
}

function encodeBlockEntry(block: BlockEntry, bytes: Uint8Array, view: DataView, at: number): void {
  writeUuid(block.topicId, bytes, at + ENTRY_TOPIC_ID)
  view.setInt32(at + ENTRY_PARTITION, block.partition)
  setSafeInt64(view, at + ENTRY_POSITION, block.position)
  view.setUint32(at + ENTRY_STORED_BYTES, block.bytes - BLOCK_HEADER_BYTES)
  view.setUint32(at + ENTRY_RAW_BYTES, block.rawBytes)
  view.setUint8(at + ENTRY_CODEC, block.codec)
  view.setUint32(at + ENTRY_STORED_CRC, block.storedCrc)
  view.setUint32(at + ENTRY_BATCH_COUNT, block.batches.length)
  setSafeInt64(view, at + ENTRY_RECORD_COUNT, block.recordCount)
  setSafeInt64(view, at + ENTRY_MIN_TIMESTAMP, block.minTimestampMs)
  setSafeInt64(view, at + ENTRY_MAX_TIMESTAMP, block.maxTimestampMs)
}

function encodeBatchEntry(batch: BatchEntry, view: DataView, at: number): void {
  setSafeInt64(view, at + BATCH_ENTRY_BASE_OFFSET, batch.baseOffset)
  setSafeInt64(view, at + BATCH_ENTRY_PRODUCER_ID, batch.producerId)
  setSafeInt64(view, at + BATCH_ENTRY_MAX_TIMESTAMP, batch.maxTimestampMs)
  view.setUint32(at + BATCH_ENTRY_POSITION, batch.position)
  view.setInt32(at + BATCH_ENTRY_LAST_OFFSET_DELTA, batch.lastOffsetDelta)
  view.setInt32(at + BATCH_ENTRY_RECORD_COUNT, batch.recordCount)
  view.setInt32(at + BATCH_ENTRY_BASE_SEQUENCE, batch.baseSequence)
  view.setInt16(at + BATCH_ENTRY_PRODUCER_EPOCH, batch.producerEpoch)
}

/**
 * Decodes an index and checks all that can be checked without the blocks: counts before anything is built, bounds,
 * reserved bytes, order, offsets. Error positions count from the start of `bytes`.
 * @throws FormatError INDEX_BOUNDS, INDEX_RESERVED, INDEX_VALUES, INDEX_ORDER, INDEX_COUNTS
 */
export function decodeIndex(bytes: Uint8Array): SegmentIndex {
  if (bytes.byteLength < INDEX_HEADER_BYTES) throw outOfBounds('the index is shorter than its header', 0)
  const view = dataView(bytes)
  if (view.getUint16(INDEX_RESERVED) !== 0) throw reserved(INDEX_RESERVED)
  const blockCount = view.getUint32(INDEX_BLOCK_COUNT)
  const blocks: BlockEntry[] = []
  let position = INDEX_HEADER_BYTES
  let topicId = ''
  let topicAt = position
  for (let count = 0; count < blockCount; count += 1) {
    const batchCount = checkEntryRoom(bytes, view, position)
    // Most blocks are of the topic before, and share its text.
    if (count === 0 || !sameTopic(view, topicAt, position)) topicId = uuidText(bytes, position + ENTRY_TOPIC_ID)
    topicAt = position
    blocks.push(decodeBlockEntry(view, position, batchCount, topicId))
    position += BLOCK_ENTRY_BYTES + batchCount * BATCH_ENTRY_BYTES
  }
  if (position !== bytes.byteLength) throw outOfBounds('bytes follow the last entry', position)
  const index = {
    segmentId: uuidText(bytes, INDEX_SEGMENT_ID),
    level: view.getUint16(INDEX_LEVEL),
    createdAtMs: getSafeInt64(view, INDEX_CREATED_AT),
    blocks,
  }
  checkIndex(index)
  return index
}

/** How many batch entries follow the block entry at `at`, all of which fit. */
function checkEntryRoom(bytes: Uint8Array, view: DataView, at: number): number {
  const left = bytes.byteLength - at - BLOCK_ENTRY_BYTES
  if (left < 0) throw outOfBounds('a block entry is cut off', at)
  const batchCount = view.getUint32(at + ENTRY_BATCH_COUNT)
  if (batchCount === 0 || batchCount * BATCH_ENTRY_BYTES > left) {
    throw outOfBounds(`a block of ${batchCount} batches cannot be`, at + ENTRY_BATCH_COUNT)
  }
  const rawBytes = view.getUint32(at + ENTRY_RAW_BYTES)
  if (rawBytes > BLOCK_RAW_BYTES_MAX || batchCount * BATCH_HEADER_BYTES > rawBytes) {
    throw outOfBounds(`a block of ${batchCount} batches in ${rawBytes} bytes cannot be`, at + ENTRY_RAW_BYTES)
  }
  return batchCount
}

function sameTopic(view: DataView, entryA: number, entryB: number): boolean {
  for (let word = ENTRY_TOPIC_ID; word < ENTRY_PARTITION; word += 4) {
    if (view.getUint32(entryA + word) !== view.getUint32(entryB + word)) return false
  }
  return true
}

function decodeBlockEntry(view: DataView, at: number, batchCount: number, topicId: string): BlockEntry {
  // One read covers codec and reserved bytes: the codec is the top byte.
  const codecAndReserved = view.getUint32(at + ENTRY_CODEC)
  if ((codecAndReserved & 0x00ff_ffff) !== 0) throw reserved(at + ENTRY_RESERVED)
  const codec = codecAndReserved >>> 24
  if (codec > BLOCK_CODEC_LZ4)
    throw new FormatError('INDEX_VALUES', `block codec ${codec} is unknown`, at + ENTRY_CODEC)
  const rawBytes = view.getUint32(at + ENTRY_RAW_BYTES)
  return {
    topicId,
    partition: view.getInt32(at + ENTRY_PARTITION),
    position: getSafeInt64(view, at + ENTRY_POSITION),
    bytes: BLOCK_HEADER_BYTES + view.getUint32(at + ENTRY_STORED_BYTES),
    rawBytes,
    codec: codec as BlockCodec,
    storedCrc: view.getUint32(at + ENTRY_STORED_CRC),
    recordCount: getSafeInt64(view, at + ENTRY_RECORD_COUNT),
    minTimestampMs: getSafeInt64(view, at + ENTRY_MIN_TIMESTAMP),
    maxTimestampMs: getSafeInt64(view, at + ENTRY_MAX_TIMESTAMP),
    batches: decodeBatchEntries(view, at + BLOCK_ENTRY_BYTES, batchCount, rawBytes),
  }
}

function decodeBatchEntries(view: DataView, start: number, count: number, rawBytes: number): BatchEntry[] {
  const batches: BatchEntry[] = []
  for (let number = 0; number < count; number += 1) {
    const at = start + number * BATCH_ENTRY_BYTES
    if (view.getUint16(at + BATCH_ENTRY_RESERVED) !== 0) throw reserved(at + BATCH_ENTRY_RESERVED)
    const position = view.getUint32(at + BATCH_ENTRY_POSITION)
    const end = number + 1 < count ? view.getUint32(at + BATCH_ENTRY_BYTES + BATCH_ENTRY_POSITION) : rawBytes
    if ((number === 0 && position !== 0) || end - position < BATCH_HEADER_BYTES) {
      throw outOfBounds(`a batch from ${position} to ${end} of its block cannot be`, at + BATCH_ENTRY_POSITION)
    }
    batches.push({
      position,
      bytes: end - position,
      baseOffset: getSafeInt64(view, at + BATCH_ENTRY_BASE_OFFSET),
      lastOffsetDelta: view.getInt32(at + BATCH_ENTRY_LAST_OFFSET_DELTA),
      recordCount: view.getInt32(at + BATCH_ENTRY_RECORD_COUNT),
      producerId: getSafeInt64(view, at + BATCH_ENTRY_PRODUCER_ID),
      producerEpoch: view.getInt16(at + BATCH_ENTRY_PRODUCER_EPOCH),
      baseSequence: view.getInt32(at + BATCH_ENTRY_BASE_SEQUENCE),
      maxTimestampMs: getSafeInt64(view, at + BATCH_ENTRY_MAX_TIMESTAMP),
    })
  }
  return batches
}

function outOfBounds(message: string, position: number): FormatError {
  return new FormatError('INDEX_BOUNDS', message, position)
}

function reserved(position: number): FormatError {
  return new FormatError('INDEX_RESERVED', 'reserved bytes of the index are not zero', position)
}
