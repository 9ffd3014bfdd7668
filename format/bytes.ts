/**
 * Integers and runs inside of bytes. All integers are big-endian. 64-bit values are numbers and must be safe integers: a decoder
 * refuses others instead of rounding them.
 */

const TWO_POW_32 = 4_294_967_296
/** High words beyond this make a signed 64-bit value that a number cannot hold exactly. */
const SAFE_HIGH_WORD_MAX = 2 ** 21 - 1
const SAFE_HIGH_WORD_MIN = -(2 ** 21)

/** A view of the same bytes. */
export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The signed 64-bit integer at `position`, or NaN when it is no safe integer. */
export function getSafeInt64(view: DataView, position: number): number {
  const high = view.getInt32(position)
  if (high > SAFE_HIGH_WORD_MAX || high < SAFE_HIGH_WORD_MIN) return Number.NaN
  const value = high * TWO_POW_32 + view.getUint32(position + 4)
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** @throws RangeError unless `value` is a safe integer */
export function setSafeInt64(view: DataView, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`)
  view.setInt32(position, Math.floor(value / TWO_POW_32))
  view.setUint32(position + 4, value >>> 0)
}

/** Whether `expected` stands at `position`, which must leave room for it. */
export function sameBytes(bytes: Uint8Array, position: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.byteLength; index += 1) {
    if (bytes[position + index] !== expected[index]) return false
  }
  return true
}

/**
 * The same memory as a plain `Uint8Array`. Libraries give Node's subclass, whose `slice` is a view where everybody
 * else's is a copy: it must not reach code that slices in order to own.
 */
export function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** One array of all chunks, which are `bytes` bytes together. */
export function concat(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes)
  let position = 0
  for (const chunk of chunks) {
    joined.set(chunk, position)
    position += chunk.byteLength
  }
  return joined
}
