import t from 'tap'
import {
  BATCH_ATTRIBUTES,
  BATCH_CRC,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_MAGIC,
  crc32c,
  dataView,
  encodeRawBatch,
  type FormatErrorCode,
  lastSequenceOf,
  patchBatch,
  type RawBatchInput,
  readBatchHeader,
  recordCodecName,
  validateProducedBatch,
} from '../../format/index.js'
import { batchOf, TIME_MS, withBitFlipped } from './samples.js'

const GOOD: RawBatchInput = {
  records: new Uint8Array(20),
  baseOffset: 0,
  leaderEpoch: -1,
  attributes: 0,
  lastOffsetDelta: 1,
  baseTimestampMs: TIME_MS,
  maxTimestampMs: TIME_MS + 1,
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  recordCount: 2,
}

t.test('a good batch', async (t) => {
  const bytes = encodeRawBatch({ ...GOOD, producerId: 2 ** 40, producerEpoch: 3, baseSequence: 9, attributes: 4 })
  const header = validateProducedBatch(bytes)
  t.match(header, {
    baseOffset: 0,
    bytes: BATCH_HEADER_BYTES + 20,
    leaderEpoch: -1,
    attributes: 4,
    recordCodec: 4,
    lastOffsetDelta: 1,
    baseTimestampMs: TIME_MS,
    maxTimestampMs: TIME_MS + 1,
    producerId: 2 ** 40,
    producerEpoch: 3,
    baseSequence: 9,
    recordCount: 2,
  })
  const shifted = new Uint8Array(bytes.byteLength + 5)
  shifted.set(bytes, 5)
  t.strictSame(readBatchHeader(shifted, 5), header)
})

t.test('every rung of the ladder', async (t) => {
  const cases: readonly (readonly [string, FormatErrorCode | 'accepted', Partial<RawBatchInput>])[] = [
    ['codec 5', 'BATCH_CODEC', { attributes: 5 }],
    ['codec 7', 'BATCH_CODEC', { attributes: 7 }],
    ['control', 'BATCH_CONTROL', { attributes: 0x20 }],
    ['transactional', 'BATCH_ATTRIBUTES', { attributes: 0x10 }],
    ['LogAppendTime and unused bits', 'accepted', { attributes: 0xff88 }],
    ['no records', 'BATCH_COUNT', { recordCount: 0, lastOffsetDelta: -1 }],
    ['negative count', 'BATCH_COUNT', { recordCount: -5 }],
    ['delta too small', 'BATCH_COUNT', { lastOffsetDelta: 0 }],
    ['delta too large', 'BATCH_COUNT', { lastOffsetDelta: 2 }],
    ['producer id -2', 'BATCH_PRODUCER', { producerId: -2 }],
    ['producer without epoch', 'BATCH_PRODUCER', { producerId: 1, baseSequence: 0 }],
    ['producer without sequence', 'BATCH_PRODUCER', { producerId: 1, producerEpoch: 0 }],
    ['no timestamps', 'accepted', { baseTimestampMs: -1, maxTimestampMs: -1 }],
    ['base timestamp -2', 'BATCH_TIMESTAMP', { baseTimestampMs: -2 }],
    ['max timestamp -2', 'BATCH_TIMESTAMP', { maxTimestampMs: -2 }],
    ['greatest numbers', 'accepted', { maxTimestampMs: Number.MAX_SAFE_INTEGER, producerId: -1 }],
  ]
  for (const [name, code, fields] of cases) {
    const bytes = encodeRawBatch({ ...GOOD, ...fields })
    if (code === 'accepted') t.doesNotThrow(() => validateProducedBatch(bytes), name)
    else t.throws(() => validateProducedBatch(bytes), { name: 'FormatError', code }, name)
  }
})

t.test('numbers that are no safe integers', async (t) => {
  for (const [position, code] of [
    [0, 'BATCH_OFFSET'],
    [27, 'BATCH_TIMESTAMP'],
    [35, 'BATCH_TIMESTAMP'],
    [43, 'BATCH_PRODUCER'],
  ] as const) {
    const bytes = encodeRawBatch(GOOD)
    const view = dataView(bytes)
    view.setBigInt64(position, 2n ** 53n)
    view.setUint32(BATCH_CRC, crc32c(bytes.subarray(BATCH_ATTRIBUTES)))
    t.throws(() => validateProducedBatch(bytes), { code })
  }
})

t.test('size, magic and length come before the CRC', async (t) => {
  const bytes = encodeRawBatch(GOOD)
  for (let length = 0; length < bytes.byteLength; length += 1) {
    const code = length < BATCH_HEADER_BYTES ? 'BATCH_TOO_SHORT' : 'BATCH_LENGTH'
    t.throws(() => validateProducedBatch(bytes.subarray(0, length)), { code })
  }
  const two = new Uint8Array(bytes.byteLength * 2)
  two.set(bytes)
  two.set(bytes, bytes.byteLength)
  t.throws(() => validateProducedBatch(two), { code: 'BATCH_LENGTH' }, 'two batches')
  for (const [magic, code] of [0, 1, 3].map((magic) => [magic, 'BATCH_MAGIC'] as const)) {
    const old = bytes.slice()
    old[BATCH_MAGIC] = magic
    t.throws(() => validateProducedBatch(old), { code })
  }
  for (const length of [-1, 0, 48, -(2 ** 31)]) {
    const wrong = bytes.slice()
    dataView(wrong).setInt32(BATCH_LENGTH, length)
    t.throws(() => validateProducedBatch(wrong), { code: 'BATCH_LENGTH' })
  }
})

t.test('every bit flip is found, but for the fields a broker rewrites', async (t) => {
  const bytes = batchOf(['one', 'two'])
  const accepted = new Set<number>()
  for (let position = 0; position < bytes.byteLength; position += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      try {
        validateProducedBatch(withBitFlipped(bytes, position, bit))
        accepted.add(position)
      } catch (error) {
        if (!(error instanceof Error && error.name === 'FormatError')) throw error
      }
    }
  }
  t.ok([...accepted].every((position) => position < BATCH_LENGTH || (position >= 12 && position < BATCH_MAGIC)))
})

t.test('patching leaves the CRC right', async (t) => {
  const bytes = new Uint8Array(200)
  bytes.set(batchOf(['x']), 7)
  patchBatch(bytes, 7, 2 ** 45 + 3, 12)
  const header = readBatchHeader(bytes, 7)
  t.equal(header.baseOffset, 2 ** 45 + 3)
  t.equal(header.leaderEpoch, 12)
  validateProducedBatch(bytes.subarray(7, 7 + header.bytes))
})

t.test('sequences wrap', async (t) => {
  t.equal(lastSequenceOf(0, 9), 9)
  t.equal(lastSequenceOf(2 ** 31 - 1, 0), 2 ** 31 - 1)
  t.equal(lastSequenceOf(2 ** 31 - 1, 1), 0)
  t.equal(lastSequenceOf(2 ** 31 - 3, 9), 6)
  t.equal(lastSequenceOf(-1, 9), -1)
})

t.test('codec names', async (t) => {
  t.strictSame([0, 1, 2, 3, 4, 5].map(recordCodecName), ['none', 'gzip', 'snappy', 'lz4', 'zstd', 'unknown(5)'])
})
