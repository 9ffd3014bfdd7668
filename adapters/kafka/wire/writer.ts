import { uuidToBytes } from './uuid.js'

const PIECE_BYTES_FIRST = 512
const PIECE_BYTES = 8192
const LENGTH_PREFIX_BYTES = 4
const TWO_POW_32 = 0x1_0000_0000

/**
 * Writes one response frame as a list of chunks. Small fields share pieces of its own; record bytes that a fetch
 * answers with are put into the list as they are, never copied. Values are ours, so nothing is checked here.
 */
export class WireWriter {
  flexible = false

  readonly #chunks: Uint8Array[] = []
  readonly #first: Buffer
  #piece: Buffer
  #start = 0
  #at = LENGTH_PREFIX_BYTES
  /** Bytes in `#chunks`. */
  #closedBytes = 0

  constructor() {
    this.#first = Buffer.allocUnsafe(PIECE_BYTES_FIRST)
    this.#piece = this.#first
  }

  // ---- fixed width

  i8(value: number): void {
    this.#reserve(1)
    this.#at = this.#piece.writeInt8(value, this.#at)
  }

  i16(value: number): void {
    this.#reserve(2)
    this.#at = this.#piece.writeInt16BE(value, this.#at)
  }

  i32(value: number): void {
    this.#reserve(4)
    this.#at = this.#piece.writeInt32BE(value, this.#at)
  }

  i64(value: number): void {
    const high = Math.floor(value / TWO_POW_32)
    this.#reserve(8)
    this.#at = this.#piece.writeInt32BE(high, this.#at)
    this.#at = this.#piece.writeUInt32BE(value - high * TWO_POW_32, this.#at)
  }

  boolean(value: boolean): void {
    this.i8(value ? 1 : 0)
  }

  uuid(value: string): void {
    this.#bytes(uuidToBytes(value))
  }

  // ---- variable width

  uvarint(value: number): void {
    this.#reserve(5)
    let left = value
    while (left >= 0x80) {
      this.#piece[this.#at++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#piece[this.#at++] = left
  }

  string(value: string): void {
    this.nullableString(value)
  }

  nullableString(value: string | null): void {
    if (value === null) {
      if (this.flexible) this.uvarint(0)
      else this.i16(-1)
      return
    }
    const bytes = Buffer.byteLength(value)
    if (this.flexible) this.uvarint(bytes + 1)
    else this.i16(bytes)
    this.#reserve(bytes)
    this.#at += this.#piece.write(value, this.#at, bytes, 'utf8')
  }

  /** The header's client id keeps the old encoding in flexible versions too. */
  nullableShortString(value: string | null): void {
    const { flexible } = this
    this.flexible = false
    this.nullableString(value)
    this.flexible = flexible
  }

  bytes(value: Uint8Array): void {
    if (this.flexible) this.uvarint(value.byteLength + 1)
    else this.i32(value.byteLength)
    this.#bytes(value)
  }

  // ---- arrays

  array<T>(elements: readonly T[], writeElement: (element: T) => void): void {
    this.nullableArray(elements, writeElement)
  }

  nullableArray<T>(elements: readonly T[] | null, writeElement: (element: T) => void): void {
    const count = elements === null ? -1 : elements.length
    if (this.flexible) this.uvarint(count + 1)
    else this.i32(count)
    for (const element of elements ?? []) writeElement(element)
  }

  /** The tag buffer of a structure: empty, as no tag we know ever has another value than its default. */
  tags(): void {
    if (this.flexible) this.uvarint(0)
  }

  // ---- records

  /** Takes `chunks`, which hold `bytes` together, into the frame without a copy. */
  records(chunks: readonly Uint8Array[], bytes: number): void {
    if (this.flexible) this.uvarint(bytes + 1)
    else this.i32(bytes)
    if (bytes === 0) return
    this.#closePiece()
    for (const chunk of chunks) this.#chunks.push(chunk)
    this.#closedBytes += bytes
  }

  /** The frame, its length prefix included. The writer is used up. */
  finish(): Uint8Array[] {
    this.#closePiece()
    this.#first.writeInt32BE(this.#closedBytes - LENGTH_PREFIX_BYTES, 0)
    return this.#chunks
  }

  // ---- inside

  #bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength)
    this.#piece.set(value, this.#at)
    this.#at += value.byteLength
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#piece.byteLength) return
    this.#closePiece()
    this.#piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, bytes))
    this.#start = 0
    this.#at = 0
  }

  /** What the piece holds joins the list; what is left of it goes on to serve. */
  #closePiece(): void {
    if (this.#at === this.#start) return
    this.#chunks.push(this.#piece.subarray(this.#start, this.#at))
    this.#closedBytes += this.#at - this.#start
    this.#start = this.#at
  }
}
