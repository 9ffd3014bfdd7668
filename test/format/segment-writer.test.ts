import t from 'tap'
import {
  BLOCK_CODEC_LZ4,
  BLOCK_CODEC_RAW,
  BLOCK_HEADER_BYTES,
  encodeRecordBatch,
  encodeSegment,
  readBatchHeader,
  SegmentWriter,
  verifySegment,
} from '../../format/index.js'
import {
  ascii,
  batchOf,
  SEGMENT_ID,
  smallSegment,
  smallSegmentBatches,
  sourceOf,
  TIME_MS,
  TOPIC_A,
  TOPIC_B,
} from './samples.js'

const HEADER = { segmentId: SEGMENT_ID, level: 0, createdAtMs: TIME_MS }

/** Deterministic bytes without any repetition LZ4 could use. */
function noise(bytes: number, seed = 1): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  })
}

function valueBatch(value: Uint8Array, compression: 'none' | 'gzip' = 'none'): Uint8Array {
  return encodeRecordBatch({ records: [{ timestampMs: TIME_MS, value }], compression })
}

function segmentOf(batches: readonly Uint8Array[], blockTargetBytes?: number) {
  const entries = batches.map((bytes) => ({ topicId: TOPIC_A, partition: 0, bytes }))
  return encodeSegment(HEADER, entries, blockTargetBytes === undefined ? {} : { blockTargetBytes })
}

t.test('the index describes what was written', async (t) => {
  const { bytes, index } = smallSegment()
  t.match(index, HEADER)
  t.strictSame(
    index.blocks.map(({ topicId, partition, codec, recordCount }) => [topicId, partition, codec, recordCount]),
    [
      [TOPIC_A, 0, BLOCK_CODEC_RAW, 2],
      [TOPIC_A, 0, BLOCK_CODEC_RAW, 2],
      [TOPIC_A, 3, BLOCK_CODEC_LZ4, 1],
      [TOPIC_B, 0, BLOCK_CODEC_RAW, 4],
    ],
  )
  const last = index.blocks[3]!
  t.equal(last.minTimestampMs, TIME_MS)
  t.equal(last.maxTimestampMs, TIME_MS + 2)
  t.strictSame(
    last.batches.map(({ position, recordCount, lastOffsetDelta, baseOffset }) => [
      position,
      recordCount,
      lastOffsetDelta,
      baseOffset,
    ]),
    [
      [0, 1, 0, -1],
      [last.batches[0]!.bytes, 3, 2, -1],
    ],
  )
  t.match(index.blocks[1]!.batches[0], {
    producerId: 7,
    producerEpoch: 1,
    baseSequence: 2,
    maxTimestampMs: TIME_MS + 1,
  })
  t.strictSame((await verifySegment(sourceOf(bytes))).damages, [])
})

t.test('above level 0 the index has the offsets', async (t) => {
  const { index } = smallSegment(2)
  t.equal(index.level, 2)
  t.strictSame(
    index.blocks.flatMap(({ batches }) => batches.map(({ baseOffset }) => baseOffset)),
    [100, 102, 104, 105, 106],
  )
})

t.test('blocks close at the target', async (t) => {
  const batch = valueBatch(noise(1000))
  const size = batch.byteLength
  const blocksOf = (count: number, target: number) =>
    segmentOf(Array(count).fill(batch), target).index.blocks.map(({ batches }) => batches.length)
  t.strictSame(blocksOf(7, 3 * size), [3, 3, 1])
  t.strictSame(blocksOf(7, 4 * size - 1), [3, 3, 1])
  t.strictSame(blocksOf(3, 1), [1, 1, 1], 'a batch larger than the target has a block of its own')
})

t.test('what LZ4 cannot shrink is stored raw', async (t) => {
  const codecOf = (batch: Uint8Array) => segmentOf([batch]).index.blocks[0]!.codec
  t.equal(codecOf(valueBatch(ascii('repetition '.repeat(50)))), BLOCK_CODEC_LZ4, 'small and repetitive')
  t.equal(codecOf(valueBatch(ascii('repetition '.repeat(9000)))), BLOCK_CODEC_LZ4, 'large and repetitive')
  t.equal(codecOf(valueBatch(noise(600))), BLOCK_CODEC_RAW, 'small noise')
  t.equal(codecOf(valueBatch(noise(100_000))), BLOCK_CODEC_RAW, 'large noise')
  t.equal(codecOf(valueBatch(ascii('aaaa'.repeat(30)))), BLOCK_CODEC_RAW, 'too small to try')
  t.equal(
    codecOf(valueBatch(ascii('repetition '.repeat(90_000)), 'gzip')),
    BLOCK_CODEC_RAW,
    'compressed by the producer',
  )
})

t.test('a partition may change its nature', async (t) => {
  const text = valueBatch(ascii('repetition '.repeat(9000)))
  const random = valueBatch(noise(100_000))
  const { bytes, index } = segmentOf([text, text, random, random, text], 100_000)
  const expected = [text, text, random, random, text].map((batch) =>
    batch === text ? BLOCK_CODEC_LZ4 : BLOCK_CODEC_RAW,
  )
  t.strictSame(
    index.blocks.map(({ codec }) => codec),
    expected,
  )
  t.strictSame((await verifySegment(sourceOf(bytes))).damages, [])
})

t.test('batches side by side in memory and batches far apart give the same bytes', async (t) => {
  const batches = [1, 2, 3].map((number) => batchOf([`value ${number} `.repeat(100)]))
  const arena = new Uint8Array(new SharedArrayBuffer(100_000))
  let end = 0
  const adjacent = batches.map((batch) => {
    arena.set(batch, end)
    end += batch.byteLength
    return arena.subarray(end - batch.byteLength, end)
  })
  t.strictSame(segmentOf(adjacent).bytes, segmentOf(batches).bytes)
})

t.test('the sink gets everything in order, and the writer counts it', async (t) => {
  const chunks: Uint8Array[] = []
  const writer = new SegmentWriter(HEADER, (bytes) => chunks.push(bytes.slice()), { blockTargetBytes: 160 })
  for (const { topicId, partition, bytes } of smallSegmentBatches(0)) {
    writer.appendBatch(topicId, partition, bytes, readBatchHeader(bytes))
  }
  t.ok(writer.objectBytes > 3 * BLOCK_HEADER_BYTES, 'blocks leave before the end')
  const { objectBytes, index } = writer.finish()
  t.equal(objectBytes, writer.objectBytes)
  t.strictSame(new Uint8Array(Buffer.concat(chunks)), smallSegment().bytes)
  t.strictSame(index, smallSegment().index)
})

t.test('an empty segment is a segment', async (t) => {
  const { bytes, index } = encodeSegment(HEADER, [])
  t.strictSame(index.blocks, [])
  t.strictSame(await verifySegment(sourceOf(bytes)), { damages: [], index })
})

t.test('misuse is an assertion', async (t) => {
  const batch = batchOf(['x'])
  const header = readBatchHeader(batch)
  const writer = (level = 0) => new SegmentWriter({ ...HEADER, level }, () => {}, { blockTargetBytes: 1 })
  const assertion = { name: 'AssertionError' }

  const unordered = writer()
  unordered.appendBatch(TOPIC_B, 0, batch, header)
  t.throws(() => unordered.appendBatch(TOPIC_A, 0, batch, header), assertion)
  const partitions = writer()
  partitions.appendBatch(TOPIC_A, 10, batch, header)
  t.throws(() => partitions.appendBatch(TOPIC_A, 9, batch, header), assertion, 'numbers, not text')

  t.throws(() => writer(0).appendBatch(TOPIC_A, 0, batch, header, 5), assertion)
  t.throws(() => writer(1).appendBatch(TOPIC_A, 0, batch, header), assertion)
  t.throws(() => writer().appendBatch(TOPIC_A, 0, batch.subarray(1), header), assertion)
  const finished = writer()
  finished.finish()
  t.throws(() => finished.finish(), assertion)
  t.throws(() => finished.appendBatch(TOPIC_A, 0, batch, header), assertion)
  t.throws(() => writer(-1), RangeError)
  t.throws(() => writer(65_536), RangeError)
  t.throws(() => new SegmentWriter({ ...HEADER, createdAtMs: -1 }, () => {}), RangeError)
  t.throws(() => new SegmentWriter({ ...HEADER, segmentId: 'x' }, () => {}), RangeError)
})
