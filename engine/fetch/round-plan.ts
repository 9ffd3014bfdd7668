import type { Extent } from '../ports/catalog.js'
import { chunkKey } from './chunk-cache.js'
import type { HeldChunks } from './chunk-holds.js'
import { type ChunkSpan, type ChunkState, OpenChunks, spanOf } from './open-chunks.js'

/** A partition that wants more, and where the catalog says it lies. */
export interface PlanPartition {
  readonly nextOffset: number
  /** What the partition may still add to the answer. */
  readonly bytesLeft: number
  /** How many answers in a row have passed it over, once that is too many: it comes first now. 0 if not. */
  readonly dueCount: number
  /** Also beyond what the partition may add: what follows tells which chunks are wanted again soon. */
  readonly extents: readonly Extent[]
}

export interface PlannedRead {
  /** Which of the partitions given. */
  readonly partition: number
  readonly extent: Extent
  readonly fromOffset: number
  /** Bytes of batches worth reading from there. */
  readonly bytesMax: number
  /** Chunks that this takes, as estimated. */
  readonly span: ChunkSpan
}

export interface RoundLimits {
  readonly bytesLeft: number
  readonly segmentsMax: number
  /** Chunks that may be loaded for the round, in bytes. */
  readonly loadBytesLeft: number
  /** Chunks that may be loaded and not read to their end. */
  readonly openChunksMax: number
  /** Whether a partition that is due may leave more open than that. */
  readonly isDueForced: boolean
  /** How far ahead of a partition its chunks count as wanted. */
  readonly lookaheadBytes: number
}

/**
 * What to read in one round, in the order in which the answer is to be filled: the oldest segments first, each from its beginning, so that a consumer of many partitions goes
 * through every segment once instead of coming back to it for each partition.
 *
 * Partitions come to their own limits, so some stay behind while others go on: partitions of this fetch, those that the consumer did not
 * ask for now, those of other consumers (`held`). That is free as long as the chunks between them stay in memory: no read is
 * planned that would leave more chunks open than may be (`OpenChunks`); its partition waits until those behind have caught up, or,
 * where nothing else can be read, gets what lies in one extent. Nor does one round load more than the cache can well keep: of a few partitions
 * that would be a little of many chunks, gone again before the others come to them (librdkafka asks for its first partition alone). The partition passed over most often, if it is due, comes before all with its first
 * extent: one per round, because each opens chunks of its own.
 *
 * Bytes are estimated from stored bytes: who fills the answer keeps to the exact limits.
 */
export function planRound(
  partitions: readonly PlanPartition[],
  limits: RoundLimits,
  state: ChunkState,
  held: HeldChunks,
): readonly PlannedRead[] {
  const open = new OpenChunks(state, limits.openChunksMax, held)
  const candidates = inReadOrder(partitions)
  for (const candidate of candidates) open.want(wantedSpan(open, candidate, limits.lookaheadBytes))

  const reads: PlannedRead[] = []
  const segments = new Set<string>()
  const partitionBytesLeft = partitions.map((partition) => partition.bytesLeft)
  /** After an extent that was left out the later ones of its partition would leave a gap. */
  const stopped = new Set<number>()
  let bytesLeft = limits.bytesLeft
  let loadBytesLeft = limits.loadBytesLeft
  const estimate = ({ extent, partition, position, bytes: bytesWanted }: Candidate) => {
    const bytesMax = Math.min(partitionBytesLeft[partition] ?? 0, bytesLeft)
    const bytes = Math.min(Math.max(1, bytesMax), bytesWanted)
    return { bytesMax, bytes, span: open.spanOf(extent, position, bytes), isToEnd: bytes === bytesWanted }
  }
  const isAdmitted = (candidate: Candidate) => {
    const { span, isToEnd } = estimate(candidate)
    return open.admits(span, isToEnd)
  }
  const due = dueCandidate(partitions, candidates)
  const isDueFirst = due !== undefined && (limits.isDueForced || isAdmitted(due))
  for (const candidate of isDueFirst ? [due, ...candidates.filter((other) => other !== due)] : candidates) {
    const { extent, partition, fromOffset } = candidate
    if (stopped.has(partition)) continue
    const { bytesMax, bytes, span, isToEnd } = estimate(candidate)
    // The very first read is always made: an answer holds one batch at least, however small its limits.
    const isFull = bytesMax <= 0
    const missingBytes = open.missingBytes(span)
    const isLoadedTooMuch = missingBytes > loadBytesLeft
    const isSegmentTooMany = !segments.has(extent.segmentId) && segments.size >= limits.segmentsMax
    if (reads.length > 0 && (isFull || isLoadedTooMuch || isSegmentTooMany || !open.admits(span, isToEnd))) {
      stopped.add(partition)
      continue
    }
    segments.add(extent.segmentId)
    open.read(span, isToEnd)
    reads.push({ partition, extent, fromOffset, bytesMax: Math.max(1, bytesMax), span })
    bytesLeft -= bytes
    loadBytesLeft -= missingBytes
    partitionBytesLeft[partition] = (partitionBytesLeft[partition] ?? 0) - bytes
  }
  return reads
}

/** The next read of the partition that is due and has been passed over most often. */
function dueCandidate(partitions: readonly PlanPartition[], candidates: readonly Candidate[]): Candidate | undefined {
  const dueCountMax = partitions.reduce((max, { dueCount }) => Math.max(max, dueCount), 1)
  const due = partitions.findIndex(({ dueCount }) => dueCount === dueCountMax)
  return candidates.find(({ partition }) => partition === due)
}

interface Candidate {
  readonly partition: number
  readonly extent: Extent
  readonly fromOffset: number
  /** Where the wanted part of the extent begins and how much it is, as if its offsets were all of one size. */
  readonly position: number
  readonly bytes: number
  /** Segment and position in it, never less than those of the extents before: a partition's extents keep their order. */
  readonly segmentRank: string
  readonly positionRank: number
}

function inReadOrder(partitions: readonly PlanPartition[]): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const [partition, { nextOffset, extents }] of partitions.entries()) {
    let segmentRank = ''
    let positionRank = 0
    for (const extent of extents) {
      if (extent.segmentId > segmentRank) {
        segmentRank = extent.segmentId
        positionRank = 0
      }
      positionRank = Math.max(positionRank, extent.position)
      const fromOffset = Math.max(nextOffset, extent.baseOffset)
      const bytes = bytesFrom(extent, fromOffset)
      const position = extent.position + extent.bytes - bytes
      candidates.push({ partition, extent, fromOffset, position, bytes, segmentRank, positionRank })
    }
  }
  return candidates.sort((a, b) => compareText(a.segmentRank, b.segmentRank) || a.positionRank - b.positionRank)
}

function wantedSpan(open: OpenChunks, { extent, position, bytes }: Candidate, lookaheadBytes: number): ChunkSpan {
  return open.spanOf(extent, position, Math.min(bytes, lookaheadBytes))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function bytesFrom(extent: Extent, offset: number): number {
  const share = (extent.endOffset - offset) / (extent.endOffset - extent.baseOffset)
  return Math.ceil(extent.bytes * share)
}

/** The next chunks, at most `countMax`, that who reads a partition's extents from `nextOffset` on will come to. */
export function* chunksAhead(
  extents: readonly Extent[],
  nextOffset: number,
  countMax: number,
  state: Pick<ChunkState, 'chunkBytes' | 'isRecent'>,
): Generator<string> {
  let count = 0
  let last = ''
  for (const extent of extents) {
    if (extent.endOffset <= nextOffset) continue
    const bytes = bytesFrom(extent, Math.max(nextOffset, extent.baseOffset))
    const { first, end } = spanOf(state, extent, extent.position + extent.bytes - bytes, bytes)
    for (let chunk = first; chunk < end; chunk++) {
      const key = chunkKey(extent.objectKey, chunk)
      // Neighbours share the chunk in which one ends and the next begins.
      if (key === last) continue
      if (count === countMax) return
      yield key
      last = key
      count += 1
    }
  }
}

/** Most bytes that reading a planned part of an extent holds; a block may reach beyond what was asked for. */
export function readBytesBound(read: PlannedRead, wholeExtentBytesMax: number): number {
  if (read.extent.bytes <= wholeExtentBytesMax) return read.extent.bytes
  return Math.min(read.extent.bytes, Math.max(read.bytesMax, wholeExtentBytesMax))
}
