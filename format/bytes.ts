import { FormatError, type FormatErrorCode } from './errors.js'
import { UUID_BYTES, uuidText, writeUuid } from './uuid.js'

/**
 * The one bounded reader and the one bounded writer. All integers are big-endian. 64-bit values are numbers and must be
 * safe integers: a decoder refuses others instead of rounding them.
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

/** Which `FormatError` codes a `ByteReader` throws: one for bytes that are missing, one for numbers that are no safe integers. */
export interface ReaderCodes {
  readonly bounds: FormatErrorCode
  readonly value: FormatErrorCode
}

/** Reads forward within `[start, end)`; a read beyond the end is a `FormatError`, never a short answer. */
export class ByteReader {
  readonly #view: DataView
  readonly #end: number
  #position: number

  constructor(
    readonly bytes: Uint8Array,
    readonly codes: ReaderCodes,
    start = 0,
    end = bytes.byteLength,
  ) {
    if (start < 0 || end < start || end > bytes.byteLength) {
      throw new RangeError(`range ${start}..${end} is outside of ${bytes.byteLength} bytes`)
    }
    this.#view = dataView(bytes)
    this.#position = start
    this.#end = end
  }

  get position(): number {
    return this.#position
  }

  get remainingBytes(): number {
    return this.#end - this.#position
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  /** A signed 64-bit safe integer. */
  int64(): number {
    const position = this.#take(8)
    const value = getSafeInt64(this.#view, position)
    if (Number.isNaN(value)) {
      throw new FormatError(this.codes.value, 'a 64-bit number is outside the safe integers', position)
    }
    return value
  }

  uuid(): string {
    return uuidText(this.bytes, this.#take(UUID_BYTES))
  }

  /** A view, not a copy. */
  view(bytes: number): Uint8Array {
    const position = this.#take(bytes)
    return this.bytes.subarray(position, position + bytes)
  }

  /** Zigzag varint of at most 32 bits, as Kafka's records use it. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.uint8()
      // The fifth byte has room for the top four of the 32 bits.
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new FormatError(this.codes.value, 'a varint is longer than 32 bits', this.#position)
  }

  /** Zigzag varint of at most 64 bits that must be a safe integer. */
  varlong(): number {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.uint8()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    return this.#longVarlong(BigInt(low))
  }

  /** Beyond 28 bits exactness needs a bigint; deltas of that size are rare. */
  #longVarlong(low: bigint): number {
    let value = low
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.uint8()
      if (shift === 63n && byte > 1) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return this.#safe((value >> 1n) ^ -(value & 1n))
    }
    throw new FormatError(this.codes.value, 'a varint is longer than 64 bits', this.#position)
  }

  #safe(value: bigint): number {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw new FormatError(this.codes.value, 'a varint is outside the safe integers', this.#position)
  }

  #take(bytes: number): number {
    const position = this.#position
    if (bytes < 0 || bytes > this.#end - position) {
      throw new FormatError(
        this.codes.bounds,
        `${bytes} bytes are needed, ${this.#end - position} are left: the data is cut off or a length is wrong`,
        position,
      )
    }
    this.#position = position + bytes
    return position
  }
}

/** Writes forward into memory that grows up to `bytesMax`; going beyond is a RangeError (our bug or a limit to raise). */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #position = 0

  constructor(
    initialBytes = 1024,
    readonly bytesMax = 2 ** 31 - 1,
  ) {
    this.#bytes = new Uint8Array(Math.min(initialBytes, bytesMax))
    this.#view = dataView(this.#bytes)
  }

  get position(): number {
    return this.#position
  }

  uint8(value: number): void {
    const position = this.#claim(1)
    this.#view.setUint8(position, value)
  }

  int16(value: number): void {
    const position = this.#claim(2)
    this.#view.setInt16(position, value)
  }

  uint16(value: number): void {
    const position = this.#claim(2)
    this.#view.setUint16(position, value)
  }

  int32(value: number): void {
    const position = this.#claim(4)
    this.#view.setInt32(position, value)
  }

  uint32(value: number): void {
    const position = this.#claim(4)
    this.#view.setUint32(position, value)
  }

  int64(value: number): void {
    const position = this.#claim(8)
    setSafeInt64(this.#view, position, value)
  }

  uuid(text: string): void {
    const position = this.#claim(UUID_BYTES)
    writeUuid(text, this.#bytes, position)
  }

  raw(bytes: Uint8Array): void {
    const position = this.#claim(bytes.byteLength)
    this.#bytes.set(bytes, position)
  }

  zeros(count: number): void {
    const position = this.#claim(count)
    this.#bytes.fill(0, position, position + count)
  }

  varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.uint8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.uint8(rest)
  }

  varlong(value: number): void {
    const big = BigInt(value)
    let rest = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n))
    while (rest > 0x7fn) {
      this.uint8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.uint8(Number(rest))
  }

  /** What was written, as a view; a later write may move on to other memory. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#position)
  }

  /** May replace view and bytes: take the position first, then look at them. */
  #claim(bytes: number): number {
    const position = this.#position
    const end = position + bytes
    if (end > this.#bytes.byteLength) this.#grow(end)
    this.#position = end
    return position
  }

  #grow(bytes: number): void {
    if (bytes > this.bytesMax) throw new RangeError(`${bytes} bytes exceed the writer's limit of ${this.bytesMax}`)
    const grown = new Uint8Array(Math.min(this.bytesMax, Math.max(bytes, this.#bytes.byteLength * 2)))
    grown.set(this.#bytes.subarray(0, this.#position))
    this.#bytes = grown
    this.#view = dataView(grown)
  }
}
