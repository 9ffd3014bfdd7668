/**
 * `headrace/format`: the segment and record-batch codecs. Pure: no I/O, no clock, no randomness. The bytes are specified in
 * `docs/format.md`.
 */
export * from './block.js'
export { ByteReader, type ReaderCodes } from './byte-reader.js'
export { ByteWriter } from './byte-writer.js'
export { dataView, getSafeInt64, setSafeInt64 } from './bytes.js'
export { copyBytes } from './copy.js'
export { type Crc32c, crc32c } from './crc32c.js'
export * from './errors.js'
export * from './record-batch.js'
export * from './record-batch-builder.js'
export * from './record-batch-filter.js'
export { decompressRecords } from './record-compression.js'
export * from './records.js'
export * from './segment-footer.js'
export {
  decodeSegmentHeader,
  encodeSegmentHeader,
  FORMAT_VERSION,
  LEVEL_MAX,
  SEGMENT_HEADER_BYTES,
  SEGMENT_MAGIC_TEXT,
} from './segment-header.js'
export { decodeIndex, encodeIndex, indexBytes } from './segment-index.js'
export { comparePartitions } from './segment-index-check.js'
export * from './segment-reader.js'
export * from './segment-verify.js'
export * from './segment-writer.js'
export * from './types.js'
export * from './uuid.js'
