import { ByteReader, type ReaderCodes } from './byte-reader.js'
import { FormatError } from './errors.js'
import {
  ATTRIBUTE_LOG_APPEND_TIME,
  BATCH_HEADER_BYTES,
  checkBatchCrc,
  type RecordBatchHeader,
  readBatchHeader,
} from './record-batch.js'
import { decompressRecords } from './record-compression.js'

/**
 * The records inside a batch, decoded for tools, timestamp lookups and tests; the write path never does this. A record:
 *
 *   varint   length            of what follows
 *   1        attributes        unused
 *   varlong  timestamp delta   to the batch's base timestamp
 *   varint   offset delta      to the batch's base offset
 *   varint   key bytes, key    -1 for null
 *   varint   value bytes, value  -1 for null
 *   varint   header count, then per header: varint key bytes, key (UTF-8), varint value bytes (-1 for null), value
 *
 * Source: the Kafka protocol guide, "Record".
 */
export interface KafkaRecord {
  readonly offset: number
  readonly timestampMs: number
  /** Views of the (decompressed) batch. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly KafkaRecordHeader[]
}

export interface KafkaRecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface RecordsOptions {
  /** Instead of the base offset in the batch, which at level 0 is the producer's. */
  readonly baseOffset?: number
  /** Records that decompress to more are refused. Default `RECORDS_BYTES_MAX_DEFAULT`. */
  readonly recordsBytesMax?: number
}

export const RECORDS_BYTES_MAX_DEFAULT = 2 ** 28

/** The least a record can take: length, attributes, two deltas, two nulls, no headers. */
const RECORD_BYTES_MIN = 7
const READER_CODES: ReaderCodes = { bounds: 'RECORD_BOUNDS', value: 'RECORD_VALUES' }
const utf8 = new TextDecoder()

/**
 * Decodes the records of one whole batch, checking its CRC first and every length against what is there. Lazy: an error
 * in a late record comes after the ones before it were given.
 * @throws FormatError BATCH_*, RECORD_COMPRESSION, RECORD_COUNT, RECORD_BOUNDS, RECORD_VALUES
 */
export function* iterateRecords(
  batch: Uint8Array,
  options: RecordsOptions = {},
): Generator<KafkaRecord, void, undefined> {
  const header = readBatchHeader(batch, 0)
  if (header.bytes !== batch.byteLength) {
    throw new FormatError('BATCH_LENGTH', `the batch says ${header.bytes} bytes, ${batch.byteLength} are given`, 0)
  }
  checkBatchCrc(batch, 0, header)
  const stored = batch.subarray(BATCH_HEADER_BYTES)
  const bytesMax = options.recordsBytesMax ?? RECORDS_BYTES_MAX_DEFAULT
  const records = decompressRecords(header.recordCodec, stored, bytesMax)
  if (header.recordCount < 0 || header.recordCount * RECORD_BYTES_MIN > records.byteLength) {
    throw new FormatError('RECORD_COUNT', `${header.recordCount} records do not fit ${records.byteLength} bytes`)
  }
  yield* decodeRecords(records, header, options.baseOffset ?? header.baseOffset)
}

function* decodeRecords(
  records: Uint8Array,
  header: RecordBatchHeader,
  baseOffset: number,
): Generator<KafkaRecord, void, undefined> {
  const reader = new ByteReader(records, READER_CODES)
  let deltaMin = 0
  for (let number = 0; number < header.recordCount; number += 1) {
    const { record, offsetDelta } = decodeRecord(reader, header, baseOffset)
    if (offsetDelta < deltaMin || offsetDelta > header.lastOffsetDelta) {
      const text = `record ${number} has offset delta ${offsetDelta}, not in ${deltaMin}..${header.lastOffsetDelta}`
      throw new FormatError('RECORD_VALUES', text, reader.position)
    }
    deltaMin = offsetDelta + 1
    yield record
  }
  if (reader.remainingBytes > 0) {
    throw new FormatError('RECORD_COUNT', `${reader.remainingBytes} bytes follow the last record`, reader.position)
  }
}

function decodeRecord(
  reader: ByteReader,
  header: RecordBatchHeader,
  baseOffset: number,
): { readonly record: KafkaRecord; readonly offsetDelta: number } {
  const bytes = reader.varint()
  const end = reader.position + bytes
  if (bytes < 0 || bytes > reader.remainingBytes) {
    throw new FormatError(
      'RECORD_BOUNDS',
      `a record of ${bytes} bytes, ${reader.remainingBytes} are left`,
      reader.position,
    )
  }
  reader.uint8()
  const timestampDeltaMs = reader.varlong()
  const offsetDelta = reader.varint()
  const key = nullableBytes(reader)
  const value = nullableBytes(reader)
  const headers = decodeHeaders(reader)
  if (reader.position !== end) {
    throw new FormatError('RECORD_BOUNDS', `a record ends at ${reader.position} instead of ${end}`, reader.position)
  }
  const logAppendTime = (header.attributes & ATTRIBUTE_LOG_APPEND_TIME) !== 0
  const timestampMs = logAppendTime ? header.maxTimestampMs : header.baseTimestampMs + timestampDeltaMs
  return { record: { offset: baseOffset + offsetDelta, timestampMs, key, value, headers }, offsetDelta }
}

function decodeHeaders(reader: ByteReader): KafkaRecordHeader[] {
  const count = reader.varint()
  // A header takes two bytes at least, so this bounds the loop before it begins.
  if (count < 0 || count * 2 > reader.remainingBytes) {
    throw new FormatError('RECORD_BOUNDS', `a record with ${count} headers`, reader.position)
  }
  const headers: KafkaRecordHeader[] = []
  for (let number = 0; number < count; number += 1) {
    headers.push({ key: utf8.decode(reader.view(reader.varint())), value: nullableBytes(reader) })
  }
  return headers
}

function nullableBytes(reader: ByteReader): Uint8Array | null {
  const bytes = reader.varint()
  return bytes === -1 ? null : reader.view(bytes)
}
