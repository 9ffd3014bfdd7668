import { type BlockEntry, FormatError, type SegmentIndex } from '../../format/index.js'
import type { Extent } from '../ports/catalog.js'
import { partitionPoint } from './partition-point.js'

/** A batch of an extent as its segment's index knows it. */
export interface IndexedBatch {
  readonly block: BlockEntry
  readonly baseOffset: number
  readonly endOffset: number
  readonly bytes: number
  readonly maxTimestampMs: number
}

/**
 * The batches of an extent, from the index alone.
 * @throws FormatError INDEX_COUNTS when the index does not have what the catalog says
 */
export function* indexedBatches(extent: Extent, index: SegmentIndex): Generator<IndexedBatch, void, undefined> {
  let skipCount = extent.batchSkipCount
  let leftCount = extent.batchCount
  let offset = extent.baseOffset
  const endPosition = extent.position + extent.bytes
  for (let number = firstBlockAt(index.blocks, extent.position); leftCount > 0; number++) {
    const block = index.blocks[number]
    if (block === undefined || block.position >= endPosition || !isOf(block, extent)) break
    for (const batch of block.batches) {
      if (skipCount > 0) {
        skipCount -= 1
        continue
      }
      if (leftCount === 0) return
      const baseOffset = extent.level === 0 ? offset : batch.baseOffset
      offset = baseOffset + batch.lastOffsetDelta + 1
      leftCount -= 1
      yield { block, baseOffset, endOffset: offset, bytes: batch.bytes, maxTimestampMs: batch.maxTimestampMs }
    }
  }
  if (leftCount === 0) return
  const where = `extent ${extent.baseOffset}-${extent.endOffset} of ${extent.topicId}/${extent.partition}`
  throw new FormatError('INDEX_COUNTS', `${where}: the index of ${extent.objectKey} misses ${leftCount} of its batches`)
}

/**
 * The part of an extent, in whole blocks, that begins with the block of the batch that contains `offset` and holds `bytesMax`
 * bytes of batches from there, or as many as there are. It is an extent again, only smaller.
 */
export function narrowExtent(extent: Extent, index: SegmentIndex, offset: number, bytesMax: number): Extent {
  let blocks: BlockPart[] = []
  let bytes = 0
  for (const batch of indexedBatches(extent, index)) {
    let part = blocks.at(-1)
    if (part?.block !== batch.block) {
      if (bytes >= bytesMax) break
      // Blocks before the one that contains the offset are not needed.
      if (part !== undefined && part.endOffset <= offset) blocks = []
      part = { block: batch.block, baseOffset: batch.baseOffset, endOffset: batch.endOffset, batchCount: 0 }
      blocks.push(part)
    }
    part.endOffset = batch.endOffset
    part.batchCount += 1
    if (batch.endOffset > offset) bytes += batch.bytes
  }
  return joinParts(extent, blocks)
}

interface BlockPart {
  readonly block: BlockEntry
  readonly baseOffset: number
  endOffset: number
  batchCount: number
}

function joinParts(extent: Extent, parts: readonly BlockPart[]): Extent {
  const first = parts[0]
  const last = parts.at(-1)
  if (first === undefined || last === undefined) return extent
  return {
    ...extent,
    baseOffset: first.baseOffset,
    endOffset: last.endOffset,
    position: first.block.position,
    bytes: last.block.position + last.block.bytes - first.block.position,
    batchSkipCount: first.block.position === extent.position ? extent.batchSkipCount : 0,
    batchCount: parts.reduce((count, part) => count + part.batchCount, 0),
  }
}

/** Number of the first block at or after `position`; blocks are in the order of their positions. */
export function firstBlockAt(blocks: readonly BlockEntry[], position: number): number {
  return partitionPoint(blocks, (block) => block.position < position)
}

function isOf(block: BlockEntry, extent: Extent): boolean {
  return block.topicId === extent.topicId && block.partition === extent.partition
}
