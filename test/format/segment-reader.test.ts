import t from 'tap'
import {
  encodeSegment,
  FOOTER_BYTES,
  openSegment,
  parseTail,
  readBlock,
  type SegmentBatch,
  TAIL_READ_BYTES,
  verifySegment,
} from '../../format/index.js'
import { batchOf, SEGMENT_ID, smallSegment, sourceOf, TIME_MS, TOPIC_A } from './samples.js'

/** An index of about 88 KiB: more than the first read. */
function segmentOfManyBatches() {
  const bytes = batchOf(['x'])
  const batches: SegmentBatch[] = Array.from({ length: 2000 }, () => ({ topicId: TOPIC_A, partition: 0, bytes }))
  return encodeSegment({ segmentId: SEGMENT_ID, level: 0, createdAtMs: TIME_MS }, batches)
}

t.test('a small segment takes one read', async (t) => {
  const { bytes, index } = smallSegment()
  const source = sourceOf(bytes)
  const opened = await openSegment(source)
  t.strictSame(opened.index, index)
  t.match(opened.footer, { blockCount: 4, partitionCount: 3, batchCount: 5, recordCount: 9 })
  t.strictSame(source.reads, [[0, bytes.byteLength]])
})

t.test('a large segment with a small index takes one read of its end', async (t) => {
  const value = Array.from({ length: 30_000 }, (_, index) => (index * 2_654_435_761) % 1_000_003).join(',')
  const batches = [1, 2, 3].map(() => ({ topicId: TOPIC_A, partition: 0, bytes: batchOf([value]) }))
  const { bytes, index } = encodeSegment({ segmentId: SEGMENT_ID, level: 0, createdAtMs: TIME_MS }, batches)
  t.ok(bytes.byteLength > TAIL_READ_BYTES)
  const source = sourceOf(bytes)
  t.strictSame((await openSegment(source)).index, index)
  t.strictSame(source.reads, [[bytes.byteLength - TAIL_READ_BYTES, TAIL_READ_BYTES]])
})

t.test('a large index takes a second read, of it and the footer', async (t) => {
  const { bytes, index } = segmentOfManyBatches()
  const source = sourceOf(bytes)
  const { footer, index: read } = await openSegment(source)
  t.strictSame(read, index)
  t.strictSame(source.reads, [
    [bytes.byteLength - TAIL_READ_BYTES, TAIL_READ_BYTES],
    [footer.indexPosition, bytes.byteLength - footer.indexPosition],
  ])
})

t.test('planning from every length of tail', async (t) => {
  const { bytes, index } = smallSegment()
  const size = bytes.byteLength
  const indexPosition = index.blocks.at(-1)!.position + index.blocks.at(-1)!.bytes
  for (let length = FOOTER_BYTES; length <= size; length += 1) {
    const plan = parseTail(bytes.subarray(size - length), size)
    if (plan.done) t.strictSame(plan.index, index)
    else t.strictSame(plan, { done: false, position: indexPosition, bytes: size - indexPosition })
    t.equal(plan.done, length >= size - indexPosition)
  }
  t.throws(() => parseTail(bytes.subarray(size - 10), size), { code: 'SEGMENT_TOO_SHORT' })
})

t.test('an object that changes under the reader', async (t) => {
  const { bytes } = segmentOfManyBatches()
  let reads = 0
  const source = {
    objectBytes: bytes.byteLength,
    readRange: async (position: number, length: number) => {
      reads += 1
      return reads === 1 ? bytes.slice(position, position + length) : bytes.slice(bytes.byteLength - 100)
    },
  }
  await t.rejects(openSegment(source), { code: 'FOOTER_BOUNDS' })
})

t.test('blocks by their entries', async (t) => {
  const { bytes, index } = smallSegment()
  const [first, second] = index.blocks
  const source = sourceOf(bytes)
  t.equal((await readBlock(source, first!)).rawBytes.byteLength, first!.rawBytes)
  // Same partition, same size: only the CRC tells them apart.
  await t.rejects(readBlock(source, { ...second!, position: first!.position }), {
    code: 'BLOCK_MISMATCH',
    position: first!.position,
  })
})

t.test('errors of the store pass through', async (t) => {
  const failure = new Error('the store is away')
  const source = { objectBytes: 1000, readRange: () => Promise.reject(failure) }
  await t.rejects(openSegment(source), failure)
  await t.rejects(verifySegment(source), failure)
  await t.rejects(openSegment({ ...source, objectBytes: 10 }), { code: 'SEGMENT_TOO_SHORT' })
})
