import { dataView } from './bytes.js'
import { FormatError } from './errors.js'

/** LZ4 spends at least one byte per 255 it repeats, so no honest bytes can promise more. */
export const LZ4_RATIO_MAX = 255

/**
 * Just enough of the LZ4 frame format (little-endian) to bound what a frame can become before a library allocates it:
 *
 *   0  4  magic 0x184d2204
 *   4  1  FLG     bit 4 block checksums, 3 content size, 2 content checksum, 0 dictionary id
 *   5  1  BD      bits 4-6: maximal block size, 4 = 64 KiB .. 7 = 4 MiB
 *   6     [8 content size] [4 dictionary id] 1 header checksum
 *         blocks: 4 size (bit 31: stored raw; 0 ends the frame), data, [4 checksum]
 *         [4 content checksum]
 *
 * Source: lz4_Frame_format.md of the LZ4 project.
 */
const FRAME_MAGIC = 0x184d2204
const FLG = 4
const BD = 5
const OPTIONAL_FIELDS = 6

const FLG_DICTIONARY_ID = 0x01
const FLG_CONTENT_SIZE = 0x08
const FLG_BLOCK_CHECKSUM = 0x10
const BLOCK_STORED_RAW = 0x8000_0000

/** An upper bound of the decompressed size. @throws FormatError RECORD_COMPRESSION when this is no LZ4 frame */
export function lz4FrameBytesMax(frame: Uint8Array): number {
  if (frame.byteLength <= OPTIONAL_FIELDS) throw damaged('it is shorter than a frame header')
  const view = dataView(frame)
  if (view.getUint32(0, true) !== FRAME_MAGIC) throw damaged('its magic is wrong')
  const flags = view.getUint8(FLG)
  const blockBytesMax = 2 ** (8 + 2 * ((view.getUint8(BD) >>> 4) & 0x07))
  const checksumBytes = (flags & FLG_BLOCK_CHECKSUM) !== 0 ? 4 : 0
  const sizeBytes = (flags & FLG_CONTENT_SIZE) !== 0 ? 8 : 0
  const dictionaryBytes = (flags & FLG_DICTIONARY_ID) !== 0 ? 4 : 0
  let position = OPTIONAL_FIELDS + sizeBytes + dictionaryBytes + 1
  let bytesMax = 0
  while (position + 4 <= frame.byteLength) {
    const size = view.getUint32(position, true)
    if (size === 0) return bytesMax
    const storedBytes = size & ~BLOCK_STORED_RAW
    bytesMax += Math.min(blockBytesMax, storedBytes * LZ4_RATIO_MAX)
    position += 4 + storedBytes + checksumBytes
  }
  throw damaged('its end mark is missing')
}

function damaged(why: string): FormatError {
  return new FormatError('RECORD_COMPRESSION', `no LZ4 frame: ${why}`)
}
