import { compress as compressSnappy } from 'snappyjs'
import t from 'tap'
import {
  ByteWriter,
  dataView,
  decompressRecords,
  encodeRawBatch,
  encodeRecordBatch,
  iterateRecords,
  RECORD_CODEC_GZIP,
  RECORD_CODEC_LZ4,
  RECORD_CODEC_SNAPPY,
  RECORD_CODEC_ZSTD,
  type RecordInput,
  readBatchHeader,
} from '../../format/index.js'
import { FOREIGN_COMPRESSIONS, PLAIN_TEXT } from '../golden/foreign-compressions.js'
import { ascii, TIME_MS } from './samples.js'

const RECORDS: readonly RecordInput[] = [
  {
    timestampMs: TIME_MS,
    key: ascii('k'),
    value: ascii('v'.repeat(500)),
    headers: [{ key: 'trace', value: ascii('1') }],
  },
  { timestampMs: TIME_MS - 5, key: null, value: null, headers: [{ key: 'é', value: null }] },
  { timestampMs: TIME_MS + 2 ** 40, key: new Uint8Array(0), value: new Uint8Array(0) },
]

/** Decoded records of a batch whose record bytes are given as they are. */
function decodeRaw(records: Uint8Array, recordCount = 1, fields: object = {}) {
  const batch = encodeRawBatch({
    records,
    baseOffset: 0,
    leaderEpoch: 0,
    attributes: 0,
    lastOffsetDelta: 1000,
    baseTimestampMs: 0,
    maxTimestampMs: 9,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount,
    ...fields,
  })
  return [...iterateRecords(batch)]
}

for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const) {
  t.test(`records survive ${compression}`, async (t) => {
    const batch = encodeRecordBatch({ records: RECORDS, compression, baseOffset: 40 })
    t.equal(readBatchHeader(batch).maxTimestampMs, TIME_MS + 2 ** 40)
    t.strictSame(
      [...iterateRecords(batch)].map((record) => ({ ...record })),
      RECORDS.map((record, number) => ({
        offset: 40 + number,
        timestampMs: record.timestampMs,
        key: record.key,
        value: record.value,
        headers: record.headers ?? [],
      })),
    )
    t.strictSame(
      [...iterateRecords(batch, { baseOffset: 7 })].map(({ offset }) => offset),
      [7, 8, 9],
    )
  })
}

t.test('holes and LogAppendTime', async (t) => {
  const records = [0, 3, 9].map((offsetDelta) => ({ timestampMs: TIME_MS + offsetDelta, offsetDelta }))
  const batch = encodeRecordBatch({ records, baseOffset: 100, logAppendTime: true })
  t.strictSame(
    [...iterateRecords(batch)].map(({ offset, timestampMs }) => [offset, timestampMs]),
    [100, 103, 109].map((offset) => [offset, TIME_MS + 9]),
  )
  t.throws(() => encodeRecordBatch({ records: [] }), RangeError)
})

t.test('what other programs compressed', async (t) => {
  for (const { codec, by, base64 } of FOREIGN_COMPRESSIONS) {
    const stored = new Uint8Array(Buffer.from(base64, 'base64'))
    t.equal(new TextDecoder().decode(decompressRecords(codec, stored, 65_536)), PLAIN_TEXT, by)
    const twice = Buffer.concat([stored, stored])
    if (codec === RECORD_CODEC_ZSTD) t.equal(decompressRecords(codec, twice, 65_536).byteLength, 7480, `two of ${by}`)
    for (let length = 0; length < stored.byteLength; length += 1) {
      try {
        const cut = decompressRecords(codec, stored.subarray(0, length), 65_536)
        // Without a checksum nothing but the batch's CRC can tell; no record must come from nowhere.
        t.ok(PLAIN_TEXT.startsWith(new TextDecoder().decode(cut)), `${by} cut at ${length}`)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'RECORD_COMPRESSION')) throw error
      }
    }
  }
})

t.test('snappy in xerial frames, as Java producers send it', async (t) => {
  const frame = new ByteWriter()
  frame.raw(Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0))
  frame.int32(1)
  frame.int32(1)
  for (const part of ['hello ', 'world '.repeat(50)]) {
    const chunk = compressSnappy(ascii(part))
    frame.int32(chunk.byteLength)
    frame.raw(chunk)
  }
  const stored = frame.finish()
  const raw = decompressRecords(RECORD_CODEC_SNAPPY, stored, 1000)
  t.equal(new TextDecoder().decode(raw), `hello ${'world '.repeat(50)}`)
  const code = 'RECORD_COMPRESSION'
  t.throws(() => decompressRecords(RECORD_CODEC_SNAPPY, stored.subarray(0, -1), 1000), { code })
  t.throws(() => decompressRecords(RECORD_CODEC_SNAPPY, stored.subarray(0, 18), 1000), { code })
  t.throws(() => decompressRecords(RECORD_CODEC_SNAPPY, stored, 305), { code }, 'the limit is that of all chunks')
})

t.test('bombs are refused before they go off', async (t) => {
  const code = 'RECORD_COMPRESSION'
  const zeros = new Uint8Array(4 * 1024 * 1024)
  for (const compression of ['gzip', 'snappy', 'lz4'] as const) {
    const batch = encodeRecordBatch({ records: [{ timestampMs: 0, value: zeros }], compression })
    t.throws(() => [...iterateRecords(batch, { recordsBytesMax: 1024 * 1024 })], { code }, compression)
    t.equal([...iterateRecords(batch, { recordsBytesMax: 8 * 1024 * 1024 })].length, 1)
  }
  const memoryBefore = process.memoryUsage().arrayBuffers
  const snappyOf2GiB = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0, 0)
  t.throws(() => decompressRecords(RECORD_CODEC_SNAPPY, snappyOf2GiB, 2 ** 31), { code }, 'snappy of 2 GiB in 7 bytes')
  // A window of 1.75 GiB, one empty last block.
  const zstdOf2GiB = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xa6, 1, 0, 0)
  t.throws(() => decompressRecords(RECORD_CODEC_ZSTD, zstdOf2GiB, 2 ** 28), { code, message: /window/ })
  const zstdSingle = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)
  t.throws(() => decompressRecords(RECORD_CODEC_ZSTD, zstdSingle, 2 ** 28), { code, message: /window/ })
  const lz4Blocks = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 100, 0, 0, 0, ...Array(100).fill(0), 0, 0, 0, 0]
  t.throws(() => decompressRecords(RECORD_CODEC_LZ4, Uint8Array.from(lz4Blocks), 25_000), { code, message: /25500/ })
  t.ok(process.memoryUsage().arrayBuffers - memoryBefore < 64 * 1024 * 1024, 'nothing large was allocated')
})

t.test('damaged compressed bytes', async (t) => {
  const code = 'RECORD_COMPRESSION'
  const junk = Uint8Array.from({ length: 40 }, (_, index) => index * 7)
  for (const codec of [RECORD_CODEC_GZIP, RECORD_CODEC_SNAPPY, RECORD_CODEC_LZ4, RECORD_CODEC_ZSTD, 5, 7]) {
    t.throws(() => decompressRecords(codec, junk, 1000), { name: 'FormatError', code }, `codec ${codec}`)
    t.throws(
      () => decompressRecords(codec === 4 ? 3 : codec, new Uint8Array(0), 1000),
      { code },
      `codec ${codec}, empty`,
    )
  }
})

t.test('records that cannot be', async (t) => {
  const one = [12, 0, 0, 0, 1, 1, 0]
  t.equal(decodeRaw(Uint8Array.from(one)).length, 1)
  const cases: readonly (readonly [string, string, readonly number[], number?])[] = [
    ['count far beyond the bytes', 'RECORD_COUNT', one, 2 ** 31 - 1],
    ['negative count', 'RECORD_COUNT', one, -1],
    ['bytes after the last record', 'RECORD_COUNT', [...one, ...one], 1],
    ['length beyond the end', 'RECORD_BOUNDS', [14, 0, 0, 0, 1, 1, 0]],
    ['length too small', 'RECORD_BOUNDS', [10, 0, 0, 0, 1, 1, 0]],
    ['negative length', 'RECORD_BOUNDS', [1, 0, 0, 0, 1, 1, 0]],
    ['key beyond the end', 'RECORD_BOUNDS', [12, 0, 0, 0, 100, 1, 0]],
    ['key length -2', 'RECORD_BOUNDS', [12, 0, 0, 0, 3, 1, 0]],
    ['header count beyond the end', 'RECORD_BOUNDS', [12, 0, 0, 0, 1, 1, 100]],
    ['header count -1', 'RECORD_BOUNDS', [12, 0, 0, 0, 1, 1, 1]],
    ['negative offset delta', 'RECORD_VALUES', [12, 0, 0, 1, 1, 1, 0]],
    ['offset deltas do not ascend', 'RECORD_VALUES', [...one, ...one], 2],
  ]
  for (const [name, code, bytes, count] of cases) {
    t.throws(() => decodeRaw(Uint8Array.from(bytes), count ?? 1), { name: 'FormatError', code }, name)
  }
  t.throws(() => decodeRaw(Uint8Array.from(one), 1, { lastOffsetDelta: -1 }), { code: 'RECORD_VALUES' })
})

t.test('only a whole, intact batch is decoded', async (t) => {
  const batch = encodeRecordBatch({ records: RECORDS })
  t.throws(() => [...iterateRecords(batch.subarray(0, -1))], { code: 'BATCH_LENGTH' })
  const damaged = batch.slice()
  dataView(damaged).setUint8(80, 1)
  t.throws(() => [...iterateRecords(damaged)], { code: 'BATCH_CRC' })
})
