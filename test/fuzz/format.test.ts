import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  comparePartitions,
  crc32c,
  decodeBlock,
  decodeIndex,
  encodeIndex,
  encodeRecordBatch,
  encodeSegment,
  FormatError,
  iterateBatches,
  iterateRecords,
  openSegment,
  type RecordInput,
  readBlock,
  type SegmentBatch,
  validateProducedBatch,
  verifySegment,
} from '../../format/index.js'
import { sourceOf, TIME_MS, withByte } from '../format/samples.js'

/** Properties of the format over generated segments and over bytes that make no sense. */

function plainRecord<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })
const record: fc.Arbitrary<RecordInput> = plainRecord({
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  key: bytesOrNull,
  value: fc.oneof(
    bytesOrNull,
    fc.nat(2000).map((length) => new Uint8Array(length).fill(length)),
  ),
  headers: fc.array(plainRecord({ key: fc.string({ maxLength: 9 }), value: bytesOrNull }), { maxLength: 3 }),
})
const producer = fc.oneof(
  fc.constant({}),
  fc.record({
    producerId: fc.maxSafeNat(),
    producerEpoch: fc.nat(32_767),
    baseSequence: fc.nat(2 ** 31 - 1),
  }),
)
const batch = fc
  .tuple(fc.array(record, { minLength: 1, maxLength: 5 }), producer, fc.constantFrom('none', 'gzip', 'lz4', 'snappy'))
  .map(([records, fields, compression]) => ({
    records,
    bytes: encodeRecordBatch({ records, compression: compression as 'none', ...fields }),
  }))
const topicIds = [
  '00000000-0000-4000-8000-000000000001',
  '7fffffff-ffff-4fff-bfff-ffffffffffff',
  'ffffffff-0000-4000-8000-000000000000',
]
const entry = fc.record({ topicId: fc.constantFrom(...topicIds), partition: fc.constantFrom(0, 1, 2 ** 31 - 1), batch })
const segment = fc.record({
  header: fc.record({
    segmentId: fc.uuid(),
    level: fc.constantFrom(0, 1, 65_535),
    createdAtMs: fc.maxSafeNat(),
  }),
  entries: fc.array(entry, { maxLength: 12 }),
  blockTargetBytes: fc.constantFrom(1, 500, 3000, 128 * 1024),
})

/** Above level 0, offsets with a hole before every batch. */
function withOffsets(
  entries: readonly { topicId: string; partition: number; bytes: Uint8Array }[],
  level: number,
): SegmentBatch[] {
  return entries.map((batch, number) => (level === 0 ? batch : { ...batch, baseOffset: number * 1000 }))
}

t.test('what goes in comes out, through every layer', async () => {
  await fc.assert(
    fc.asyncProperty(segment, async ({ header, entries, blockTargetBytes }) => {
      const batches = withOffsets(
        entries.map(({ topicId, partition, batch }) => ({ topicId, partition, bytes: batch.bytes })),
        header.level,
      )
      const { bytes, index } = encodeSegment(header, batches, { blockTargetBytes })
      const source = sourceOf(bytes)
      const report = await verifySegment(source)
      if (report.damages.length > 0) throw new Error(JSON.stringify(report.damages))
      const opened = await openSegment(source)
      const read: Uint8Array[][] = []
      equal(opened.index, index)
      equal(decodeIndex(encodeIndex(index)), index)
      for (const block of opened.index.blocks) {
        const { rawBytes } = await readBlock(source, block)
        const first = block === opened.index.blocks.find((other) => comparePartitions(block, other) === 0)
        if (first) read.push([])
        for (const { position, header } of iterateBatches(rawBytes)) {
          const batch = rawBytes.slice(position, position + header.bytes)
          validateProducedBatch(batch)
          read.at(-1)!.push(batch)
        }
      }
      equal(read, byPartition(batches))
    }),
    { numRuns: 150 },
  )
})

t.test('records come out as they went in', async () => {
  fc.assert(
    fc.property(batch, ({ records, bytes }) => {
      equal(
        Array.from(iterateRecords(bytes), ({ timestampMs, key, value, headers }) => ({
          timestampMs,
          key,
          value,
          headers,
        })),
        records,
      )
    }),
    { numRuns: 200 },
  )
})

t.test('any bytes at all give a FormatError or a value', async () => {
  const noise = fc.uint8Array({ maxLength: 400 })
  fc.assert(
    fc.property(noise, (bytes) => {
      for (const decode of [decodeBlock, decodeIndex, validateProducedBatch, walk])
        onlyFormatErrors(() => decode(bytes))
    }),
    { numRuns: 500 },
  )
})

t.test('a good batch with any byte changed, CRC or not, never breaks the record decoder', async () => {
  const records = [
    { timestampMs: TIME_MS, key: new Uint8Array(3), value: new Uint8Array(40), headers: [{ key: 'h', value: null }] },
    { timestampMs: TIME_MS, value: new Uint8Array(9) },
  ]
  fc.assert(
    fc.property(
      fc.constantFrom('none', 'gzip', 'lz4', 'snappy'),
      fc.nat(500),
      fc.nat(255),
      (compression, place, value) => {
        const bytes = encodeRecordBatch({ records, compression: compression as 'none' })
        const damaged = withByte(bytes, 21 + (place % (bytes.byteLength - 21)), value)
        onlyFormatErrors(() => [...iterateRecords(resealed(damaged), { recordsBytesMax: 1_000_000 })])
      },
    ),
    { numRuns: 1000 },
  )
})

/** The batches' bytes per partition, in the order of partitions. */
function byPartition(batches: readonly SegmentBatch[]): Uint8Array[][] {
  const groups: SegmentBatch[][] = []
  for (const batch of batches.toSorted(comparePartitions)) {
    const last = groups.at(-1)
    if (last !== undefined && comparePartitions(last[0]!, batch) === 0) last.push(batch)
    else groups.push([batch])
  }
  return groups.map((group) => group.map(({ bytes }) => bytes))
}

function walk(bytes: Uint8Array): void {
  for (const { header } of iterateBatches(bytes)) if (header.bytes <= 0) throw new Error('a batch without bytes')
}

function resealed(batch: Uint8Array): Uint8Array {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  view.setUint32(17, crc32c(batch.subarray(21)))
  return batch
}

function onlyFormatErrors(action: () => unknown): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
}

function equal(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(actual, expected)
}
