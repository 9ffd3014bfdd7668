import { FormatError } from './errors.js'

/**
 * Just enough of the raw Snappy format to know that a block is whole before a library decodes it. The library trusts
 * lengths: a literal of 2^31 bytes or more sends it backwards in its input, where it runs for minutes or for ever.
 *
 *   varint   decompressed bytes   at most 32 bits
 *   then elements; a tag byte's bits 0-1 say which:
 *     0  literal  bits 2-7: bytes - 1, or from 60 on: that number is in the 1 to 4 bytes that follow (little-endian)
 *     1  copy     bits 2-4: bytes - 4; 11-bit offset: bits 5-7 and one byte
 *     2  copy     bits 2-7: bytes - 1; offset in 2 bytes
 *     3  copy     bits 2-7: bytes - 1; offset in 4 bytes
 *
 * Source: format_description.txt of the Snappy project.
 */
const LITERAL = 0
const COPY_SHORT = 1
/** Literals whose tag says more than this have their length behind the tag. */
const LITERAL_IN_TAG_MAX = 59
const VARINT_BYTES_MAX = 5
const LENGTH_MAX = 2 ** 32 - 1

/** Bytes of the offset behind a tag, by the tag's kind; the short copy's other three bits are in its tag. */
const OFFSET_BYTES = [0, 1, 2, 4] as const

/** @throws FormatError RECORD_COMPRESSION unless the elements make exactly the bytes the block declares */
export function checkSnappyBlock(block: Uint8Array): void {
  const { value: declaredBytes, end } = readLength(block)
  let position = end
  let bytes = 0
  while (position < block.byteLength) {
    const tag = block[position]!
    const kind = (tag & 3) as 0 | 1 | 2 | 3
    position += 1
    if (kind === LITERAL) {
      const lengthBytes = Math.max(0, (tag >>> 2) - LITERAL_IN_TAG_MAX)
      const length = 1 + (lengthBytes === 0 ? tag >>> 2 : littleEndian(block, position, lengthBytes))
      position += lengthBytes + length
      bytes += length
    } else {
      const behind = littleEndian(block, position, OFFSET_BYTES[kind])
      const offset = kind === COPY_SHORT ? behind + ((tag >>> 5) << 8) : behind
      if (offset === 0 || offset > bytes) throw damaged(`a copy from ${offset} bytes back`, position)
      position += OFFSET_BYTES[kind]
      bytes += kind === COPY_SHORT ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2)
    }
    if (position > block.byteLength) throw damaged('it is cut off', block.byteLength)
    if (bytes > declaredBytes) throw damaged(`it makes more than the ${declaredBytes} bytes it declares`, position)
  }
  if (bytes !== declaredBytes) throw damaged(`it makes ${bytes} of ${declaredBytes} bytes`, position)
}

function readLength(block: Uint8Array): { readonly value: number; readonly end: number } {
  let value = 0
  for (let count = 0; count < Math.min(VARINT_BYTES_MAX, block.byteLength); count += 1) {
    const byte = block[count]!
    value += (byte & 0x7f) * 2 ** (7 * count)
    if (byte < 0x80 && value <= LENGTH_MAX) return { value, end: count + 1 }
  }
  throw damaged('its length is no 32-bit varint', 0)
}

/** Unsigned; what is missing is refused. */
function littleEndian(block: Uint8Array, position: number, count: number): number {
  if (count > block.byteLength - position) throw damaged('it is cut off', position)
  let value = 0
  for (let index = 0; index < count; index += 1) value += block[position + index]! * 2 ** (8 * index)
  return value
}

function damaged(why: string, position: number): FormatError {
  return new FormatError('RECORD_COMPRESSION', `no snappy block: ${why}`, position)
}
