/**
 * CRC-32C of joined bytes from the CRCs of their parts, without reading them again: what a checksum that is known already is
 * worth. A CRC is the remainder of the bytes as a polynomial; bytes that follow multiply it by x^8 each, and that product is
 * linear in the CRC's bits, so that a table per byte of the CRC gives it. (The idea is that of zlib's `crc32_combine`.)
 */

/** Castagnoli's polynomial, lowest power in the highest bit, as in RFC 3720. */
const POLYNOMIAL = 0x82f63b78
/** x^1 in that order of bits. */
const X = 1 << 30
const BYTES_PER_CRC = 4
const TABLE_ENTRIES = 256

/** One step of the bytewise CRC for each value of a byte. */
const byteTable = Int32Array.from({ length: TABLE_ENTRIES }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = timesX(crc)
  return crc
})

/** For each k the tables of the product with x^(8 * 2^k): one per byte of the CRC. Made when first needed. */
const shiftTables: Int32Array[] = []

/** CRC of `a` followed by `b`, from their CRCs and the length of `b` in bytes (less than 2^31). Unsigned. */
export function joinCrc32c(crcA: number, crcB: number, bytesB: number): number {
  let shifted = crcA
  for (let level = 0, left = bytesB; left > 0; level++, left >>>= 1) {
    if ((left & 1) === 0) continue
    const table = shiftTables[level] ?? makeShiftTable(level)
    shifted =
      table[shifted & 0xff]! ^
      table[TABLE_ENTRIES + ((shifted >>> 8) & 0xff)]! ^
      table[2 * TABLE_ENTRIES + ((shifted >>> 16) & 0xff)]! ^
      table[3 * TABLE_ENTRIES + (shifted >>> 24)]!
  }
  return (shifted ^ crcB) >>> 0
}

/** CRC of what has the CRC `crc` followed by `bytes[from, to)`. For a few bytes: beyond some dozens the native call is faster. */
export function extendCrc32c(crc: number, bytes: Uint8Array, from: number, to: number): number {
  let state = ~crc
  for (let position = from; position < to; position++) {
    state = byteTable[(state ^ bytes[position]!) & 0xff]! ^ (state >>> 8)
  }
  return ~state >>> 0
}

function makeShiftTable(level: number): Int32Array {
  // x^(2^(level + 3)) by squaring.
  let factor = X
  for (let squared = 0; squared < level + 3; squared++) factor = product(factor, factor)
  const table = new Int32Array(BYTES_PER_CRC * TABLE_ENTRIES)
  for (let entry = 0; entry < table.length; entry++) {
    const byte = entry % TABLE_ENTRIES
    table[entry] = product(factor, byte << (8 * Math.floor(entry / TABLE_ENTRIES)))
  }
  shiftTables[level] = table
  return table
}

/** Product of two polynomials modulo the CRC's. */
function product(a: number, b: number): number {
  let sum = 0
  let term = b
  for (let bit = 31; bit >= 0; bit--) {
    if (((a >>> bit) & 1) !== 0) sum ^= term
    term = timesX(term)
  }
  return sum
}

function timesX(value: number): number {
  return (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL
}
