import t from 'tap'
import { type BatchRun, decodeRun, runOfBlocks } from '../../../engine/fetch/extent-decoder.js'
import { encodeSegment, readBatchHeader, type SegmentBatch } from '../../../format/index.js'
import { batchOf, TOPIC_ID } from '../../support/test-log.js'

const SEGMENT_ID = '018bcfe5-6800-7000-8000-000000000001'
const counts = [3, 1, 4, 1, 5, 9]

/** All blocks of a segment of one partition, as a range of the object. */
function blocksOf(level: 0 | 1, baseOffset = 0): Uint8Array {
  let next = baseOffset
  const batches = counts.map((count, fill): SegmentBatch => {
    const offset = next
    next += count
    const bytes = batchOf(count, { fill, baseOffset: level === 0 ? 0 : offset })
    return { topicId: TOPIC_ID, partition: 3, bytes, ...(level === 0 ? {} : { baseOffset: offset }) }
  })
  const header = { segmentId: SEGMENT_ID, level, createdAtMs: 0 }
  const { bytes, index } = encodeSegment(header, batches, { blockTargetBytes: 300 })
  const first = index.blocks[0]
  const last = index.blocks.at(-1)
  return bytes.slice(first?.position, (last?.position ?? 0) + (last?.bytes ?? 0))
}

function runOf(rest: Partial<BatchRun> = {}): BatchRun {
  return {
    topicId: TOPIC_ID,
    partition: 3,
    level: 0,
    baseOffset: 100,
    endOffset: 123,
    batchSkipCount: 0,
    batchCount: 6,
    ...rest,
  }
}

const decode = (run: BatchRun, bytes = blocksOf(0)) => {
  return [...decodeRun(runOfBlocks(run, bytes))].map((batch) => [batch.baseOffset, batch.endOffset])
}

t.test('level 0: offsets are counted from the base offset of the run', async (t) => {
  t.same(decode(runOf()), [
    [100, 103],
    [103, 104],
    [104, 108],
    [108, 109],
    [109, 114],
    [114, 123],
  ])
})

t.test('batches are told by their place, and what was read is not changed', async (t) => {
  const bytes = blocksOf(0)
  const before = bytes.slice()
  for (const batch of decodeRun(runOfBlocks(runOf(), bytes))) {
    t.equal(readBatchHeader(batch.memory, batch.position).bytes, batch.bytes)
  }
  t.same(bytes, before)
})

t.test('skipped batches take no offsets, and what follows the run is left out', async (t) => {
  t.same(decode(runOf({ batchSkipCount: 2, batchCount: 3, endOffset: 110 })), [
    [100, 104],
    [104, 105],
    [105, 110],
  ])
})

t.test('above level 0 the batches carry their offsets', async (t) => {
  const run = runOf({ level: 1, batchSkipCount: 1, batchCount: 2, baseOffset: 103, endOffset: 108 })
  t.same(decode(run, blocksOf(1, 100)), [
    [103, 104],
    [104, 108],
  ])
})

t.test('plain batches need no block', async (t) => {
  const loaded = {
    run: runOf({ batchCount: 2, endOffset: 107 }),
    memories: () => [batchOf(3), batchOf(4)],
  }
  t.same(
    [...decodeRun(loaded)].map((batch) => batch.baseOffset),
    [100, 103],
  )
})

t.test('bytes that are not what the catalog says are damage', async (t) => {
  t.throws(() => decode(runOf({ batchCount: 7 })), { code: 'BLOCK_BATCHES' }, 'too few batches')
  t.throws(() => decode(runOf({ endOffset: 122 })), { code: 'BLOCK_BATCHES' }, 'too many records')
  t.throws(() => decode(runOf({ endOffset: 124 })), { code: 'BLOCK_BATCHES' }, 'too few records')
  t.throws(() => decode(runOf({ partition: 4 })), { code: 'BLOCK_MISMATCH' }, 'another partition')
  t.throws(
    () => decode(runOf({ level: 1, baseOffset: 101 }), blocksOf(1, 100)),
    { code: 'BLOCK_BATCHES' },
    'earlier offsets',
  )
  t.throws(() => decode(runOf(), blocksOf(0).slice(0, -1)), { code: 'BLOCK_TOO_SHORT' })
  const damaged = blocksOf(0)
  damaged[60] = (damaged[60] ?? 0) ^ 1
  t.throws(() => decode(runOf(), damaged), { code: 'BLOCK_CRC' })
})

t.test('blocks are decoded only as far as they are asked for', async (t) => {
  const bytes = blocksOf(0)
  bytes[bytes.byteLength - 1] = (bytes[bytes.byteLength - 1] ?? 0) ^ 1
  const batches = decodeRun(runOfBlocks(runOf(), bytes))
  t.equal(batches.next().done, false)
  t.throws(() => [...batches], { code: 'BLOCK_CRC' })
})
