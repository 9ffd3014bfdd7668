import t from 'tap'
import {
  firstBlockAt,
  indexedBatches,
  narrowExtent,
  type PlanPartition,
  planRound,
  readBytesBound,
} from '../../../engine/fetch/fetch-plan.js'
import type { Extent } from '../../../engine/ports/catalog.js'
import type { BatchEntry, BlockEntry, SegmentIndex } from '../../../format/index.js'

const topicId = '5bd1f5b2-7a2e-4d0c-9d53-1234567890ab'

function extentOf(baseOffset: number, endOffset: number, rest: Partial<Extent> = {}): Extent {
  return {
    topicId,
    partition: 0,
    baseOffset,
    endOffset,
    segmentId: `segment-${baseOffset}`,
    objectKey: `segments/${baseOffset}`,
    objectBytes: 10_000,
    level: 0,
    position: 100,
    bytes: 1000,
    batchSkipCount: 0,
    batchCount: 1,
    maxTimestampMs: 0,
    ...rest,
  }
}

const unlimited = { bytesLeft: 1e9, segmentsMax: 1e9 }

function partitionOf(extents: readonly Extent[], rest: Partial<PlanPartition> = {}): PlanPartition {
  return { nextOffset: 0, bytesLeft: 1e6, isDue: false, extents, ...rest }
}

/** Partition, base offset and byte limit of each read. */
const reads = (...args: Parameters<typeof planRound>) =>
  planRound(...args).map(({ partition, extent, bytesMax }) => [partition, extent.baseOffset, bytesMax])

/** Partition and base offset of each read. */
const places = (...args: Parameters<typeof planRound>) => reads(...args).map((read) => read.slice(0, 2))

t.test('nothing to read, nothing planned', async (t) => {
  t.same(planRound([], unlimited), [])
  t.same(planRound([partitionOf([])], unlimited), [])
})

t.test('oldest segments first, each from its beginning, until the budgets are spent', async (t) => {
  const first = [
    extentOf(0, 10, { segmentId: 'a', position: 9000 }),
    extentOf(10, 20, { segmentId: 'b', position: 9000 }),
    extentOf(20, 30, { segmentId: 'c', position: 9000 }),
  ]
  const second = [
    extentOf(50, 60, { segmentId: 'a', position: 100 }),
    extentOf(60, 70, { segmentId: 'b', position: 100 }),
  ]
  const partitions = [partitionOf(first, { bytesLeft: 1500 }), partitionOf([]), partitionOf(second)]
  t.same(reads(partitions, unlimited), [
    [2, 50, 1e6],
    [0, 0, 1500],
    [2, 60, 999_000],
    [0, 10, 500],
  ])
  t.same(reads(partitions, { ...unlimited, bytesLeft: 1800 }), [
    [2, 50, 1800],
    [0, 0, 800],
  ])
})

t.test('a partition keeps the order of its offsets where segments were committed in another order', async (t) => {
  const extents = [
    extentOf(0, 10, { segmentId: 'b', position: 5000 }),
    extentOf(10, 20, { segmentId: 'a', position: 100 }),
    extentOf(20, 30, { segmentId: 'c', position: 50 }),
  ]
  t.same(places([partitionOf(extents)], unlimited), [
    [0, 0],
    [0, 10],
    [0, 20],
  ])
})

t.test('a partition that is due comes first, with one extent', async (t) => {
  const old = partitionOf([extentOf(0, 10, { segmentId: 'a' }), extentOf(10, 20, { segmentId: 'b' })])
  const due = partitionOf([extentOf(50, 60, { segmentId: 'y' }), extentOf(60, 70, { segmentId: 'z' })], { isDue: true })
  t.same(places([old, due], unlimited), [
    [1, 50],
    [0, 0],
    [0, 10],
    [1, 60],
  ])
})

t.test('a partition whose next segment is one too many waits, those in segments already read go on', async (t) => {
  const shared = [extentOf(0, 10, { segmentId: 'a' }), extentOf(10, 20, { segmentId: 'a' })]
  const other = [extentOf(50, 60, { segmentId: 'b' }), extentOf(60, 70, { segmentId: 'c' })]
  t.same(places([partitionOf(shared), partitionOf(other)], { ...unlimited, segmentsMax: 1 }), [
    [0, 0],
    [0, 10],
  ])
})

t.test('an extent entered late counts for what is left of it', async (t) => {
  const extents = [extentOf(0, 10), extentOf(10, 20)]
  t.same(reads([partitionOf(extents, { nextOffset: 9, bytesLeft: 1000 })], unlimited), [
    [0, 0, 1000],
    [0, 10, 900],
  ])
})

t.test('one read at least, whatever the limits; segments are bounded', async (t) => {
  const extents = [extentOf(0, 10), extentOf(10, 20), extentOf(20, 30)]
  t.same(reads([partitionOf(extents, { bytesLeft: 0 })], { bytesLeft: 0, segmentsMax: 1 }), [[0, 0, 1]])
  t.equal(planRound([partitionOf(extents)], { ...unlimited, segmentsMax: 2 }).length, 2)
  const shared = extents.map((extent) => ({ ...extent, segmentId: 'same' }))
  t.equal(planRound([partitionOf(shared)], { ...unlimited, segmentsMax: 1 }).length, 3)
})

t.test('what a read may hold is bounded by extent and budget', async (t) => {
  const read = (bytes: number, bytesMax: number) => {
    return { partition: 0, extent: extentOf(0, 10, { bytes }), fromOffset: 0, bytesMax }
  }
  t.equal(readBytesBound(read(900, 1), 1000), 900)
  t.equal(readBytesBound(read(9000, 1), 1000), 1000)
  t.equal(readBytesBound(read(9000, 3000), 1000), 3000)
  t.equal(readBytesBound(read(9000, 30_000), 1000), 9000)
})

/** Blocks of three batches of two records and 100 bytes each, one after the other from position 100. */
function indexOf(blockCount: number, baseOffset = -1): SegmentIndex {
  const blocks: BlockEntry[] = Array.from({ length: blockCount }, (_, block) => ({
    topicId,
    partition: 0,
    position: 100 + block * 200,
    bytes: 200,
    rawBytes: 300,
    codec: 1,
    storedCrc: 0,
    recordCount: 6,
    minTimestampMs: 0,
    maxTimestampMs: 0,
    batches: [0, 1, 2].map((batch): BatchEntry => {
      return {
        position: batch * 100,
        bytes: 100,
        baseOffset: baseOffset < 0 ? -1 : baseOffset + block * 6 + batch * 2,
        lastOffsetDelta: 1,
        recordCount: 2,
        producerId: -1,
        producerEpoch: -1,
        baseSequence: -1,
        maxTimestampMs: block * 10 + batch,
      }
    }),
  }))
  return { segmentId: 'one', level: baseOffset < 0 ? 0 : 1, createdAtMs: 0, blocks }
}

t.test('the index gives the batches of an extent their offsets', async (t) => {
  const extent = extentOf(50, 60, { position: 300, bytes: 400, batchSkipCount: 1, batchCount: 5 })
  const batches = [...indexedBatches(extent, indexOf(4))]
  t.same(
    batches.map((batch) => [batch.block.position, batch.baseOffset, batch.endOffset]),
    [
      [300, 50, 52],
      [300, 52, 54],
      [500, 54, 56],
      [500, 56, 58],
      [500, 58, 60],
    ],
  )
  const compacted = { ...extent, level: 1, baseOffset: 1008, endOffset: 1018 }
  t.same(
    [...indexedBatches(compacted, indexOf(4, 1000))].map((batch) => batch.baseOffset),
    [1008, 1010, 1012, 1014, 1016],
  )
})

t.test('an index without the batches the catalog names is damage', async (t) => {
  const missing = extentOf(0, 100, { position: 300, bytes: 400, batchCount: 7 })
  t.throws(() => [...indexedBatches(missing, indexOf(4))], { code: 'INDEX_COUNTS' })
  t.throws(() => [...indexedBatches({ ...missing, partition: 1, batchCount: 1 }, indexOf(4))], { code: 'INDEX_COUNTS' })
})

t.test('an extent is narrowed to the blocks needed', async (t) => {
  const extent = extentOf(50, 72, { position: 100, bytes: 800, batchSkipCount: 1, batchCount: 11 })
  const narrow = (offset: number, bytesMax: number) => {
    const part = narrowExtent(extent, indexOf(4), offset, bytesMax)
    return [part.position, part.bytes, part.batchSkipCount, part.batchCount, part.baseOffset, part.endOffset]
  }
  t.same(narrow(50, 1e6), [100, 800, 1, 11, 50, 72], 'all of it')
  t.same(narrow(50, 1), [100, 200, 1, 2, 50, 54], 'the first block keeps its skipped batch')
  t.same(narrow(53, 1), [100, 200, 1, 2, 50, 54])
  t.same(narrow(54, 1), [300, 200, 0, 3, 54, 60])
  t.same(narrow(59, 1), [300, 200, 0, 3, 54, 60])
  t.same(narrow(59, 101), [300, 400, 0, 6, 54, 66], 'bytes count from the batch that contains the offset')
  t.same(narrow(71, 1e6), [700, 200, 0, 3, 66, 72])
})

t.test('blocks are found by position', async (t) => {
  const { blocks } = indexOf(4)
  t.same(
    [0, 100, 101, 300, 700, 701].map((position) => firstBlockAt(blocks, position)),
    [0, 0, 1, 1, 3, 4],
  )
})
