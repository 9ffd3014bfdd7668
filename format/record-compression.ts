import { gunzipSync } from 'node:zlib'
import { uncompress as uncompressSnappy } from 'snappyjs'
import { concat, dataView, plainView, sameBytes } from './bytes.js'
import { FormatError } from './errors.js'
import { decompressLz4Frame } from './lz4.js'
import {
  RECORD_CODEC_GZIP,
  RECORD_CODEC_LZ4,
  RECORD_CODEC_NONE,
  RECORD_CODEC_SNAPPY,
  RECORD_CODEC_ZSTD,
  recordCodecName,
} from './record-batch.js'
import { checkSnappyBlock } from './snappy-block.js'
import { decompressZstd } from './zstd-frame.js'

/**
 * Decompresses the records of a batch. Each codec is bounded before it allocates: what a declared size or the codec's best
 * possible ratio allows must be within `bytesMax`.
 * @throws FormatError RECORD_COMPRESSION when the bytes are damaged, too large, or the codec is unknown
 */
export function decompressRecords(recordCodec: number, stored: Uint8Array, bytesMax: number): Uint8Array {
  if (recordCodec === RECORD_CODEC_NONE) return stored
  try {
    const records = decompress(recordCodec, stored, bytesMax)
    if (records.byteLength > bytesMax) throw tooLarge(records.byteLength, bytesMax)
    return records
  } catch (error) {
    if (error instanceof FormatError) throw error
    const text = `${recordCodecName(recordCodec)} records do not decompress (limit ${bytesMax} bytes): ${String(error)}`
    throw new FormatError('RECORD_COMPRESSION', text, undefined, { cause: error })
  }
}

function decompress(recordCodec: number, stored: Uint8Array, bytesMax: number): Uint8Array {
  switch (recordCodec) {
    case RECORD_CODEC_GZIP:
      return plainView(gunzipSync(stored, { maxOutputLength: bytesMax }))
    case RECORD_CODEC_SNAPPY:
      return decompressSnappy(stored, bytesMax)
    case RECORD_CODEC_LZ4:
      return decompressLz4Frame(stored, bytesMax)
    case RECORD_CODEC_ZSTD:
      return decompressZstd(stored, bytesMax)
    default:
      throw new FormatError('RECORD_COMPRESSION', `compression codec ${recordCodec} is unknown`)
  }
}

/**
 * Java producers frame snappy with the xerial stream header (magic, version, compatible version), then chunks of a
 * 4-byte length and a raw snappy block each; others send one raw block. Both occur in the field.
 */
const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00)
const XERIAL_HEADER_BYTES = XERIAL_MAGIC.byteLength + 4 + 4
const XERIAL_CHUNK_LENGTH_BYTES = 4
/** Snappy's densest element copies 64 bytes with three; this is more than it can do. */
const SNAPPY_RATIO_MAX = 32

function decompressSnappy(stored: Uint8Array, bytesMax: number): Uint8Array {
  const framed = stored.byteLength >= XERIAL_HEADER_BYTES && sameBytes(stored, 0, XERIAL_MAGIC)
  if (!framed) return decompressSnappyBlock(stored, bytesMax)
  const view = dataView(stored)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (let position = XERIAL_HEADER_BYTES; position < stored.byteLength; ) {
    const start = position + XERIAL_CHUNK_LENGTH_BYTES
    const length = start <= stored.byteLength ? view.getUint32(position) : 0
    if (length === 0 || length > stored.byteLength - start) {
      throw new FormatError('RECORD_COMPRESSION', 'a snappy chunk is cut off', position)
    }
    const chunk = stored.subarray(start, start + length)
    const raw = decompressSnappyBlock(chunk, bytesMax - bytes)
    bytes += raw.byteLength
    chunks.push(raw)
    position = start + length
  }
  return concat(chunks, bytes)
}

function decompressSnappyBlock(block: Uint8Array, bytesLeft: number): Uint8Array {
  checkSnappyBlock(block)
  return uncompressSnappy(block, snappyLimit(block, bytesLeft))
}

function snappyLimit(stored: Uint8Array, bytesLeft: number): number {
  return Math.min(bytesLeft, stored.byteLength * SNAPPY_RATIO_MAX)
}

function tooLarge(bytes: number, bytesMax: number): FormatError {
  return new FormatError('RECORD_COMPRESSION', `the records may take ${bytes} bytes, the limit is ${bytesMax}`)
}
