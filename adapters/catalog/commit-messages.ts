import { decodeOutcome, encodeOutcome, offsetCountsOf } from '../../engine/commit/commit-outcome.js'
import type { SegmentId, TopicId } from '../../engine/model.js'
import type { CommitBatch, CommitBlock, CommitSegment, SegmentOutcome } from '../../engine/ports/catalog.js'

/**
 * A commit on its way between the threads: numbers in one array and outcomes as they are stored, because a message writes and reads an
 * object with all its names for each batch, some 2 µs of the main thread (docs/performance.md).
 */
export interface PackedSegments {
  readonly heads: readonly SegmentHead[]
  /** Each once; blocks name them by their place. */
  readonly topicIds: readonly TopicId[]
  /** Of each block `BLOCK_COLUMNS` numbers, followed by `BATCH_COLUMNS` of each of its batches. */
  readonly numbers: Float64Array<ArrayBuffer>
}

interface SegmentHead extends Omit<CommitSegment, 'blocks'> {
  readonly blockCount: number
}

export type PackedOutcome =
  | { readonly segmentId: SegmentId; readonly committed: true; readonly outcome: Uint8Array }
  | Extract<SegmentOutcome, { committed: false }>

/** topic, partition, position, bytes, batch count */
const BLOCK_COLUMNS = 5
/** offset count, producer id, epoch, base sequence, max timestamp, after loss */
const BATCH_COLUMNS = 6

export function packSegments(segments: readonly CommitSegment[]): PackedSegments {
  const topics = new Map<TopicId, number>()
  const numbers = new Float64Array(numberCountOf(segments))
  let at = 0
  const heads = segments.map(({ segmentId, objectKey, objectBytes, blocks }): SegmentHead => {
    for (const { topicId, partition, position, bytes, batches } of blocks) {
      const topic = topics.get(topicId) ?? topics.size
      topics.set(topicId, topic)
      numbers[at] = topic
      numbers[at + 1] = partition
      numbers[at + 2] = position
      numbers[at + 3] = bytes
      numbers[at + 4] = batches.length
      at += BLOCK_COLUMNS
      for (const batch of batches) {
        numbers[at] = batch.offsetCount
        numbers[at + 1] = batch.producerId
        numbers[at + 2] = batch.producerEpoch
        numbers[at + 3] = batch.baseSequence
        numbers[at + 4] = batch.maxTimestampMs
        numbers[at + 5] = batch.afterLoss === true ? 1 : 0
        at += BATCH_COLUMNS
      }
    }
    return { segmentId, objectKey, objectBytes, blockCount: blocks.length }
  })
  return { heads, topicIds: [...topics.keys()], numbers }
}

function numberCountOf(segments: readonly CommitSegment[]): number {
  let count = 0
  for (const { blocks } of segments) {
    count += blocks.length * BLOCK_COLUMNS
    for (const { batches } of blocks) count += batches.length * BATCH_COLUMNS
  }
  return count
}

export function unpackSegments({ heads, topicIds, numbers }: PackedSegments): CommitSegment[] {
  const reader = new NumberReader(numbers)
  return heads.map(({ segmentId, objectKey, objectBytes, blockCount }) => {
    const blocks = Array.from({ length: blockCount }, () => readBlock(reader, topicIds))
    return { segmentId, objectKey, objectBytes, blocks }
  })
}

class NumberReader {
  #at = 0

  constructor(private readonly numbers: Float64Array) {}

  next(): number {
    const number = this.numbers[this.#at++]
    if (number === undefined) throw new RangeError('the numbers of a commit end early')
    return number
  }
}

function readBlock(reader: NumberReader, topicIds: readonly TopicId[]): CommitBlock {
  const topicId = topicIds[reader.next()]
  if (topicId === undefined) throw new RangeError('a block names a topic that the commit has not')
  const [partition, position, bytes, batchCount] = [reader.next(), reader.next(), reader.next(), reader.next()]
  const batches: CommitBatch[] = []
  for (let number = 0; number < batchCount; number++) batches.push(readBatch(reader))
  return { topicId, partition, position, bytes, batches }
}

/** A literal of one shape for nearly all: a spread would give each its own. */
function readBatch(reader: NumberReader): CommitBatch {
  const offsetCount = reader.next()
  const producerId = reader.next()
  const producerEpoch = reader.next()
  const baseSequence = reader.next()
  const maxTimestampMs = reader.next()
  const batch = { offsetCount, producerId, producerEpoch, baseSequence, maxTimestampMs }
  return reader.next() === 1 ? { ...batch, afterLoss: true } : batch
}

/** Of the same segments, in order. */
export function packOutcomes(outcomes: readonly SegmentOutcome[], segments: readonly CommitSegment[]): PackedOutcome[] {
  return outcomes.map((outcome, index) => {
    if (!outcome.committed) return outcome
    const { segmentId, batches } = outcome
    return { segmentId, committed: true, outcome: encodeOutcome(batches, countsOf(segments, index)) }
  })
}

export function unpackOutcomes(packed: readonly PackedOutcome[], segments: readonly CommitSegment[]): SegmentOutcome[] {
  return packed.map((outcome, index) => {
    if (!outcome.committed) return outcome
    const { segmentId } = outcome
    return { segmentId, committed: true, batches: decodeOutcome(outcome.outcome, countsOf(segments, index)) }
  })
}

function countsOf(segments: readonly CommitSegment[], index: number): number[] {
  const segment = segments[index]
  if (segment === undefined) throw new RangeError(`there is no segment ${index}`)
  return offsetCountsOf(segment)
}
