import { BATCH_COLUMNS, type SegmentInput } from '../engine/ports/segment-uploader.js'
import { BLOCK_TARGET_BYTES_DEFAULT, copyBytes, crc32c } from '../format/index.js'
import { compressLz4 } from '../format/lz4.js'
import { encodeSegmentInput } from '../workers/encode-segment.js'
import { type Measurement, mibPerS, runsPerS } from './measurement.js'
import { PAYLOAD_NAMES, PAYLOADS, type Payload, sampleBatch } from './samples.js'

const SEGMENT_BYTES = 8 * 2 ** 20
const PARTITION_COUNT = 32
const RECORDS_PER_BATCH = 64
const TOPIC_ID = '6f1e0a52-5b1c-4a52-9a39-0d5c2c1f2b11'
const REPETITIONS = 5
const DURATION_MS = 300

/**
 * What a worker does to a sealed segment, on one thread: validate every batch, order, compress, checksum. Beside it,
 * the same bytes through nothing but CRC32C and LZ4: the price no implementation could avoid. Client-compressed batches are
 * held against copying memory, too, which is what little else there is to do.
 */
export function benchmarkEncode(): Measurement[] {
  return PAYLOADS.flatMap(encodeRates)
}

const measured = new Map<Payload, readonly Measurement[]>()

/** Measured once per run: the limit of what uses it. */
export function encodeRate(payload: Payload): Measurement {
  return encodeRates(payload)[0]!
}

function encodeRates(payload: Payload): readonly Measurement[] {
  const known = measured.get(payload) ?? measure(payload)
  measured.set(payload, known)
  return known
}

function measure(payload: Payload): readonly Measurement[] {
  const { input, batches, bytes } = segmentOf(payload)
  let objectBytes = 0
  const encode = () => {
    objectBytes = encodeSegmentInput(input, () => {}).objectBytes
  }
  const compressible = payload.startsWith('json') && !payload.endsWith('-lz4')
  const blocks = compressible ? blocksOf(batches) : []
  const copied = new Uint8Array(new SharedArrayBuffer(bytes))
  const arena = new Uint8Array(input.arena, 0, bytes)
  const values: number[] = []
  const floors: number[] = []
  const copies: number[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    values.push(mibPerS(bytes * runsPerS(encode, DURATION_MS), 1000))
    floors.push(mibPerS(bytes * runsPerS(() => unavoidable(batches, blocks), DURATION_MS), 1000))
    copies.push(mibPerS(bytes * runsPerS(() => copyBytes(arena, copied, 0), DURATION_MS), 1000))
  }
  const stored = Math.round((100 * objectBytes) / bytes)
  const row = {
    benchmark: 'encode',
    unit: 'MiB/s',
    values,
    settings: `one thread, 8 MiB, ${PARTITION_COUNT} partitions, ${RECORDS_PER_BATCH} records a batch; stored ${stored}%`,
  }
  const name = PAYLOAD_NAMES[payload]
  if (compressible) {
    const limit = { name: 'LZ4 and CRC32C', values: floors }
    return [{ ...row, case: name, limit, target: { of: 'ratio', atLeast: 0.85 } }]
  }
  const byCrc: Measurement = { ...row, case: name, limit: { name: 'CRC32C', values: floors } }
  if (payload === 'random') return [byCrc]
  const limit = { name: 'memory copy', values: copies }
  return [byCrc, { ...row, case: `${name}, beside copying`, limit, target: { of: 'ratio', atLeast: 0.7 } }]
}

/** Every batch's CRC is checked; what is stored gets one: compressed blocks where that helps, else the batches again. */
function unavoidable(batches: readonly Uint8Array[], blocks: readonly Uint8Array[]): void {
  for (const batch of batches) crc32c(batch)
  for (const block of blocks) crc32c(compressLz4(block))
  if (blocks.length === 0) for (const batch of batches) crc32c(batch)
}

function blocksOf(batches: readonly Uint8Array[]): Uint8Array[] {
  // In the segment's order, so that the blocks hold the same bytes.
  const whole = Buffer.concat(
    batches
      .map((batch, number) => ({ batch, partition: number % PARTITION_COUNT }))
      .sort((a, b) => a.partition - b.partition)
      .map(({ batch }) => batch),
  )
  const count = Math.ceil(whole.byteLength / BLOCK_TARGET_BYTES_DEFAULT)
  return Array.from({ length: count }, (_, number) =>
    whole.subarray(number * BLOCK_TARGET_BYTES_DEFAULT, (number + 1) * BLOCK_TARGET_BYTES_DEFAULT),
  )
}

function segmentOf(payload: Payload): { input: SegmentInput; batches: Uint8Array[]; bytes: number } {
  const arena = new SharedArrayBuffer(SEGMENT_BYTES)
  const target = new Uint8Array(arena)
  const batches: Uint8Array[] = []
  const rows: number[] = []
  let position = 0
  for (let number = 0; ; number++) {
    // Every batch another one: LZ4 would find a repeated one in its window.
    const batch = sampleBatch({ payload, recordCount: RECORDS_PER_BATCH })
    if (position + batch.byteLength > SEGMENT_BYTES) break
    target.set(batch, position)
    rows.push(0, number % PARTITION_COUNT, position, batch.byteLength, 1)
    batches.push(target.subarray(position, position + batch.byteLength))
    position += batch.byteLength
  }
  const input: SegmentInput = {
    segmentId: '01975a3e-0000-7000-8000-000000000001',
    objectKey: 'benchmark',
    createdAtMs: 1_750_000_000_000,
    arena,
    topicIds: [TOPIC_ID],
    batches: Int32Array.from(rows),
  }
  if (input.batches.length !== batches.length * BATCH_COLUMNS) throw new Error('the columns of a batch have changed')
  return { input, batches, bytes: position }
}
