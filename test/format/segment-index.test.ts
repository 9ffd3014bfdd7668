import t from 'tap'
import {
  type BatchEntry,
  type BlockEntry,
  comparePartitions,
  dataView,
  decodeIndex,
  encodeIndex,
  indexBytes,
  type SegmentIndex,
} from '../../format/index.js'
import {
  BATCH_ENTRY_BASE_OFFSET,
  BATCH_ENTRY_POSITION,
  BATCH_ENTRY_RESERVED,
  BLOCK_ENTRY_BYTES,
  ENTRY_BATCH_COUNT,
  ENTRY_CODEC,
  ENTRY_RAW_BYTES,
  ENTRY_RECORD_COUNT,
  ENTRY_RESERVED,
  INDEX_BLOCK_COUNT,
  INDEX_CREATED_AT,
  INDEX_HEADER_BYTES,
  INDEX_RESERVED,
} from '../../format/segment-index.js'
import { smallSegment, TOPIC_A, withBitFlipped } from './samples.js'

const FIRST_BLOCK = INDEX_HEADER_BYTES
const FIRST_BATCH = FIRST_BLOCK + BLOCK_ENTRY_BYTES

function withUint32(bytes: Uint8Array, position: number, value: number): Uint8Array {
  const changed = bytes.slice()
  dataView(changed).setUint32(position, value)
  return changed
}

t.test('round trip at both kinds of level', async (t) => {
  for (const level of [0, 3]) {
    const { index } = smallSegment(level)
    const bytes = encodeIndex(index)
    t.equal(bytes.byteLength, indexBytes(index))
    t.strictSame(decodeIndex(bytes), index)
  }
})

t.test('each rung for bytes', async (t) => {
  const bytes = encodeIndex(smallSegment(1).index)
  const cases = [
    ['shorter than its header', 'INDEX_BOUNDS', bytes.subarray(0, INDEX_HEADER_BYTES - 1)],
    ['cut in a block entry', 'INDEX_BOUNDS', bytes.subarray(0, FIRST_BLOCK + 10)],
    ['cut in a batch entry', 'INDEX_BOUNDS', bytes.subarray(0, FIRST_BATCH + 10)],
    ['bytes after the end', 'INDEX_BOUNDS', Uint8Array.from([...bytes, 0])],
    ['fewer blocks than follow', 'INDEX_BOUNDS', withUint32(bytes, INDEX_BLOCK_COUNT, 1)],
    ['2^32-1 blocks', 'INDEX_BOUNDS', withUint32(bytes, INDEX_BLOCK_COUNT, 0xffffffff)],
    ['2^32-1 batches', 'INDEX_BOUNDS', withUint32(bytes, FIRST_BLOCK + ENTRY_BATCH_COUNT, 0xffffffff)],
    ['no batches', 'INDEX_BOUNDS', withUint32(bytes, FIRST_BLOCK + ENTRY_BATCH_COUNT, 0)],
    ['4 GiB raw', 'INDEX_BOUNDS', withUint32(bytes, FIRST_BLOCK + ENTRY_RAW_BYTES, 0xffffffff)],
    ['less raw bytes than a batch', 'INDEX_BOUNDS', withUint32(bytes, FIRST_BLOCK + ENTRY_RAW_BYTES, 60)],
    ['first batch not at 0', 'INDEX_BOUNDS', withUint32(bytes, FIRST_BATCH + BATCH_ENTRY_POSITION, 1)],
    ['reserved bytes of the header', 'INDEX_RESERVED', withUint32(bytes, INDEX_RESERVED - 2, 0x10001)],
    ['reserved bytes of a block', 'INDEX_RESERVED', withUint32(bytes, FIRST_BLOCK + ENTRY_RESERVED - 1, 1)],
    ['reserved bytes of a batch', 'INDEX_RESERVED', withUint32(bytes, FIRST_BATCH + BATCH_ENTRY_RESERVED - 2, 0x10001)],
    ['codec 2', 'INDEX_VALUES', withUint32(bytes, FIRST_BLOCK + ENTRY_CODEC, 0x02000000)],
    ['creation time beyond safe integers', 'INDEX_VALUES', withUint32(bytes, INDEX_CREATED_AT, 0x7fffffff)],
    ['record count beyond', 'INDEX_COUNTS', withUint32(bytes, FIRST_BLOCK + ENTRY_RECORD_COUNT, 0x7fffffff)],
    ['offset beyond', 'INDEX_ORDER', withUint32(bytes, FIRST_BATCH + BATCH_ENTRY_BASE_OFFSET, 0x7fffffff)],
  ] as const
  for (const [name, code, changed] of cases) t.throws(() => decodeIndex(changed), { name: 'FormatError', code }, name)
})

/** The small segment's index with its first block, or that block's batch, changed. */
function changed(level: number, block: Partial<BlockEntry>, batch: Partial<BatchEntry> = {}): SegmentIndex {
  const { index } = smallSegment(level)
  const [first, ...rest] = index.blocks
  const batches = first!.batches.map((entry) => ({ ...entry, ...batch }))
  return { ...index, blocks: [{ ...first!, batches, ...block }, ...rest] }
}

t.test('each rung for meaning', async (t) => {
  const { index } = smallSegment(1)
  const [first, second, third] = index.blocks as [BlockEntry, BlockEntry, BlockEntry]
  const cases: readonly (readonly [string, string, SegmentIndex])[] = [
    ['not at the segment header’s end', 'INDEX_ORDER', changed(1, { position: 49 })],
    ['a gap between blocks', 'INDEX_VALUES', changed(1, { bytes: first.bytes + 1 })],
    ['negative partition', 'INDEX_VALUES', changed(1, { partition: -1 })],
    ['partitions do not ascend', 'INDEX_ORDER', changed(1, { partition: 5 })],
    ['topics do not ascend', 'INDEX_ORDER', changed(1, { topicId: `f${TOPIC_A.slice(1)}` })],
    ['min timestamp -2', 'INDEX_VALUES', changed(1, { minTimestampMs: -2 })],
    ['max timestamp not of a batch', 'INDEX_VALUES', changed(1, { maxTimestampMs: 5 })],
    ['record count not the sum', 'INDEX_COUNTS', changed(1, { recordCount: 3 })],
    ['no records', 'INDEX_VALUES', changed(1, {}, { recordCount: 0 })],
    ['fewer offsets than records', 'INDEX_VALUES', changed(1, {}, { lastOffsetDelta: 0 })],
    ['producer id -2', 'INDEX_VALUES', changed(1, {}, { producerId: -2 })],
    ['producer without epoch', 'INDEX_VALUES', changed(1, {}, { producerEpoch: -1 })],
    ['producer without sequence', 'INDEX_VALUES', changed(1, {}, { baseSequence: -1 })],
    ['batch max timestamp -2', 'INDEX_VALUES', changed(1, {}, { maxTimestampMs: -2 })],
    ['offset at level 0', 'INDEX_VALUES', changed(0, {}, { baseOffset: 5 })],
    ['no offset above level 0', 'INDEX_ORDER', changed(1, {}, { baseOffset: -1 })],
    ['offsets overlap over blocks', 'INDEX_ORDER', changed(1, {}, { baseOffset: 101 })],
    ['blocks swapped', 'INDEX_ORDER', { ...index, blocks: [second, first, third] }],
  ]
  for (const [name, code, wrong] of cases) {
    t.throws(() => decodeIndex(encodeIndex(wrong)), { name: 'FormatError', code }, name)
  }
})

t.test('holes above level 0 are fine, and every partition begins where it likes', async (t) => {
  const index = changed(1, {}, { baseOffset: 50, lastOffsetDelta: 40 })
  t.strictSame(decodeIndex(encodeIndex(index)), index)
})

t.test('an index has one form: what decodes encodes to the same bytes', async (t) => {
  for (const level of [0, 1]) {
    const bytes = encodeIndex(smallSegment(level).index)
    let decoded = 0
    for (let position = 0; position < bytes.byteLength; position += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const damaged = withBitFlipped(bytes, position, bit)
        try {
          const again = encodeIndex(decodeIndex(damaged))
          decoded += 1
          if (Buffer.compare(again, damaged) !== 0) t.fail(`byte ${position}, bit ${bit}`)
        } catch (error) {
          if (!(error instanceof Error && error.name === 'FormatError')) throw error
        }
      }
    }
    t.ok(decoded > 0)
  }
})

t.test('the order of partitions', async (t) => {
  const at = (topicId: string, partition: number) => ({ topicId, partition })
  t.equal(comparePartitions(at('a', 1), at('a', 1)), 0)
  t.ok(comparePartitions(at('a', 2), at('a', 10)) < 0)
  t.ok(comparePartitions(at('b', 0), at('a', 10)) > 0)
  t.ok(comparePartitions(at('a', 10), at('b', 0)) < 0)
})
