import { dataView, getSafeInt64, sameBytes, setSafeInt64 } from './bytes.js'
import { crc32c } from './crc32c.js'
import { FormatError } from './errors.js'
import type { SegmentHeader } from './types.js'
import { UUID_BYTES, uuidText, writeUuid } from './uuid.js'

/**
 * The first bytes of a segment (big-endian):
 *
 *   0   8  magic           "HEADRACE"
 *   8   2  format version  1
 *  10   2  level           0 = written by intake, 1.. = by compaction
 *  12   4  reserved        zero
 *  16  16  segment id      UUID
 *  32   8  creation time   ms since 1970-01-01T00:00:00Z
 *  40   4  reserved        zero
 *  44   4  CRC-32C         of bytes 0..43
 */
export const SEGMENT_MAGIC = 0
export const SEGMENT_VERSION = SEGMENT_MAGIC + 8
export const SEGMENT_LEVEL = SEGMENT_VERSION + 2
export const SEGMENT_RESERVED_1 = SEGMENT_LEVEL + 2
export const SEGMENT_ID = SEGMENT_RESERVED_1 + 4
export const SEGMENT_CREATED_AT = SEGMENT_ID + UUID_BYTES
export const SEGMENT_RESERVED_2 = SEGMENT_CREATED_AT + 8
export const SEGMENT_CRC = SEGMENT_RESERVED_2 + 4
export const SEGMENT_HEADER_BYTES = SEGMENT_CRC + 4

/** Of header and footer: a segment has one version. */
export const FORMAT_VERSION = 1
export const SEGMENT_MAGIC_TEXT = 'HEADRACE'
export const LEVEL_MAX = 0xffff

const MAGIC_BYTES = new TextEncoder().encode(SEGMENT_MAGIC_TEXT)

/** @throws RangeError when the level, time or id cannot be stored */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  checkStorable(header)
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = dataView(bytes)
  bytes.set(MAGIC_BYTES, SEGMENT_MAGIC)
  view.setUint16(SEGMENT_VERSION, FORMAT_VERSION)
  view.setUint16(SEGMENT_LEVEL, header.level)
  writeUuid(header.segmentId, bytes, SEGMENT_ID)
  setSafeInt64(view, SEGMENT_CREATED_AT, header.createdAtMs)
  view.setUint32(SEGMENT_CRC, crc32c(bytes.subarray(0, SEGMENT_CRC)))
  return bytes
}

/** @throws FormatError SEGMENT_TOO_SHORT, SEGMENT_MAGIC, SEGMENT_VERSION, SEGMENT_CRC, SEGMENT_RESERVED, SEGMENT_HEADER */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader {
  if (bytes.byteLength < SEGMENT_HEADER_BYTES) {
    throw new FormatError(
      'SEGMENT_TOO_SHORT',
      `a segment header takes ${SEGMENT_HEADER_BYTES} bytes, got ${bytes.byteLength}`,
    )
  }
  if (!sameBytes(bytes, SEGMENT_MAGIC, MAGIC_BYTES)) {
    throw new FormatError('SEGMENT_MAGIC', 'this is no segment: it does not begin with HEADRACE', SEGMENT_MAGIC)
  }
  const view = dataView(bytes)
  const version = view.getUint16(SEGMENT_VERSION)
  if (version !== FORMAT_VERSION) {
    throw new FormatError(
      'SEGMENT_VERSION',
      `segment version ${version}: this program reads ${FORMAT_VERSION}`,
      SEGMENT_VERSION,
    )
  }
  if (crc32c(bytes.subarray(0, SEGMENT_CRC)) !== view.getUint32(SEGMENT_CRC)) {
    throw new FormatError('SEGMENT_CRC', 'the segment header is damaged', SEGMENT_CRC)
  }
  if (view.getUint32(SEGMENT_RESERVED_1) !== 0 || view.getUint32(SEGMENT_RESERVED_2) !== 0) {
    throw new FormatError('SEGMENT_RESERVED', 'reserved bytes of the segment header are not zero', SEGMENT_RESERVED_1)
  }
  const createdAtMs = getSafeInt64(view, SEGMENT_CREATED_AT)
  if (!(createdAtMs >= 0)) throw new FormatError('SEGMENT_HEADER', 'the creation time is no time', SEGMENT_CREATED_AT)
  return { segmentId: uuidText(bytes, SEGMENT_ID), level: view.getUint16(SEGMENT_LEVEL), createdAtMs }
}

/** @throws RangeError: arguments the format has no room for are a caller's bug */
export function checkStorable(header: SegmentHeader): void {
  if (!Number.isInteger(header.level) || header.level < 0 || header.level > LEVEL_MAX) {
    throw new RangeError(`level ${header.level} is not in 0..${LEVEL_MAX}`)
  }
  if (!Number.isSafeInteger(header.createdAtMs) || header.createdAtMs < 0) {
    throw new RangeError(`creation time ${header.createdAtMs} is no time in ms`)
  }
}
