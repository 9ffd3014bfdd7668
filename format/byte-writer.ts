import { dataView, setSafeInt64 } from './bytes.js'
import { UUID_BYTES, writeUuid } from './uuid.js'

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
