import { Decompress } from 'fzstd'
import { concat, dataView } from './bytes.js'
import { FormatError } from './errors.js'

/**
 * Zstandard for the tools, in plain JavaScript: Node's own decoder exists from 22.15 on only. The decoder allocates
 * the window a frame declares, up to 2 GiB, so the frame header is read here first and refused when it asks for too much.
 *
 *   0  4  magic 0xfd2fb528 (little-endian)
 *   4  1  descriptor  bits 6-7 content size field, 5 single segment, 3 reserved, 2 checksum, 0-1 dictionary id field
 *         [1 window descriptor, unless single segment] [0,1,2,4 dictionary id] [0,1,2,4,8 content size]
 *         blocks: 3 header (bit 0 last, 1-2 type, 3-23 size), data
 *         [4 checksum]
 *
 * Source: RFC 8878, section 3.1.1.
 */
const FRAME_MAGIC = 0xfd2fb528
const DESCRIPTOR = 4
const DESCRIPTOR_END = 5

const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const

const BLOCK_HEADER_BYTES = 3
const BLOCK_TYPE_RLE = 1
const BLOCK_TYPE_RESERVED = 3
const CHECKSUM_BYTES = 4

/** Encoders that stream declare their window however little follows; RFC 8878 asks readers to take this much. */
const WINDOW_BYTES_ALWAYS = 8 * 1024 * 1024
/** Each frame costs its window: this many full ones may follow each other, where producers send one. */
const FULL_WINDOWS_MAX = 4

interface ZstdFrame {
  readonly end: number
  /** What the decoder will allocate for looking back. */
  readonly windowBytes: number
}

/** Decompresses one or more frames. @throws FormatError RECORD_COMPRESSION; and what the decoder throws on damage */
export function decompressZstd(stored: Uint8Array, bytesMax: number): Uint8Array {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const windowBytesMax = Math.max(bytesMax, WINDOW_BYTES_ALWAYS)
  let windowBytesLeft = FULL_WINDOWS_MAX * windowBytesMax
  for (let position = 0; position < stored.byteLength; ) {
    const frame = measureFrame(stored, position)
    if (frame.windowBytes > windowBytesMax) {
      throw refused(`a window of ${frame.windowBytes} bytes; the limit is ${windowBytesMax}`)
    }
    windowBytesLeft -= frame.windowBytes
    if (windowBytesLeft < 0) throw refused('too many frames with large windows')
    const decoder = new Decompress((chunk) => {
      bytes += chunk.byteLength
      if (bytes > bytesMax) throw refused(`more than ${bytesMax} bytes`)
      chunks.push(chunk.slice())
    })
    decoder.push(stored.subarray(position, frame.end), true)
    position = frame.end
  }
  return concat(chunks, bytes)
}

function measureFrame(stored: Uint8Array, start: number): ZstdFrame {
  if (stored.byteLength - start <= DESCRIPTOR_END) throw refused('a frame cut off')
  const view = dataView(stored)
  if (view.getUint32(start, true) !== FRAME_MAGIC) throw refused('no Zstandard frame')
  const descriptor = view.getUint8(start + DESCRIPTOR)
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = DICTIONARY_ID_BYTES[(descriptor & 0x03) as 0 | 1 | 2 | 3]
  const sizeField = CONTENT_SIZE_BYTES[(descriptor >>> 6) as 0 | 1 | 2 | 3]
  // A single segment always says its size, in one byte where the field's code is 0.
  const sizeBytes = singleSegment && sizeField === 0 ? 1 : sizeField
  const sizePosition = start + DESCRIPTOR_END + (singleSegment ? 0 : 1) + dictionaryBytes
  const blocks = sizePosition + sizeBytes
  if (blocks > stored.byteLength) throw refused('a frame cut off')
  return {
    windowBytes: singleSegment
      ? contentBytes(view, sizePosition, sizeBytes)
      : windowBytes(view.getUint8(start + DESCRIPTOR_END)),
    end: frameEnd(view, blocks, (descriptor & 0x04) !== 0),
  }
}

function contentBytes(view: DataView, position: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(position)
  if (bytes === 2) return view.getUint16(position, true) + 256
  if (bytes === 4) return view.getUint32(position, true)
  return Number(view.getBigUint64(position, true))
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3))
  return base + (base / 8) * (descriptor & 0x07)
}

function frameEnd(view: DataView, firstBlock: number, checksum: boolean): number {
  let position = firstBlock
  while (position + BLOCK_HEADER_BYTES <= view.byteLength) {
    const header = view.getUint16(position, true) | (view.getUint8(position + 2) << 16)
    const type = (header >>> 1) & 0x03
    if (type === BLOCK_TYPE_RESERVED) break
    position += BLOCK_HEADER_BYTES + (type === BLOCK_TYPE_RLE ? 1 : header >>> 3)
    if ((header & 1) === 0) continue
    const end = position + (checksum ? CHECKSUM_BYTES : 0)
    if (end > view.byteLength) break
    return end
  }
  throw refused('a frame cut off')
}

function refused(what: string): FormatError {
  return new FormatError('RECORD_COMPRESSION', `zstd records are refused: ${what}`)
}
