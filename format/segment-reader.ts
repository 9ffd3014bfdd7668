import { type DecodedBlock, decodeBlock, iterateBatches } from './block.js'
import { crc32c } from './crc32c.js'
import { FormatError } from './errors.js'
import { checkBatchCrc, type RecordBatchHeader } from './record-batch.js'
import { decodeFooter, FOOTER_BYTES, type SegmentFooter } from './segment-footer.js'
import { decodeIndex } from './segment-index.js'
import { countsOf } from './segment-writer.js'
import type { BatchEntry, BlockEntry, SegmentIndex } from './types.js'

/** One ranged read of this many last bytes usually yields footer and index. */
export const TAIL_READ_BYTES = 64 * 1024

/** Reads exactly `bytes` bytes at `position`; rejects when the object ends before. */
export type ReadRange = (position: number, bytes: number) => Promise<Uint8Array>

export interface SegmentSource {
  readonly objectBytes: number
  readonly readRange: ReadRange
}

export interface SegmentTail {
  readonly footer: SegmentFooter
  readonly index: SegmentIndex
}

/** Either all that a tail holds, or the range to read instead: from there to the end of the object. */
export type TailPlan =
  | ({ readonly done: true } & SegmentTail)
  | { readonly done: false; readonly position: number; readonly bytes: number }

/**
 * The pure part of opening: looks at the last bytes of an object of `objectBytes` bytes and answers footer and index, or
 * which range to read next when the index begins before `tail` (then call again with that range as tail).
 * @throws FormatError SEGMENT_TOO_SHORT, FOOTER_*, INDEX_*; positions count from the start of the object
 */
export function parseTail(tail: Uint8Array, objectBytes: number): TailPlan {
  const footer = decodeFooter(tail, objectBytes)
  const tailPosition = objectBytes - tail.byteLength
  if (footer.indexPosition < tailPosition) {
    return { done: false, position: footer.indexPosition, bytes: objectBytes - footer.indexPosition }
  }
  const start = footer.indexPosition - tailPosition
  const indexBytes = tail.subarray(start, start + footer.indexBytes)
  if (crc32c(indexBytes) !== footer.indexCrc) {
    throw new FormatError('INDEX_CRC', 'the segment index is damaged', footer.indexPosition)
  }
  const index = decodeIndex(indexBytes)
  checkCounts(footer, index)
  return { done: true, footer, index }
}

function checkCounts(footer: SegmentFooter, index: SegmentIndex): void {
  const counts = countsOf(index)
  const same =
    counts.blockCount === footer.blockCount &&
    counts.partitionCount === footer.partitionCount &&
    counts.batchCount === footer.batchCount &&
    counts.recordCount === footer.recordCount
  if (!same) throw new FormatError('INDEX_COUNTS', 'the footer counts other than the index holds', footer.indexPosition)
  const last = index.blocks.at(-1)
  if (last !== undefined && last.position + last.bytes !== footer.indexPosition) {
    throw new FormatError('INDEX_BOUNDS', 'the last block does not end where the index begins', footer.indexPosition)
  }
}

/**
 * Reads footer and index, with one ranged read for most segments and two at most.
 * @throws FormatError as `parseTail`; and whatever `readRange` rejects with
 */
export async function openSegment(source: SegmentSource): Promise<SegmentTail> {
  const { objectBytes, readRange } = source
  if (objectBytes < FOOTER_BYTES) {
    throw new FormatError('SEGMENT_TOO_SHORT', `${objectBytes} bytes are too few for a segment`)
  }
  const tailBytes = Math.min(TAIL_READ_BYTES, objectBytes)
  let plan = parseTail(await readRange(objectBytes - tailBytes, tailBytes), objectBytes)
  if (!plan.done) plan = parseTail(await readRange(plan.position, plan.bytes), objectBytes)
  if (!plan.done) throw new FormatError('FOOTER_BOUNDS', 'the object changed between two reads')
  return { footer: plan.footer, index: plan.index }
}

/**
 * Decodes the block that `entry` describes from `bytes` (which begin with it) and holds it against the entry: a whole
 * and valid block in the wrong place is found too. @throws FormatError BLOCK_*, BATCH_*
 */
export function decodeIndexedBlock(bytes: Uint8Array, entry: BlockEntry): DecodedBlock {
  const block = decodeBlock(bytes)
  const { header } = block
  const same =
    header.topicId === entry.topicId &&
    header.partition === entry.partition &&
    header.codec === entry.codec &&
    header.rawBytes === entry.rawBytes &&
    header.batchCount === entry.batches.length &&
    header.storedCrc === entry.storedCrc &&
    block.bytes === entry.bytes
  if (!same) {
    const text = `the block of ${header.topicId}/${header.partition} is not the one of ${entry.topicId}/${entry.partition} the index names`
    throw new FormatError('BLOCK_MISMATCH', text, entry.position)
  }
  return block
}

/** Reads one block and holds it against its entry. @throws FormatError as `decodeIndexedBlock` */
export async function readBlock(source: SegmentSource, entry: BlockEntry): Promise<DecodedBlock> {
  return decodeIndexedBlock(await source.readRange(entry.position, entry.bytes), entry)
}

/**
 * Holds a block's batches against their entries, CRCs included.
 * @throws FormatError BATCH_*, BLOCK_BATCHES; positions count from the start of the decompressed block
 */
export function checkBatches(rawBytes: Uint8Array, entry: BlockEntry): void {
  let number = 0
  let minTimestampMs = Number.POSITIVE_INFINITY
  for (const { position, header } of iterateBatches(rawBytes)) {
    checkBatchCrc(rawBytes, position, header)
    const expected = entry.batches[number]
    if (expected === undefined || !sameBatch(position, header, expected)) {
      throw new FormatError(
        'BLOCK_BATCHES',
        `batch ${number} of the block is not the one the index describes`,
        position,
      )
    }
    minTimestampMs = Math.min(minTimestampMs, header.baseTimestampMs)
    number += 1
  }
  if (number !== entry.batches.length || minTimestampMs !== entry.minTimestampMs) {
    throw new FormatError('BLOCK_BATCHES', `the block holds ${number} batches, the index names ${entry.batches.length}`)
  }
}

function sameBatch(position: number, header: RecordBatchHeader, entry: BatchEntry): boolean {
  return (
    position === entry.position &&
    header.bytes === entry.bytes &&
    header.lastOffsetDelta === entry.lastOffsetDelta &&
    header.recordCount === entry.recordCount &&
    header.producerId === entry.producerId &&
    header.producerEpoch === entry.producerEpoch &&
    header.baseSequence === entry.baseSequence &&
    header.maxTimestampMs === entry.maxTimestampMs
  )
}
