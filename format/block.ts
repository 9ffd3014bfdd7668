import { dataView, sameBytes } from './bytes.js'
import { crc32c } from './crc32c.js'
import { FormatError } from './errors.js'
import { decompressLz4 } from './lz4.js'
import { BATCH_HEADER_BYTES, type RecordBatchHeader, readBatchHeader } from './record-batch.js'
import { BLOCK_CODEC_LZ4, BLOCK_CODEC_RAW, type BlockCodec } from './types.js'
import { UUID_BYTES, uuidText, writeUuid } from './uuid.js'

/**
 * A block: consecutive batches of one topic-partition. Its header (big-endian), then the stored bytes:
 *
 *   0   4  magic           "HRBK"
 *   4   1  codec           0 raw, 1 LZ4
 *   5   3  reserved        zero
 *   8  16  topic id        UUID
 *  24   4  partition
 *  28   4  raw bytes       of the batches, decompressed
 *  32   4  stored bytes    after this header
 *  36   4  batch count
 *  40   4  stored CRC-32C  of the stored bytes
 *  44   4  header CRC-32C  of bytes 0..43
 *
 * It names its partition, so that a reader that comes with nothing but a byte range can tell that it has the right bytes.
 */
export const BLOCK_MAGIC = 0
export const BLOCK_CODEC = BLOCK_MAGIC + 4
export const BLOCK_RESERVED = BLOCK_CODEC + 1
export const BLOCK_TOPIC_ID = BLOCK_RESERVED + 3
export const BLOCK_PARTITION = BLOCK_TOPIC_ID + UUID_BYTES
export const BLOCK_RAW_BYTES = BLOCK_PARTITION + 4
export const BLOCK_STORED_BYTES = BLOCK_RAW_BYTES + 4
export const BLOCK_BATCH_COUNT = BLOCK_STORED_BYTES + 4
export const BLOCK_STORED_CRC = BLOCK_BATCH_COUNT + 4
export const BLOCK_HEADER_CRC = BLOCK_STORED_CRC + 4
export const BLOCK_HEADER_BYTES = BLOCK_HEADER_CRC + 4

export const BLOCK_MAGIC_TEXT = 'HRBK'
/** No block is larger once decompressed; it bounds a single batch, far above any `message.max.bytes`. */
export const BLOCK_RAW_BYTES_MAX = 2 ** 28

const MAGIC_BYTES = new TextEncoder().encode(BLOCK_MAGIC_TEXT)

export interface BlockHeader {
  readonly topicId: string
  readonly partition: number
  readonly codec: BlockCodec
  readonly rawBytes: number
  /** Bytes that follow the block header. */
  readonly storedBytes: number
  readonly batchCount: number
  readonly storedCrc: number
}

export interface DecodedBlock {
  readonly header: BlockHeader
  /** The batches. Of a raw block a view of the input: copy before you patch. Of an LZ4 block fresh memory. */
  readonly rawBytes: Uint8Array
  readonly batchCount: number
  readonly storedBytes: number
  /** The whole block, its header included: the next one of the range begins that much later. */
  readonly bytes: number
}

export interface BatchView {
  /** Place of the batch in the decompressed block. */
  readonly position: number
  readonly header: RecordBatchHeader
}

/** Writes all `BLOCK_HEADER_BYTES` of a header, at the start of `target`. */
export function encodeBlockHeader(header: BlockHeader, target: Uint8Array): void {
  const view = dataView(target)
  target.fill(0, 0, BLOCK_HEADER_BYTES)
  target.set(MAGIC_BYTES, BLOCK_MAGIC)
  view.setUint8(BLOCK_CODEC, header.codec)
  writeUuid(header.topicId, target, BLOCK_TOPIC_ID)
  view.setInt32(BLOCK_PARTITION, header.partition)
  view.setUint32(BLOCK_RAW_BYTES, header.rawBytes)
  view.setUint32(BLOCK_STORED_BYTES, header.storedBytes)
  view.setUint32(BLOCK_BATCH_COUNT, header.batchCount)
  view.setUint32(BLOCK_STORED_CRC, header.storedCrc)
  view.setUint32(BLOCK_HEADER_CRC, crc32c(target.subarray(0, BLOCK_HEADER_CRC)))
}

/**
 * Decodes a block's header alone. Positions in errors count from the start of `bytes`.
 * @throws FormatError BLOCK_TOO_SHORT, BLOCK_MAGIC, BLOCK_HEADER_CRC, BLOCK_RESERVED, BLOCK_CODEC, BLOCK_BOUNDS
 */
export function decodeBlockHeader(bytes: Uint8Array, position = 0): BlockHeader {
  if (bytes.byteLength - position < BLOCK_HEADER_BYTES) {
    const left = Math.max(0, bytes.byteLength - position)
    throw new FormatError(
      'BLOCK_TOO_SHORT',
      `a block header takes ${BLOCK_HEADER_BYTES} bytes, ${left} are left`,
      position,
    )
  }
  if (!sameBytes(bytes, position + BLOCK_MAGIC, MAGIC_BYTES)) {
    throw new FormatError('BLOCK_MAGIC', 'no block begins here', position + BLOCK_MAGIC)
  }
  const view = dataView(bytes)
  const headerCrc = view.getUint32(position + BLOCK_HEADER_CRC)
  if (crc32c(bytes.subarray(position, position + BLOCK_HEADER_CRC)) !== headerCrc) {
    throw new FormatError('BLOCK_HEADER_CRC', 'the block header is damaged', position + BLOCK_HEADER_CRC)
  }
  // One read covers codec and reserved bytes: the codec is the top byte.
  const codecAndReserved = view.getUint32(position + BLOCK_CODEC)
  if ((codecAndReserved & 0x00ff_ffff) !== 0) {
    throw new FormatError(
      'BLOCK_RESERVED',
      'reserved bytes of the block header are not zero',
      position + BLOCK_RESERVED,
    )
  }
  const header = {
    topicId: uuidText(bytes, position + BLOCK_TOPIC_ID),
    partition: view.getInt32(position + BLOCK_PARTITION),
    codec: blockCodec(codecAndReserved >>> 24, position + BLOCK_CODEC),
    rawBytes: view.getUint32(position + BLOCK_RAW_BYTES),
    storedBytes: view.getUint32(position + BLOCK_STORED_BYTES),
    batchCount: view.getUint32(position + BLOCK_BATCH_COUNT),
    storedCrc: view.getUint32(position + BLOCK_STORED_CRC),
  }
  checkBounds(header, position)
  return header
}

/** @throws FormatError BLOCK_CODEC */
export function blockCodec(value: number, position: number): BlockCodec {
  if (value === BLOCK_CODEC_RAW || value === BLOCK_CODEC_LZ4) return value
  throw new FormatError('BLOCK_CODEC', `block codec ${value} is unknown: a newer program wrote it`, position)
}

function checkBounds(header: BlockHeader, position: number): void {
  const { rawBytes, storedBytes, batchCount, codec } = header
  const possible =
    header.partition >= 0 &&
    rawBytes <= BLOCK_RAW_BYTES_MAX &&
    batchCount > 0 &&
    batchCount * BATCH_HEADER_BYTES <= rawBytes &&
    (codec !== BLOCK_CODEC_RAW || rawBytes === storedBytes)
  if (possible) return
  const text = `a block of ${batchCount} batches, ${rawBytes} raw and ${storedBytes} stored bytes is impossible`
  throw new FormatError('BLOCK_BOUNDS', text, position + BLOCK_RAW_BYTES)
}

/**
 * Decodes the block at `position`: header, CRC of the stored bytes, decompression. Needs no index and no footer. What
 * follows the block is not looked at.
 * @throws FormatError BLOCK_*
 */
export function decodeBlock(bytes: Uint8Array, position = 0): DecodedBlock {
  const header = decodeBlockHeader(bytes, position)
  const start = position + BLOCK_HEADER_BYTES
  if (bytes.byteLength - start < header.storedBytes) {
    const text = `the block stores ${header.storedBytes} bytes, ${bytes.byteLength - start} are there: it is cut off`
    throw new FormatError('BLOCK_TOO_SHORT', text, start)
  }
  const stored = bytes.subarray(start, start + header.storedBytes)
  if (crc32c(stored) !== header.storedCrc) throw new FormatError('BLOCK_CRC', 'the stored bytes are damaged', start)
  return {
    header,
    rawBytes: header.codec === BLOCK_CODEC_LZ4 ? decompressLz4(stored, header.rawBytes) : stored,
    batchCount: header.batchCount,
    storedBytes: header.storedBytes,
    bytes: BLOCK_HEADER_BYTES + header.storedBytes,
  }
}

/**
 * Walks the batches of a decompressed block in order, headers only. @throws FormatError BATCH_* when one is no batch or
 * ends beyond the bytes
 */
export function* iterateBatches(rawBytes: Uint8Array): Generator<BatchView, void, undefined> {
  let position = 0
  while (position < rawBytes.byteLength) {
    const header = readBatchHeader(rawBytes, position)
    if (header.bytes > rawBytes.byteLength - position) {
      const text = `the batch says ${header.bytes} bytes, ${rawBytes.byteLength - position} are left`
      throw new FormatError('BATCH_LENGTH', text, position)
    }
    yield { position, header }
    position += header.bytes
  }
}
