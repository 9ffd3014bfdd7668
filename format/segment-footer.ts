import { dataView, getSafeInt64, sameBytes, setSafeInt64 } from './bytes.js'
import { crc32c } from './crc32c.js'
import { FormatError } from './errors.js'
import { FORMAT_VERSION, SEGMENT_HEADER_BYTES } from './segment-header.js'

/**
 * The last bytes of a segment (big-endian); places count from the start of the footer:
 *
 *   0   8  index position   in the object: where the blocks end
 *   8   8  index bytes      the footer follows at once
 *  16   4  index CRC-32C    of the index bytes
 *  20   4  block count
 *  24   4  partition count
 *  28   4  reserved         zero
 *  32   8  batch count
 *  40   8  record count
 *  48   2  format version   1
 *  50   2  reserved         zero
 *  52   4  CRC-32C          of bytes 0..51
 *  56   8  magic            "HRSEGEND"
 *
 * Version, CRC and magic keep their distance from the end in every version.
 */
export const FOOTER_INDEX_POSITION = 0
export const FOOTER_INDEX_BYTES = FOOTER_INDEX_POSITION + 8
export const FOOTER_INDEX_CRC = FOOTER_INDEX_BYTES + 8
export const FOOTER_BLOCK_COUNT = FOOTER_INDEX_CRC + 4
export const FOOTER_PARTITION_COUNT = FOOTER_BLOCK_COUNT + 4
export const FOOTER_RESERVED_1 = FOOTER_PARTITION_COUNT + 4
export const FOOTER_BATCH_COUNT = FOOTER_RESERVED_1 + 4
export const FOOTER_RECORD_COUNT = FOOTER_BATCH_COUNT + 8
export const FOOTER_VERSION = FOOTER_RECORD_COUNT + 8
export const FOOTER_RESERVED_2 = FOOTER_VERSION + 2
export const FOOTER_CRC = FOOTER_RESERVED_2 + 2
export const FOOTER_MAGIC = FOOTER_CRC + 4
export const FOOTER_BYTES = FOOTER_MAGIC + 8

export const FOOTER_MAGIC_TEXT = 'HRSEGEND'
/** A reader allocates no more for an index, whatever a footer says: room for six million batches. */
export const INDEX_BYTES_MAX = 2 ** 28

const MAGIC_BYTES = new TextEncoder().encode(FOOTER_MAGIC_TEXT)

export interface SegmentFooter {
  readonly indexPosition: number
  readonly indexBytes: number
  readonly indexCrc: number
  readonly blockCount: number
  readonly partitionCount: number
  readonly batchCount: number
  readonly recordCount: number
}

export function encodeFooter(footer: SegmentFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES)
  const view = dataView(bytes)
  setSafeInt64(view, FOOTER_INDEX_POSITION, footer.indexPosition)
  setSafeInt64(view, FOOTER_INDEX_BYTES, footer.indexBytes)
  view.setUint32(FOOTER_INDEX_CRC, footer.indexCrc)
  view.setUint32(FOOTER_BLOCK_COUNT, footer.blockCount)
  view.setUint32(FOOTER_PARTITION_COUNT, footer.partitionCount)
  setSafeInt64(view, FOOTER_BATCH_COUNT, footer.batchCount)
  setSafeInt64(view, FOOTER_RECORD_COUNT, footer.recordCount)
  view.setUint16(FOOTER_VERSION, FORMAT_VERSION)
  view.setUint32(FOOTER_CRC, crc32c(bytes.subarray(0, FOOTER_CRC)))
  bytes.set(MAGIC_BYTES, FOOTER_MAGIC)
  return bytes
}

/**
 * Decodes the footer at the end of `tail`, the last bytes of an object of `objectBytes`. Error positions count from
 * the start of the object.
 * @throws FormatError SEGMENT_TOO_SHORT, FOOTER_MAGIC, FOOTER_VERSION, FOOTER_CRC, FOOTER_RESERVED, FOOTER_BOUNDS
 */
export function decodeFooter(tail: Uint8Array, objectBytes: number): SegmentFooter {
  if (objectBytes < SEGMENT_HEADER_BYTES + FOOTER_BYTES || tail.byteLength < FOOTER_BYTES) {
    throw new FormatError('SEGMENT_TOO_SHORT', `${objectBytes} bytes are too few for a segment: it is cut off`)
  }
  const start = objectBytes - FOOTER_BYTES
  const bytes = tail.subarray(tail.byteLength - FOOTER_BYTES)
  if (!sameBytes(bytes, FOOTER_MAGIC, MAGIC_BYTES)) {
    const text = `the object does not end with ${FOOTER_MAGIC_TEXT}: it is no segment, cut off or continued`
    throw new FormatError('FOOTER_MAGIC', text, start + FOOTER_MAGIC)
  }
  const view = dataView(bytes)
  const version = view.getUint16(FOOTER_VERSION)
  if (version !== FORMAT_VERSION) {
    const text = `segment version ${version}: this program reads ${FORMAT_VERSION}`
    throw new FormatError('FOOTER_VERSION', text, start + FOOTER_VERSION)
  }
  if (crc32c(bytes.subarray(0, FOOTER_CRC)) !== view.getUint32(FOOTER_CRC)) {
    throw new FormatError('FOOTER_CRC', 'the segment footer is damaged', start + FOOTER_CRC)
  }
  if (view.getUint32(FOOTER_RESERVED_1) !== 0 || view.getUint16(FOOTER_RESERVED_2) !== 0) {
    throw new FormatError('FOOTER_RESERVED', 'reserved bytes of the footer are not zero', start + FOOTER_RESERVED_1)
  }
  const footer = {
    indexPosition: getSafeInt64(view, FOOTER_INDEX_POSITION),
    indexBytes: getSafeInt64(view, FOOTER_INDEX_BYTES),
    indexCrc: view.getUint32(FOOTER_INDEX_CRC),
    blockCount: view.getUint32(FOOTER_BLOCK_COUNT),
    partitionCount: view.getUint32(FOOTER_PARTITION_COUNT),
    batchCount: getSafeInt64(view, FOOTER_BATCH_COUNT),
    recordCount: getSafeInt64(view, FOOTER_RECORD_COUNT),
  }
  checkBounds(footer, start)
  return footer
}

function checkBounds(footer: SegmentFooter, footerPosition: number): void {
  const { indexPosition, indexBytes } = footer
  // Written so that NaN, which stands for an unsafe integer, fails too.
  const possible = indexPosition >= SEGMENT_HEADER_BYTES && indexBytes >= 0 && indexBytes <= INDEX_BYTES_MAX
  if (possible && indexPosition + indexBytes === footerPosition) return
  throw new FormatError(
    'FOOTER_BOUNDS',
    `an index of ${indexBytes} bytes at ${indexPosition} does not end where the footer begins, at ${footerPosition}`,
    footerPosition + FOOTER_INDEX_POSITION,
  )
}
