import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compress as compressSnappy } from 'snappyjs'
import t from 'tap'
import {
  BATCH_ATTRIBUTES,
  BATCH_CRC,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  crc32c,
  decompressRecords,
  encodeRawBatch,
  encodeRecordBatch,
  FormatError,
  iterateRecords,
  RECORD_CODEC_GZIP,
  RECORD_CODEC_LZ4,
  RECORD_CODEC_NAMES,
  RECORD_CODEC_SNAPPY,
  RECORD_CODEC_ZSTD,
  validateProducedBatch,
} from '../../format/index.js'
import { compressLz4Frame } from '../../format/lz4.js'
import { FOREIGN_COMPRESSIONS } from '../golden/foreign-compressions.js'
import { fuzz, fuzzSeed, INPUT_TIME_MAX_MS, mutated, mutations, randomBytes } from './fuzzing.js'

t.comment(`HEADRACE_FUZZ_SEED=${fuzzSeed}`)

const RECORDS_BYTES_MAX = 1 << 20

const utf8 = new TextEncoder()
const records = Array.from({ length: 20 }, (_, number) => ({
  timestampMs: 1_700_000_000_000 + number * 2 ** 20,
  key: number % 3 === 0 ? null : utf8.encode(`key ${number}`),
  value: number % 5 === 4 ? null : utf8.encode('all work and no play '.repeat(number)),
  headers: number % 2 === 0 ? [] : [{ key: 'trace', value: utf8.encode('é') }],
}))

const encoded = (['none', 'gzip', 'snappy', 'lz4'] as const).map((compression) =>
  encodeRecordBatch({ records, compression, producerId: 5, producerEpoch: 1, baseSequence: 2 }),
)
/** Of other programs, zstd among them; their contents are no records, which is one more thing to find out. */
const foreign = FOREIGN_COMPRESSIONS.map(({ codec, base64 }) => rawBatch(codec, Buffer.from(base64, 'base64')))
const batches = [...encoded, ...foreign]

function rawBatch(attributes: number, stored: Uint8Array): Uint8Array {
  return encodeRawBatch({
    records: stored,
    baseOffset: 0,
    leaderEpoch: 0,
    attributes,
    lastOffsetDelta: 0,
    baseTimestampMs: 0,
    maxTimestampMs: 0,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: 1,
  })
}

/** Undefined when the bytes were fine. Whatever is thrown that is no FormatError is a bug. */
function formatErrorOf(action: () => void): FormatError | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof FormatError) return error
    throw error
  }
}

function readAll(batch: Uint8Array): void {
  let bytes = 0
  let previousOffset = -Infinity
  const limit = Math.max(RECORDS_BYTES_MAX, batch.byteLength)
  for (const record of iterateRecords(batch, { recordsBytesMax: RECORDS_BYTES_MAX })) {
    bytes += (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0)
    if (!Number.isSafeInteger(record.offset) || !Number.isSafeInteger(record.timestampMs)) {
      throw new Error(`offset ${record.offset}, timestamp ${record.timestampMs} are not exact`)
    }
    if (record.offset <= previousOffset) throw new Error(`offset ${record.offset} follows ${previousOffset}`)
    previousOffset = record.offset
  }
  if (bytes > limit) throw new Error(`${bytes} bytes came out, the limit is ${limit}`)
}

/** Length and CRC put right, so that what is behind them is reached. */
function withTrueFront(batch: Uint8Array): Uint8Array {
  if (batch.byteLength < BATCH_HEADER_BYTES) return batch
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  view.setInt32(BATCH_LENGTH, batch.byteLength - BATCH_LENGTH_OVERHEAD)
  view.setUint32(BATCH_CRC, crc32c(batch.subarray(BATCH_ATTRIBUTES)))
  return batch
}

t.test('random bytes', async () => {
  fuzz(randomBytes(200), 3000, (bytes) => {
    formatErrorOf(() => void validateProducedBatch(bytes))
    formatErrorOf(() => readAll(bytes))
  })
})

t.test('a produced batch with any change outside of offset and epoch is refused', async (t) => {
  fuzz(fc.tuple(fc.constantFrom(...encoded), mutations), 3000, ([batch, changes]) => {
    const changed = mutated(batch, changes)
    const error = formatErrorOf(() => void validateProducedBatch(changed))
    formatErrorOf(() => readAll(changed))
    if (error === undefined && !sameButPatch(changed, batch)) throw new Error('a damaged batch was taken')
  })
  t.pass()
})

/** What a broker writes into a batch lies outside of its CRC: base offset and leader epoch. */
function sameButPatch(changed: Uint8Array, batch: Uint8Array): boolean {
  const inPatch = (position: number) =>
    position < BATCH_LENGTH || (position >= BATCH_LENGTH_OVERHEAD && position < BATCH_MAGIC)
  return (
    changed.byteLength === batch.byteLength &&
    batch.every((byte, position) => inPatch(position) || changed[position] === byte)
  )
}

t.test('headers with a true length and CRC that mean anything', async () => {
  fuzz(fc.tuple(fc.constantFrom(...batches), mutations), 2000, ([batch, changes]) => {
    const front = mutated(batch.subarray(0, BATCH_HEADER_BYTES), changes)
    const changed = withTrueFront(new Uint8Array(Buffer.concat([front, batch.subarray(BATCH_HEADER_BYTES)])))
    formatErrorOf(() => void validateProducedBatch(changed))
    formatErrorOf(() => readAll(changed))
  })
})

t.test('damaged records of every codec behind a true header', async () => {
  fuzz(fc.tuple(fc.constantFrom(...batches), mutations), 4000, ([batch, changes]) => {
    const body = mutated(batch.subarray(BATCH_HEADER_BYTES), changes)
    const changed = withTrueFront(new Uint8Array(Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), body])))
    formatErrorOf(() => readAll(changed))
  })
})

t.test('random bytes as records of every codec', async () => {
  const codec = fc.integer({ min: 0, max: 7 })
  fuzz(fc.tuple(codec, randomBytes(300)), 2000, ([attributes, stored]) => {
    formatErrorOf(() => readAll(rawBatch(attributes, stored)))
  })
})

// ---- bombs

const MIB = 1 << 20
const zeros = new Uint8Array(64 * MIB)

/** Blocks of one repeated byte each: 4 stored bytes become 128 KiB. */
function zstdBomb(blocks: number): Uint8Array {
  const front = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]
  const block = (last: boolean) => {
    const header = (last ? 1 : 0) | (1 << 1) | ((128 << 10) << 3)
    return [header & 0xff, (header >>> 8) & 0xff, header >>> 16, 0x61]
  }
  return Uint8Array.from([
    ...front,
    ...Array.from({ length: blocks }, (_, number) => block(number === blocks - 1)).flat(),
  ])
}

/** A window descriptor for 8 MiB, which every reader must take, and next to nothing behind it. */
const ZSTD_EMPTY_FRAME = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 0x0b, 0x00, 0x00, 0x61]

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return new Uint8Array(Buffer.concat(new Array<Uint8Array>(times).fill(bytes)))
}

function xerial(chunk: Uint8Array, times: number): Uint8Array {
  const header = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(chunk.byteLength)
  return new Uint8Array(Buffer.concat([header, repeated(Buffer.concat([length, chunk]), times)]))
}

const bombs: readonly { readonly name: string; readonly codec: number; readonly stored: () => Uint8Array }[] = [
  { name: '64 MiB of zeros', codec: RECORD_CODEC_GZIP, stored: () => gzipSync(zeros) },
  {
    name: '64 members of 1 MiB',
    codec: RECORD_CODEC_GZIP,
    stored: () => repeated(gzipSync(zeros.subarray(0, MIB)), 64),
  },
  { name: '64 MiB of zeros', codec: RECORD_CODEC_SNAPPY, stored: () => compressSnappy(zeros) },
  {
    name: 'a declared length of 4 GiB',
    codec: RECORD_CODEC_SNAPPY,
    stored: () => Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0),
  },
  {
    name: '64 chunks of 1 MiB',
    codec: RECORD_CODEC_SNAPPY,
    stored: () => xerial(compressSnappy(zeros.subarray(0, MIB)), 64),
  },
  { name: '64 MiB of zeros', codec: RECORD_CODEC_LZ4, stored: () => compressLz4Frame(zeros) },
  {
    name: 'a large frame behind an empty one',
    codec: RECORD_CODEC_LZ4,
    stored: () => new Uint8Array(Buffer.concat([compressLz4Frame(zeros.subarray(0, 10)), compressLz4Frame(zeros)])),
  },
  { name: '64 MiB in one frame', codec: RECORD_CODEC_ZSTD, stored: () => zstdBomb(512) },
  { name: '512 frames of 128 KiB', codec: RECORD_CODEC_ZSTD, stored: () => repeated(zstdBomb(1), 512) },
  {
    name: '100,000 frames of one byte, each with a window of 8 MiB',
    codec: RECORD_CODEC_ZSTD,
    stored: () => repeated(Uint8Array.from(ZSTD_EMPTY_FRAME), 100_000),
  },
]

for (const { name, codec, stored } of bombs) {
  t.test(`${RECORD_CODEC_NAMES[codec]} bomb: ${name}`, async (t) => {
    const bomb = stored()
    const arrayBytesBefore = process.memoryUsage().arrayBuffers
    const startedMs = performance.now()
    const error = formatErrorOf(() => {
      const { byteLength } = decompressRecords(codec, bomb, RECORDS_BYTES_MAX)
      t.ok(byteLength <= RECORDS_BYTES_MAX, `${byteLength} bytes came out`)
    })
    const tookMs = performance.now() - startedMs
    const arrayBytes = process.memoryUsage().arrayBuffers - arrayBytesBefore
    t.ok(error === undefined || error.code === 'RECORD_COMPRESSION', error?.message ?? 'within its limit')
    t.ok(tookMs < INPUT_TIME_MAX_MS, `within ${Math.round(tookMs)} ms`)
    t.ok(arrayBytes < 32 * MIB, `with ${Math.round(arrayBytes / MIB)} MiB`)
  })
}
