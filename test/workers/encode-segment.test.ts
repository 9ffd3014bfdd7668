import t from 'tap'
import {
  BATCH_COLUMNS,
  BATCH_FLAG_KEYS_REQUIRED,
  BATCH_FLAG_LOG_APPEND_TIME,
  BATCH_FLAG_ZSTD_ALLOWED,
  type SegmentInput,
} from '../../engine/ports/segment-uploader.js'
import {
  decodeIndexedBlock,
  encodeRawBatch,
  encodeRecordBatch,
  iterateBatches,
  iterateRecords,
  openSegment,
  verifySegment,
} from '../../format/index.js'
import { encodeSegmentInput } from '../../workers/encode-segment.js'

const TOPIC_A = '0a000000-0000-4000-8000-000000000001'
const TOPIC_B = 'ff000000-0000-4000-8000-000000000002'
const SEGMENT_ID = '01900000-0000-7000-8000-000000000001'

interface Placed {
  readonly topicId: string
  readonly partition: number
  readonly bytes: Uint8Array
  readonly flags?: number
}

function segmentInput(batches: readonly Placed[]): SegmentInput {
  const arena = new SharedArrayBuffer(1 << 20)
  const memory = new Uint8Array(arena)
  const topicIds = [...new Set(batches.map((batch) => batch.topicId))]
  const columns = new Int32Array(batches.length * BATCH_COLUMNS)
  let position = 0
  for (const [number, { topicId, partition, bytes, flags }] of batches.entries()) {
    memory.set(bytes, position)
    const row = [topicIds.indexOf(topicId), partition, position, bytes.byteLength, flags ?? BATCH_FLAG_ZSTD_ALLOWED]
    columns.set(row, number * BATCH_COLUMNS)
    position += bytes.byteLength
  }
  return { segmentId: SEGMENT_ID, objectKey: 'k', createdAtMs: 1, arena, topicIds, batches: columns }
}

function batch(text: string): Uint8Array {
  return encodeRecordBatch({ records: [{ timestampMs: 5, key: null, value: new TextEncoder().encode(text) }] })
}

function encode(input: SegmentInput) {
  const parts: Uint8Array[] = []
  const encoded = encodeSegmentInput(input, (bytes) => parts.push(bytes.slice()))
  return { encoded, object: Uint8Array.from(Buffer.concat(parts)) }
}

const sourceOf = (object: Uint8Array) => ({
  objectBytes: object.byteLength,
  readRange: async (position: number, bytes: number) => object.subarray(position, position + bytes),
})

t.test('orders by topic id and partition, keeps arrival order within, and tells where each batch went', async (t) => {
  const placed: Placed[] = [
    { topicId: TOPIC_B, partition: 0, bytes: batch('b0-first') },
    { topicId: TOPIC_A, partition: 2, bytes: batch('a2') },
    { topicId: TOPIC_B, partition: 0, bytes: batch('b0-second') },
    { topicId: TOPIC_A, partition: 1, bytes: batch('a1') },
  ]
  const { encoded, object } = encode(segmentInput(placed))
  t.same([...encoded.batchOrder], [3, 1, 0, 2])
  t.equal(encoded.objectBytes, object.byteLength)
  t.same(await verifySegment(sourceOf(object)).then((report) => report.damages ?? []), [])
  const { index } = await openSegment(sourceOf(object))
  t.same(
    index.blocks.map((block) => [block.topicId, block.partition]),
    [
      [TOPIC_A, 1],
      [TOPIC_A, 2],
      [TOPIC_B, 0],
    ],
  )
  let number = 0
  for (const block of index.blocks) {
    const { rawBytes } = decodeIndexedBlock(object.subarray(block.position, block.position + block.bytes), block)
    for (const view of iterateBatches(rawBytes)) {
      const bytes = rawBytes.subarray(view.position, view.position + view.header.bytes)
      t.same(Buffer.from(bytes), Buffer.from(placed[encoded.batchOrder[number++]!]!.bytes))
    }
  }
  t.equal(number, 4)
  t.same(encode(segmentInput(placed)).object, object, 'same input, same bytes')
})

t.test('a bad batch is refused with its reason and the others go on', async (t) => {
  const corrupt = batch('corrupt')
  corrupt[corrupt.byteLength - 1]! ^= 1
  const short = batch('short').subarray(0, 40)
  const control = encodeRawBatch({
    records: new Uint8Array(1),
    baseOffset: 0,
    leaderEpoch: -1,
    attributes: 0x20,
    lastOffsetDelta: 0,
    baseTimestampMs: 1,
    maxTimestampMs: 1,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: 1,
  })
  const zstd = encodeRawBatch({
    records: new Uint8Array(9),
    baseOffset: 0,
    leaderEpoch: -1,
    attributes: 4,
    lastOffsetDelta: 0,
    baseTimestampMs: 1,
    maxTimestampMs: 1,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: 1,
  })
  const at = (bytes: Uint8Array, flags?: number): Placed => ({
    topicId: TOPIC_A,
    partition: 0,
    bytes,
    ...(flags === undefined ? {} : { flags }),
  })
  const { encoded } = encode(
    segmentInput([at(corrupt), at(batch('good')), at(short), at(control), at(zstd, 0), at(zstd)]),
  )
  t.same([...encoded.batchOrder], [1, 5])
  t.same(
    encoded.refusals.map(({ batch, code }) => [batch, code]),
    [
      [0, 'BATCH_CORRUPT'],
      [2, 'BATCH_CORRUPT'],
      [3, 'BATCH_INVALID'],
      [4, 'BATCH_COMPRESSION_UNSUPPORTED'],
    ],
  )
})

t.test('without a valid batch there is no object', async (t) => {
  const { encoded, object } = encode(segmentInput([{ topicId: TOPIC_A, partition: 0, bytes: new Uint8Array(70) }]))
  t.equal(encoded.objectBytes, 0)
  t.equal(object.byteLength, 0)
  t.equal(encoded.refusals.length, 1)
})

t.test('records get the time of the segment where the topic says so, and the arena stays as it was', async (t) => {
  const placed = [BATCH_FLAG_LOG_APPEND_TIME, 0].map((flags, partition): Placed => {
    return { topicId: TOPIC_A, partition, bytes: batch('timed'), flags }
  })
  const input = { ...segmentInput(placed), createdAtMs: 1_700_000_000_000 }
  const before = new Uint8Array(input.arena).slice()
  const { encoded, object } = encode(input)
  t.same(new Uint8Array(input.arena), before)
  const times = encoded.index.blocks.map((block) => {
    t.equal(block.batches[0]?.maxTimestampMs, block.partition === 0 ? input.createdAtMs : 5)
    const { rawBytes } = decodeIndexedBlock(object.subarray(block.position, block.position + block.bytes), block)
    return [...iterateRecords(rawBytes)].map(({ timestampMs }) => timestampMs)
  })
  t.same(times, [[input.createdAtMs], [5]])
  t.same(await verifySegment(sourceOf(object)).then((report) => report.damages ?? []), [])
})

t.test('a batch with records that have no key is refused where keys are needed, compressed or not', async (t) => {
  const keyed = (keys: readonly (string | null)[], compression: 'none' | 'gzip' | 'snappy' | 'lz4' = 'none') =>
    encodeRecordBatch({
      compression,
      records: keys.map((key) => ({ timestampMs: 5, key: key === null ? null : Buffer.from(key), value: null })),
    })
  const unreadable = encodeRawBatch({
    records: new Uint8Array(30),
    baseOffset: 0,
    leaderEpoch: -1,
    attributes: 1,
    lastOffsetDelta: 0,
    baseTimestampMs: 1,
    maxTimestampMs: 1,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: 1,
  })
  const flags = BATCH_FLAG_KEYS_REQUIRED | BATCH_FLAG_LOG_APPEND_TIME
  const batches = [
    keyed(['a', 'b']),
    keyed(['a', null, 'c', null]),
    keyed(['a', 'b'], 'gzip'),
    keyed([null, 'b'], 'gzip'),
    unreadable,
    keyed(['a', 'b'], 'snappy'),
    keyed(['a', 'b'], 'lz4'),
    keyed(['a', null], 'lz4'),
  ]
  const { encoded } = encode(segmentInput(batches.map((bytes) => ({ topicId: TOPIC_A, partition: 0, bytes, flags }))))
  t.same([...encoded.batchOrder], [0, 2, 5, 6])
  t.match(encoded.refusals, [
    { batch: 1, code: 'BATCH_INVALID', message: /2 of 4 records/, recordErrors: [{ record: 1 }, { record: 3 }] },
    { batch: 3, code: 'BATCH_INVALID', recordErrors: [{ record: 0, message: /needs a key/ }] },
    { batch: 4, code: 'BATCH_INVALID' },
    { batch: 7, code: 'BATCH_INVALID', recordErrors: [{ record: 1 }] },
  ])
})
