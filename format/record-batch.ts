import { dataView, getSafeInt64, setSafeInt64 } from './bytes.js'
import { crc32c } from './crc32c.js'
import { FormatError } from './errors.js'

/**
 * Kafka's record batch, magic 2. Layout (big-endian):
 *
 *   0   8  base offset              rewritten by `patchBatch`, outside the CRC
 *   8   4  length                   bytes after this field
 *  12   4  partition leader epoch   rewritten by `patchBatch`, outside the CRC
 *  16   1  magic                    2
 *  17   4  CRC-32C                  of byte 21 to the end
 *  21   2  attributes               bits 0-2 codec, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
 *  23   4  last offset delta
 *  27   8  base timestamp           ms, -1 none
 *  35   8  max timestamp            ms, -1 none
 *  43   8  producer id              -1 none
 *  51   2  producer epoch           -1 none
 *  53   4  base sequence            -1 none
 *  57   4  record count
 *  61      records, compressed as one unit
 *
 * Source: the Kafka protocol guide, "Record Batch"; which fields a broker checks: Kafka's LogValidator.
 */
export const BATCH_BASE_OFFSET = 0
export const BATCH_LENGTH = BATCH_BASE_OFFSET + 8
export const BATCH_LEADER_EPOCH = BATCH_LENGTH + 4
export const BATCH_MAGIC = BATCH_LEADER_EPOCH + 4
export const BATCH_CRC = BATCH_MAGIC + 1
export const BATCH_ATTRIBUTES = BATCH_CRC + 4
export const BATCH_LAST_OFFSET_DELTA = BATCH_ATTRIBUTES + 2
export const BATCH_BASE_TIMESTAMP = BATCH_LAST_OFFSET_DELTA + 4
export const BATCH_MAX_TIMESTAMP = BATCH_BASE_TIMESTAMP + 8
export const BATCH_PRODUCER_ID = BATCH_MAX_TIMESTAMP + 8
export const BATCH_PRODUCER_EPOCH = BATCH_PRODUCER_ID + 8
export const BATCH_BASE_SEQUENCE = BATCH_PRODUCER_EPOCH + 2
export const BATCH_RECORD_COUNT = BATCH_BASE_SEQUENCE + 4
export const BATCH_HEADER_BYTES = BATCH_RECORD_COUNT + 4

/** Bytes of a batch that its length field does not count. */
export const BATCH_LENGTH_OVERHEAD = BATCH_LENGTH + 4
export const BATCH_MAGIC_V2 = 2
/** Sequences are 31 bits wide: 0 follows this one. */
export const SEQUENCE_MAX = 2 ** 31 - 1

export const ATTRIBUTE_CODEC_MASK = 0x07
export const ATTRIBUTE_LOG_APPEND_TIME = 0x08
export const ATTRIBUTE_TRANSACTIONAL = 0x10
export const ATTRIBUTE_CONTROL = 0x20

/** Compression of a batch's records, by the number in its attributes. */
export const RECORD_CODEC_NONE = 0
export const RECORD_CODEC_GZIP = 1
export const RECORD_CODEC_SNAPPY = 2
export const RECORD_CODEC_LZ4 = 3
export const RECORD_CODEC_ZSTD = 4
export const RECORD_CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type RecordCodecName = (typeof RECORD_CODEC_NAMES)[number]

export interface RecordBatchHeader {
  readonly baseOffset: number
  /** The whole batch, this header included. */
  readonly bytes: number
  readonly leaderEpoch: number
  readonly crc: number
  /** As they came, unused bits included. */
  readonly attributes: number
  /** `attributes` bits 0-2: one of RECORD_CODEC_*; 5-7 name no codec and are refused by `validateProducedBatch`. */
  readonly recordCodec: number
  readonly lastOffsetDelta: number
  /** Timestamp of the first record in ms, -1 for none. */
  readonly baseTimestampMs: number
  /** Greatest timestamp in ms, -1 for none. */
  readonly maxTimestampMs: number
  /** -1: not idempotent. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/**
 * Reads the header of the batch at `position`. Checks only what is needed to read on: the header is there, its length
 * is possible, magic is 2, 64-bit fields are safe integers. Whether the whole batch is there is the caller's to compare.
 * @throws FormatError BATCH_TOO_SHORT, BATCH_LENGTH, BATCH_MAGIC, BATCH_OFFSET, BATCH_TIMESTAMP, BATCH_PRODUCER
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): RecordBatchHeader {
  if (bytes.byteLength - position < BATCH_HEADER_BYTES) {
    const left = Math.max(0, bytes.byteLength - position)
    throw new FormatError(
      'BATCH_TOO_SHORT',
      `a record batch takes ${BATCH_HEADER_BYTES} bytes, ${left} are left`,
      position,
    )
  }
  const view = dataView(bytes)
  const length = view.getInt32(position + BATCH_LENGTH)
  if (length < BATCH_HEADER_BYTES - BATCH_LENGTH_OVERHEAD) {
    throw new FormatError('BATCH_LENGTH', `batch length ${length} is less than a batch header`, position + BATCH_LENGTH)
  }
  const magic = view.getInt8(position + BATCH_MAGIC)
  if (magic !== BATCH_MAGIC_V2) {
    throw new FormatError(
      'BATCH_MAGIC',
      `magic ${magic}: only record batches of magic 2 are supported`,
      position + BATCH_MAGIC,
    )
  }
  const attributes = view.getUint16(position + BATCH_ATTRIBUTES)
  return {
    baseOffset: safe(view, position + BATCH_BASE_OFFSET, 'BATCH_OFFSET'),
    bytes: length + BATCH_LENGTH_OVERHEAD,
    leaderEpoch: view.getInt32(position + BATCH_LEADER_EPOCH),
    crc: view.getUint32(position + BATCH_CRC),
    attributes,
    recordCodec: attributes & ATTRIBUTE_CODEC_MASK,
    lastOffsetDelta: view.getInt32(position + BATCH_LAST_OFFSET_DELTA),
    baseTimestampMs: safe(view, position + BATCH_BASE_TIMESTAMP, 'BATCH_TIMESTAMP'),
    maxTimestampMs: safe(view, position + BATCH_MAX_TIMESTAMP, 'BATCH_TIMESTAMP'),
    producerId: safe(view, position + BATCH_PRODUCER_ID, 'BATCH_PRODUCER'),
    producerEpoch: view.getInt16(position + BATCH_PRODUCER_EPOCH),
    baseSequence: view.getInt32(position + BATCH_BASE_SEQUENCE),
    recordCount: view.getInt32(position + BATCH_RECORD_COUNT),
  }
}

function safe(view: DataView, position: number, code: 'BATCH_OFFSET' | 'BATCH_TIMESTAMP' | 'BATCH_PRODUCER'): number {
  const value = getSafeInt64(view, position)
  if (Number.isNaN(value)) throw new FormatError(code, 'a 64-bit field is outside the safe integers', position)
  return value
}

/**
 * Judges what a producer sent for one partition: exactly one whole, intact, meaningful batch. Records are not decoded.
 * The ladder: size, magic, length, CRC, attributes, counts, producer, timestamps; each rung has its own code.
 * @throws FormatError BATCH_*
 */
export function validateProducedBatch(bytes: Uint8Array): RecordBatchHeader {
  const header = readBatchHeader(bytes, 0)
  if (header.bytes !== bytes.byteLength) {
    throw new FormatError(
      'BATCH_LENGTH',
      `the batch says ${header.bytes} bytes, ${bytes.byteLength} came: a partition takes exactly one batch per request`,
      BATCH_LENGTH,
    )
  }
  checkBatchCrc(bytes, 0, header)
  checkAttributes(header)
  checkMeaning(header)
  return header
}

/** @throws FormatError BATCH_CRC when the whole batch at `position` does not have the CRC its header says */
export function checkBatchCrc(bytes: Uint8Array, position: number, header: RecordBatchHeader): void {
  const crc = crc32c(bytes.subarray(position + BATCH_ATTRIBUTES, position + header.bytes))
  if (crc === header.crc) return
  throw new FormatError(
    'BATCH_CRC',
    `batch CRC is ${hex(crc)}, its header says ${hex(header.crc)}: the bytes were damaged on the way`,
    position + BATCH_CRC,
  )
}

function checkAttributes(header: RecordBatchHeader): void {
  if (header.recordCodec >= RECORD_CODEC_NAMES.length) {
    throw new FormatError('BATCH_CODEC', `compression codec ${header.recordCodec} is unknown`, BATCH_ATTRIBUTES)
  }
  if ((header.attributes & ATTRIBUTE_CONTROL) !== 0) {
    throw new FormatError('BATCH_CONTROL', 'clients may not write control batches', BATCH_ATTRIBUTES)
  }
  if ((header.attributes & ATTRIBUTE_TRANSACTIONAL) !== 0) {
    throw new FormatError('BATCH_ATTRIBUTES', 'transactional batches are not supported', BATCH_ATTRIBUTES)
  }
}

function checkMeaning(header: RecordBatchHeader): void {
  const { recordCount, lastOffsetDelta, producerId, producerEpoch, baseSequence } = header
  if (recordCount <= 0) {
    throw new FormatError(
      'BATCH_COUNT',
      `a batch of ${recordCount} records: there must be at least one`,
      BATCH_RECORD_COUNT,
    )
  }
  if (lastOffsetDelta !== recordCount - 1) {
    const text = `last offset delta ${lastOffsetDelta} does not fit ${recordCount} records`
    throw new FormatError('BATCH_COUNT', text, BATCH_LAST_OFFSET_DELTA)
  }
  if (producerId < -1)
    throw new FormatError('BATCH_PRODUCER', `producer id ${producerId} is negative`, BATCH_PRODUCER_ID)
  if (producerId >= 0 && (producerEpoch < 0 || baseSequence < 0)) {
    const text = `producer ${producerId} needs an epoch and a sequence, got ${producerEpoch} and ${baseSequence}`
    throw new FormatError('BATCH_PRODUCER', text, BATCH_PRODUCER_EPOCH)
  }
  if (header.baseTimestampMs < -1 || header.maxTimestampMs < -1) {
    throw new FormatError('BATCH_TIMESTAMP', 'a timestamp is negative and not -1', BATCH_BASE_TIMESTAMP)
  }
}

/** Writes offset and leader epoch into the batch at `position`, in place. Both lie outside the batch's CRC. */
export function patchBatch(bytes: Uint8Array, position: number, baseOffset: number, leaderEpoch: number): void {
  const view = dataView(bytes)
  setSafeInt64(view, position + BATCH_BASE_OFFSET, baseOffset)
  view.setInt32(position + BATCH_LEADER_EPOCH, leaderEpoch)
}

/**
 * Makes `appendedAtMs` the time of all records of the whole batch in `bytes`, in place: the attribute that says so, the greatest
 * timestamp, a new CRC. Readers then ignore the records' own timestamps, which stay. Answers the header as it is now.
 */
export function stampLogAppendTime(bytes: Uint8Array, appendedAtMs: number): RecordBatchHeader {
  const view = dataView(bytes)
  view.setUint16(BATCH_ATTRIBUTES, view.getUint16(BATCH_ATTRIBUTES) | ATTRIBUTE_LOG_APPEND_TIME)
  setSafeInt64(view, BATCH_MAX_TIMESTAMP, appendedAtMs)
  view.setUint32(BATCH_CRC, crc32c(bytes.subarray(BATCH_ATTRIBUTES)))
  return readBatchHeader(bytes)
}

/** The sequence of a batch's last record; 0 follows 2^31-1. A batch without sequence (-1) has none: -1. */
export function lastSequenceOf(baseSequence: number, lastOffsetDelta: number): number {
  if (baseSequence < 0) return -1
  return (baseSequence + lastOffsetDelta) % (SEQUENCE_MAX + 1)
}

/** `none`, `gzip`, `snappy`, `lz4`, `zstd`, or `unknown(5)`. */
export function recordCodecName(recordCodec: number): string {
  return RECORD_CODEC_NAMES[recordCodec] ?? `unknown(${recordCodec})`
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
