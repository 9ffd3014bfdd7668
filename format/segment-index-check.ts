import { BLOCK_HEADER_BYTES } from './block.js'
import { FormatError } from './errors.js'
import { SEGMENT_HEADER_BYTES } from './segment-header.js'
import { BASE_OFFSET_UNKNOWN, type BatchEntry, BLOCK_CODEC_RAW, type BlockEntry, type SegmentIndex } from './types.js'

/**
 * What an index means: values in their range, blocks without gap from the segment header on, partitions in order, offsets
 * ascending within a partition, sums right. NaN, which the decoder leaves for unsafe integers, fails every comparison here.
 * @throws FormatError INDEX_VALUES, INDEX_ORDER, INDEX_COUNTS
 */
export function checkIndex(index: SegmentIndex): void {
  if (!(index.createdAtMs >= 0)) throw wrongValue('the creation time is no time')
  let position = SEGMENT_HEADER_BYTES
  let previous: BlockEntry | undefined
  for (const block of index.blocks) {
    checkBlock(block)
    if (block.position !== position) {
      throw new FormatError('INDEX_ORDER', `the block said to be at ${block.position} must begin at ${position}`)
    }
    if (previous !== undefined && comparePartitions(previous, block) > 0) {
      throw new FormatError('INDEX_ORDER', `partition ${nameOf(block)} comes after ${nameOf(previous)}`)
    }
    position += block.bytes
    previous = block
  }
  checkOffsets(index)
}

function checkBlock(block: BlockEntry): void {
  if (block.partition < 0) throw wrongValue(`partition ${block.partition} is negative`)
  if (block.codec === BLOCK_CODEC_RAW && block.bytes - BLOCK_HEADER_BYTES !== block.rawBytes) {
    throw wrongValue(
      `a raw block of ${nameOf(block)} stores ${block.bytes - BLOCK_HEADER_BYTES} of ${block.rawBytes} bytes`,
    )
  }
  if (!(block.minTimestampMs >= -1)) throw wrongValue('a timestamp is no timestamp')
  let recordCount = 0
  let maxTimestampMs = -1
  for (const batch of block.batches) {
    checkBatch(batch)
    recordCount += batch.recordCount
    maxTimestampMs = Math.max(maxTimestampMs, batch.maxTimestampMs)
  }
  if (recordCount !== block.recordCount) {
    throw new FormatError(
      'INDEX_COUNTS',
      `a block of ${nameOf(block)} says ${block.recordCount} records, has ${recordCount}`,
    )
  }
  if (maxTimestampMs !== block.maxTimestampMs) {
    throw wrongValue(`a block of ${nameOf(block)} says max timestamp ${block.maxTimestampMs}, has ${maxTimestampMs}`)
  }
}

function checkBatch(batch: BatchEntry): void {
  // Compaction may leave holes, so a batch can span more offsets than it has records, never fewer.
  if (batch.recordCount <= 0 || batch.lastOffsetDelta < batch.recordCount - 1) {
    throw wrongValue(
      `a batch of ${batch.recordCount} records with last offset delta ${batch.lastOffsetDelta} cannot be`,
    )
  }
  if (!(batch.producerId >= -1) || !(batch.maxTimestampMs >= -1))
    throw wrongValue('a producer id or timestamp is negative')
  if (batch.producerId >= 0 && (batch.producerEpoch < 0 || batch.baseSequence < 0)) {
    throw wrongValue(`producer ${batch.producerId} has no epoch or no sequence`)
  }
}

function checkOffsets(index: SegmentIndex): void {
  let nextOffset = 0
  let previous: BlockEntry | undefined
  for (const block of index.blocks) {
    if (previous === undefined || comparePartitions(previous, block) !== 0) nextOffset = 0
    previous = block
    for (const batch of block.batches) {
      if (index.level === 0) {
        if (batch.baseOffset !== BASE_OFFSET_UNKNOWN) throw wrongValue('a batch of level 0 has an offset')
        continue
      }
      if (!(batch.baseOffset >= nextOffset)) {
        const text = `a batch of ${nameOf(block)} has base offset ${batch.baseOffset}, the next may be ${nextOffset}`
        throw new FormatError('INDEX_ORDER', text)
      }
      nextOffset = batch.baseOffset + batch.lastOffsetDelta + 1
    }
  }
}

/** The order of partitions in a segment: topic id by its bytes (which is by its text), then partition number. */
export function comparePartitions(
  left: { readonly topicId: string; readonly partition: number },
  right: { readonly topicId: string; readonly partition: number },
): number {
  if (left.topicId !== right.topicId) return left.topicId < right.topicId ? -1 : 1
  return left.partition - right.partition
}

function nameOf(block: BlockEntry): string {
  return `${block.topicId}/${block.partition}`
}

function wrongValue(message: string): FormatError {
  return new FormatError('INDEX_VALUES', message)
}
