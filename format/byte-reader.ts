import { dataView, getSafeInt64 } from './bytes.js'
import { FormatError, type FormatErrorCode } from './errors.js'
import { UUID_BYTES, uuidText } from './uuid.js'

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
