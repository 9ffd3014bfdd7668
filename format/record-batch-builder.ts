import { gzipSync } from 'node:zlib'
import { compress as compressSnappy } from 'snappyjs'
import { ByteWriter } from './byte-writer.js'
import { dataView, plainView, setSafeInt64 } from './bytes.js'
import { crc32c } from './crc32c.js'
import { compressLz4Frame } from './lz4.js'
import {
  ATTRIBUTE_LOG_APPEND_TIME,
  BATCH_ATTRIBUTES,
  BATCH_BASE_OFFSET,
  BATCH_BASE_SEQUENCE,
  BATCH_BASE_TIMESTAMP,
  BATCH_CRC,
  BATCH_HEADER_BYTES,
  BATCH_LAST_OFFSET_DELTA,
  BATCH_LEADER_EPOCH,
  BATCH_LENGTH,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  BATCH_MAGIC_V2,
  BATCH_MAX_TIMESTAMP,
  BATCH_PRODUCER_EPOCH,
  BATCH_PRODUCER_ID,
  BATCH_RECORD_COUNT,
  RECORD_CODEC_NAMES,
  type RecordCodecName,
} from './record-batch.js'
import type { KafkaRecordHeader } from './records.js'

/** Builds record batches as a producer would: for tests, benchmarks and tools. */
export interface RecordBatchInput {
  readonly records: readonly RecordInput[]
  /** Default 0, which is what producers send. */
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  /** Default `none`. There is no zstd encoder on Node 20: compress the records yourself and use `encodeRawBatch`. */
  readonly compression?: Exclude<RecordCodecName, 'zstd'>
  readonly logAppendTime?: boolean
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

export interface RecordInput {
  readonly timestampMs: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly KafkaRecordHeader[]
  /** Default: one more than the record before; give it to leave holes, as compaction does. */
  readonly offsetDelta?: number
}

/** All fields of a batch around records that are encoded, and compressed as `attributes` say, already. */
export interface RawBatchInput {
  readonly records: Uint8Array
  readonly baseOffset: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

const utf8 = new TextEncoder()

/** One whole batch with a correct CRC. @throws RangeError without records or with values Kafka has no room for */
export function encodeRecordBatch(input: RecordBatchInput): Uint8Array {
  const first = input.records[0]
  if (first === undefined) throw new RangeError('a record batch has at least one record')
  const codec = RECORD_CODEC_NAMES.indexOf(input.compression ?? 'none')
  const { bytes, lastOffsetDelta } = encodeRecords(input.records, first.timestampMs)
  return encodeRawBatch({
    records: compressRecords(input.compression ?? 'none', bytes),
    baseOffset: input.baseOffset ?? 0,
    leaderEpoch: input.leaderEpoch ?? -1,
    attributes: codec | (input.logAppendTime === true ? ATTRIBUTE_LOG_APPEND_TIME : 0),
    lastOffsetDelta,
    baseTimestampMs: first.timestampMs,
    maxTimestampMs: input.records.reduce((max, record) => Math.max(max, record.timestampMs), -1),
    producerId: input.producerId ?? -1,
    producerEpoch: input.producerEpoch ?? -1,
    baseSequence: input.baseSequence ?? -1,
    recordCount: input.records.length,
  })
}

/** Puts a header with a correct CRC before `records`; nothing is checked, so that tests can build what is wrong. */
export function encodeRawBatch(input: RawBatchInput): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + input.records.byteLength)
  const view = dataView(bytes)
  setSafeInt64(view, BATCH_BASE_OFFSET, input.baseOffset)
  view.setInt32(BATCH_LENGTH, bytes.byteLength - BATCH_LENGTH_OVERHEAD)
  view.setInt32(BATCH_LEADER_EPOCH, input.leaderEpoch)
  view.setInt8(BATCH_MAGIC, BATCH_MAGIC_V2)
  view.setUint16(BATCH_ATTRIBUTES, input.attributes)
  view.setInt32(BATCH_LAST_OFFSET_DELTA, input.lastOffsetDelta)
  setSafeInt64(view, BATCH_BASE_TIMESTAMP, input.baseTimestampMs)
  setSafeInt64(view, BATCH_MAX_TIMESTAMP, input.maxTimestampMs)
  setSafeInt64(view, BATCH_PRODUCER_ID, input.producerId)
  view.setInt16(BATCH_PRODUCER_EPOCH, input.producerEpoch)
  view.setInt32(BATCH_BASE_SEQUENCE, input.baseSequence)
  view.setInt32(BATCH_RECORD_COUNT, input.recordCount)
  bytes.set(input.records, BATCH_HEADER_BYTES)
  view.setUint32(BATCH_CRC, crc32c(bytes.subarray(BATCH_ATTRIBUTES)))
  return bytes
}

function encodeRecords(
  records: readonly RecordInput[],
  baseTimestampMs: number,
): { readonly bytes: Uint8Array; readonly lastOffsetDelta: number } {
  const all = new ByteWriter()
  let offsetDelta = -1
  for (const record of records) {
    offsetDelta = record.offsetDelta ?? offsetDelta + 1
    const body = new ByteWriter(128)
    body.uint8(0)
    body.varlong(record.timestampMs - baseTimestampMs)
    body.varint(offsetDelta)
    writeNullable(body, record.key ?? null)
    writeNullable(body, record.value ?? null)
    writeHeaders(body, record.headers ?? [])
    all.varint(body.position)
    all.raw(body.finish())
  }
  return { bytes: all.finish(), lastOffsetDelta: offsetDelta }
}

function writeHeaders(body: ByteWriter, headers: readonly KafkaRecordHeader[]): void {
  body.varint(headers.length)
  for (const header of headers) {
    writeNullable(body, utf8.encode(header.key))
    writeNullable(body, header.value)
  }
}

function writeNullable(body: ByteWriter, bytes: Uint8Array | null): void {
  body.varint(bytes === null ? -1 : bytes.byteLength)
  if (bytes !== null) body.raw(bytes)
}

function compressRecords(codec: Exclude<RecordCodecName, 'zstd'>, records: Uint8Array): Uint8Array {
  switch (codec) {
    case 'none':
      return records
    case 'gzip':
      return plainView(gzipSync(records))
    case 'snappy':
      return compressSnappy(records)
    case 'lz4':
      return compressLz4Frame(records)
  }
}
