import { type BlockEntry, FormatError, type SegmentIndex } from '../../format/index.js'
import type { Extent } from '../ports/catalog.js'

/** A partition that wants more, and where the catalog says it lies. */
export interface PlanPartition {
  readonly nextOffset: number
  /** What the partition may still add to the answer. */
  readonly bytesLeft: number
  /** Earlier answers have passed it over: it comes first now. */
  readonly isDue: boolean
  readonly extents: readonly Extent[]
}

export interface PlannedRead {
  /** Which of the partitions given. */
  readonly partition: number
  readonly extent: Extent
  readonly fromOffset: number
  /** Bytes of batches worth reading from there. */
  readonly bytesMax: number
}

export interface RoundLimits {
  readonly bytesLeft: number
  readonly segmentsMax: number
}

/**
 * What to read in one round, in the order in which the answer is to be filled: the oldest segments first, each from its
 * beginning, so that a consumer of many partitions goes through every segment once instead of coming back to it for each
 * partition. Partitions that are due come before that with their first extent. Bytes are estimated from stored bytes: who
 * fills the answer keeps to the exact limits.
 */
export function planRound(partitions: readonly PlanPartition[], limits: RoundLimits): readonly PlannedRead[] {
  const reads: PlannedRead[] = []
  const segments = new Set<string>()
  const partitionBytesLeft = partitions.map((partition) => partition.bytesLeft)
  /** After an extent that was left out the later ones of its partition would leave a gap. */
  const stopped = new Set<number>()
  let bytesLeft = limits.bytesLeft
  for (const { extent, partition } of inReadOrder(partitions)) {
    const bytesMax = Math.min(partitionBytesLeft[partition] ?? 0, bytesLeft)
    // The very first read is always made: an answer holds one batch at least, however small its limits.
    const isFull = reads.length > 0 && bytesMax <= 0
    const isSegmentTooMany = !segments.has(extent.segmentId) && segments.size >= limits.segmentsMax
    if (stopped.has(partition) || isFull || isSegmentTooMany) {
      stopped.add(partition)
      continue
    }
    segments.add(extent.segmentId)
    const fromOffset = Math.max(partitions[partition]?.nextOffset ?? 0, extent.baseOffset)
    reads.push({ partition, extent, fromOffset, bytesMax: Math.max(1, bytesMax) })
    const bytes = Math.min(bytesMax, bytesFrom(extent, fromOffset))
    bytesLeft -= bytes
    partitionBytesLeft[partition] = (partitionBytesLeft[partition] ?? 0) - bytes
  }
  return reads
}

interface Candidate {
  readonly partition: number
  readonly extent: Extent
  /** Segment and position in it, never less than those of the extents before: a partition's extents keep their order. */
  readonly segmentRank: string
  readonly positionRank: number
}

function inReadOrder(partitions: readonly PlanPartition[]): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const [partition, { isDue, extents }] of partitions.entries()) {
    let segmentRank = ''
    let positionRank = 0
    for (const [number, extent] of extents.entries()) {
      const comesFirst = isDue && number === 0
      if (extent.segmentId > segmentRank && !comesFirst) {
        segmentRank = extent.segmentId
        positionRank = 0
      }
      positionRank = Math.max(positionRank, extent.position)
      candidates.push({ partition, extent, segmentRank, positionRank })
    }
  }
  return candidates.sort((a, b) => compareText(a.segmentRank, b.segmentRank) || a.positionRank - b.positionRank)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Stored bytes of the extent from an offset on, as if its offsets were all of one size. */
function bytesFrom(extent: Extent, offset: number): number {
  const share = (extent.endOffset - offset) / (extent.endOffset - extent.baseOffset)
  return Math.ceil(extent.bytes * share)
}

/** Most bytes that reading a planned part of an extent holds; a block may reach beyond what was asked for. */
export function readBytesBound(read: PlannedRead, wholeExtentBytesMax: number): number {
  if (read.extent.bytes <= wholeExtentBytesMax) return read.extent.bytes
  return Math.min(read.extent.bytes, Math.max(read.bytesMax, wholeExtentBytesMax))
}

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
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((blocks[middle]?.position ?? Number.POSITIVE_INFINITY) < position) low = middle + 1
    else high = middle
  }
  return low
}

function isOf(block: BlockEntry, extent: Extent): boolean {
  return block.topicId === extent.topicId && block.partition === extent.partition
}
