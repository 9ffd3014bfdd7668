import t from 'tap'
import { firstBlockAt, indexedBatches, narrowExtent } from '../../../engine/fetch/fetch-plan.js'
import type { BatchEntry, BlockEntry, SegmentIndex } from '../../../format/index.js'
import { EXTENT_TOPIC_ID, extentOf } from '../../support/extents.js'

/** Blocks of three batches of two records and 100 bytes each, one after the other from position 100. */
function indexOf(blockCount: number, baseOffset = -1): SegmentIndex {
  const blocks: BlockEntry[] = Array.from({ length: blockCount }, (_, block) => ({
    topicId: EXTENT_TOPIC_ID,
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
