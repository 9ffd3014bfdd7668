import t from 'tap'
import {
  BLOCK_BATCH_COUNT,
  BLOCK_CODEC,
  BLOCK_CODEC_LZ4,
  BLOCK_CODEC_RAW,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CRC,
  BLOCK_PARTITION,
  BLOCK_RAW_BYTES,
  BLOCK_RAW_BYTES_MAX,
  BLOCK_RESERVED,
  BLOCK_STORED_BYTES,
  BLOCK_STORED_CRC,
  crc32c,
  dataView,
  decodeBlock,
  iterateBatches,
} from '../../format/index.js'
import { smallSegment, TOPIC_A, withByte } from './samples.js'

const segment = smallSegment()
const rawEntry = segment.index.blocks[0]!
const lz4Entry = segment.index.blocks[2]!
const rawBlock = segment.bytes.slice(rawEntry.position, rawEntry.position + rawEntry.bytes)
const lz4Block = segment.bytes.slice(lz4Entry.position, lz4Entry.position + lz4Entry.bytes)

/** The block with a header field set, and with CRCs that hide it. */
function withField(block: Uint8Array, position: number, value: number): Uint8Array {
  const changed = block.slice()
  const view = dataView(changed)
  view.setUint32(position, value)
  return sealed(changed)
}

function sealed(block: Uint8Array): Uint8Array {
  const view = dataView(block)
  view.setUint32(BLOCK_STORED_CRC, crc32c(block.subarray(BLOCK_HEADER_BYTES)))
  view.setUint32(BLOCK_HEADER_CRC, crc32c(block.subarray(0, BLOCK_HEADER_CRC)))
  return block
}

t.test('a block is read alone, wherever it lies', async (t) => {
  t.equal(rawEntry.codec, BLOCK_CODEC_RAW)
  t.equal(lz4Entry.codec, BLOCK_CODEC_LZ4)
  for (const [entry, batchCount] of [[rawEntry, 1] as const, [lz4Entry, 1] as const]) {
    const block = decodeBlock(segment.bytes, entry.position)
    t.match(block, {
      batchCount,
      bytes: entry.bytes,
      storedBytes: entry.bytes - BLOCK_HEADER_BYTES,
      header: { topicId: TOPIC_A, partition: entry.partition, codec: entry.codec, storedCrc: entry.storedCrc },
    })
    t.equal(block.rawBytes.byteLength, entry.rawBytes)
    t.equal([...iterateBatches(block.rawBytes)].length, batchCount)
  }
})

t.test('of a raw block the batches are a view, of an LZ4 block a copy of their own', async (t) => {
  t.equal(decodeBlock(rawBlock).rawBytes.buffer, rawBlock.buffer)
  const { rawBytes } = decodeBlock(lz4Block)
  t.not(rawBytes.buffer, lz4Block.buffer)
  t.equal(rawBytes.constructor, Uint8Array, 'slice() of it copies')
})

t.test('headers that lie with right CRCs', async (t) => {
  const cases = [
    ['reserved bytes', 'BLOCK_RESERVED', sealed(withByte(rawBlock, BLOCK_RESERVED + 2, 1))],
    ['codec 2', 'BLOCK_CODEC', sealed(withByte(rawBlock, BLOCK_CODEC, 2))],
    ['negative partition', 'BLOCK_BOUNDS', withField(rawBlock, BLOCK_PARTITION, 0xffffffff)],
    ['no batches', 'BLOCK_BOUNDS', withField(rawBlock, BLOCK_BATCH_COUNT, 0)],
    ['more batches than fit', 'BLOCK_BOUNDS', withField(rawBlock, BLOCK_BATCH_COUNT, 2)],
    ['raw with another size', 'BLOCK_BOUNDS', withField(rawBlock, BLOCK_RAW_BYTES, rawEntry.rawBytes + 1)],
    ['beyond the limit', 'BLOCK_BOUNDS', withField(lz4Block, BLOCK_RAW_BYTES, BLOCK_RAW_BYTES_MAX + 1)],
    ['stored bytes beyond the end', 'BLOCK_TOO_SHORT', withField(lz4Block, BLOCK_STORED_BYTES, 0xffffffff)],
    ['another raw size than the prefix', 'BLOCK_LZ4', withField(lz4Block, BLOCK_RAW_BYTES, lz4Entry.rawBytes + 1)],
    ['raw bytes called LZ4', 'BLOCK_LZ4', sealed(withByte(rawBlock, BLOCK_CODEC, BLOCK_CODEC_LZ4))],
  ] as const
  for (const [name, code, bytes] of cases) t.throws(() => decodeBlock(bytes), { name: 'FormatError', code }, name)
})

t.test('a huge declared size is refused before it is allocated', async (t) => {
  const bomb = withField(lz4Block, BLOCK_RAW_BYTES, BLOCK_RAW_BYTES_MAX)
  dataView(bomb).setUint32(BLOCK_HEADER_BYTES, BLOCK_RAW_BYTES_MAX, true)
  sealed(bomb)
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 20; round += 1) t.throws(() => decodeBlock(bomb), { code: 'BLOCK_LZ4' })
  t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024)
})

t.test('LZ4 bytes damaged under a right CRC give an error or the declared size, never a crash', async (t) => {
  for (let position = BLOCK_HEADER_BYTES; position < lz4Block.byteLength; position += 1) {
    for (const value of [0x00, 0x0f, 0xf0, 0xff]) {
      try {
        t.equal(decodeBlock(sealed(withByte(lz4Block, position, value))).rawBytes.byteLength, lz4Entry.rawBytes)
      } catch (error) {
        t.match(error, { name: 'FormatError', code: 'BLOCK_LZ4' })
      }
    }
  }
})

t.test('every bit of header and stored bytes is covered, every cut is noticed', async (t) => {
  for (const block of [rawBlock, lz4Block]) {
    for (let position = 0; position < block.byteLength; position += 1) {
      const code = position < 4 ? 'BLOCK_MAGIC' : position < BLOCK_HEADER_BYTES ? 'BLOCK_HEADER_CRC' : 'BLOCK_CRC'
      for (let bit = 0; bit < 8; bit += 1) {
        const value = block[position]! ^ (1 << bit)
        t.throws(() => decodeBlock(withByte(block, position, value)), { code }, `byte ${position}, bit ${bit}`)
      }
      t.throws(() => decodeBlock(block.subarray(0, position)), { code: 'BLOCK_TOO_SHORT' })
    }
  }
  t.throws(() => decodeBlock(rawBlock, rawBlock.byteLength + 5), { code: 'BLOCK_TOO_SHORT' })
})

t.test('batches that do not fill their block', async (t) => {
  const { rawBytes } = decodeBlock(rawBlock)
  t.throws(() => [...iterateBatches(rawBytes.subarray(0, -1))], { code: 'BATCH_LENGTH' })
  t.throws(() => [...iterateBatches(rawBytes.subarray(0, 60))], { code: 'BATCH_TOO_SHORT' })
  const more = new Uint8Array(rawBytes.byteLength + 1)
  more.set(rawBytes)
  t.throws(() => [...iterateBatches(more)], { code: 'BATCH_TOO_SHORT' })
  t.strictSame([...iterateBatches(new Uint8Array(0))], [])
})
