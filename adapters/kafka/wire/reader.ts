import { uuidFromBytes } from './uuid.js'
import { WireError } from './wire-error.js'

/** Kafka's own limit on a string, also where its length is a varint. */
const STRING_BYTES_MAX = 0x7fff
const VARINT_BYTES_MAX = 5
const TWO_POW_32 = 0x1_0000_0000
const NO_VIEW: DataView = new DataView(new ArrayBuffer(0))

export interface ReaderLimits {
  /** Elements all arrays of one request may have together: bounds what a small frame can make of itself in memory. */
  readonly elementsMax: number
}

export const DEFAULT_READER_LIMITS: ReaderLimits = { elementsMax: 1_000_000 }

/** Where a Produce request's records lie in its frame. They are described, not read: only a worker looks inside. */
export interface RecordsField {
  /** Counted from the start of the first chunk. */
  readonly position: number
  readonly bytes: number
  /** What the first batch says of itself; undefined where the field is too short to hold a batch header's front. */
  readonly batchBytes: number | undefined
  readonly magic: number | undefined
}

/**
 * Reads Kafka primitives from one frame that lies in a list of chunks, as the socket delivered them. Nothing is joined:
 * a primitive that spans chunks is gathered, and records are skipped. Every declared length is compared with what the
 * frame still has before anything is allocated for it.
 *
 * `flexible` chooses between the two families of encodings, so that a codec reads the same in both.
 */
export class WireReader {
  flexible = false

  readonly #chunks: readonly Uint8Array[]
  readonly #end: number
  #elementsLeft: number
  #index = 0
  /** Frame position of the current chunk's first byte. */
  #chunkPosition = 0
  /** Read position in the current chunk. */
  #at = 0
  #view = NO_VIEW
  #viewIndex = -1
  readonly #scratch = new Uint8Array(16)
  readonly #scratchView = new DataView(this.#scratch.buffer)

  constructor(chunks: readonly Uint8Array[], limits: ReaderLimits = DEFAULT_READER_LIMITS) {
    this.#chunks = chunks
    this.#elementsLeft = limits.elementsMax
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.byteLength
    this.#end = bytes
  }

  get position(): number {
    return this.#chunkPosition + this.#at
  }

  get remaining(): number {
    return this.#end - this.position
  }

  // ---- fixed width

  i8(): number {
    return this.#take(1).getInt8(this.#from)
  }

  u8(): number {
    return this.#take(1).getUint8(this.#from)
  }

  i16(): number {
    return this.#take(2).getInt16(this.#from)
  }

  i32(): number {
    return this.#take(4).getInt32(this.#from)
  }

  /** @throws WireError VALUE_INVALID beyond the safe integers: offsets, ids and timestamps are numbers here. */
  i64(): number {
    const view = this.#take(8)
    const value = view.getInt32(this.#from) * TWO_POW_32 + view.getUint32(this.#from + 4)
    if (!Number.isSafeInteger(value)) throw this.#error('VALUE_INVALID', 'A 64-bit value is beyond 2^53', 8)
    return value
  }

  boolean(): boolean {
    return this.i8() !== 0
  }

  uuid(): string {
    return uuidFromBytes(this.#takeBytes(16))
  }

  // ---- variable width

  uvarint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (value >= TWO_POW_32) break
        return value
      }
      factor *= 0x80
    }
    throw this.#error('VALUE_INVALID', 'A varint is longer than 32 bits')
  }

  string(): string {
    const value = this.nullableString()
    if (value === null) throw this.#error('VALUE_INVALID', 'A string that must not be null is null')
    return value
  }

  nullableString(): string | null {
    return this.#text(this.flexible ? this.uvarint() - 1 : this.i16())
  }

  /** The header's client id keeps the old encoding in flexible versions too. */
  nullableShortString(): string | null {
    return this.#text(this.i16())
  }

  /** A copy: what a group keeps must not keep its frame. */
  bytes(): Uint8Array {
    const bytes = this.flexible ? this.uvarint() - 1 : this.i32()
    if (bytes < 0) throw this.#error('LENGTH_INVALID', `A byte field that must not be null declares ${bytes} bytes`)
    return this.#takeBytes(bytes).slice()
  }

  // ---- arrays

  array<T>(readElement: (reader: this) => T): T[] {
    const elements = this.nullableArray(readElement)
    if (elements === null) throw this.#error('VALUE_INVALID', 'An array that must not be null is null')
    return elements
  }

  nullableArray<T>(readElement: (reader: this) => T): T[] | null {
    const count = this.flexible ? this.uvarint() - 1 : this.i32()
    if (count === -1) return null
    if (count < 0) throw this.#error('LENGTH_INVALID', `An array declares ${count} elements`)
    if (count > this.remaining) throw this.#error('FRAME_TOO_SHORT', `An array declares ${count} elements`)
    if (count > this.#elementsLeft) throw this.#error('LENGTH_TOO_LARGE', 'The request has too many array elements')
    this.#elementsLeft -= count
    const elements: T[] = []
    for (let element = 0; element < count; element++) elements.push(readElement(this))
    return elements
  }

  // ---- tags

  /**
   * Reads a tag buffer where the version has one. `readTag` gets the tags it may know; whatever it leaves unread of a
   * tag is skipped, so unknown tags need no code.
   */
  tags(readTag?: (tag: number, bytes: number) => void): void {
    if (!this.flexible) return
    const count = this.uvarint()
    if (count > this.remaining) throw this.#error('FRAME_TOO_SHORT', `A tag buffer declares ${count} tags`)
    for (let index = 0; index < count; index++) {
      const tag = this.uvarint()
      const bytes = this.uvarint()
      this.#check(bytes)
      const tagEnd = this.position + bytes
      readTag?.(tag, bytes)
      if (this.position > tagEnd) throw this.#error('LENGTH_INVALID', `Tag ${tag} is longer than it declares`)
      this.skip(tagEnd - this.position)
    }
  }

  // ---- records

  records(): RecordsField | null {
    const bytes = this.flexible ? this.uvarint() - 1 : this.i32()
    if (bytes === -1) return null
    if (bytes < 0) throw this.#error('LENGTH_INVALID', `Records declare ${bytes} bytes`)
    this.#check(bytes)
    const position = this.position
    if (bytes < BATCH_FRONT_BYTES) {
      this.skip(bytes)
      return { position, bytes, batchBytes: undefined, magic: undefined }
    }
    this.skip(8)
    const batchLength = this.i32()
    this.skip(4)
    const magic = this.i8()
    this.skip(bytes - BATCH_FRONT_BYTES)
    return { position, bytes, batchBytes: BATCH_LENGTH_END + batchLength, magic }
  }

  skip(bytes: number): void {
    this.#check(bytes)
    let left = bytes
    while (left > 0) {
      const inChunk = this.#chunks[this.#index]!.byteLength - this.#at
      if (left < inChunk) {
        this.#at += left
        return
      }
      left -= inChunk
      this.#nextChunk()
    }
  }

  // ---- inside

  /** Where in the view that `#take` returned the value starts. */
  #from = 0

  /** Advances by up to 8 bytes and returns a view that has them in one piece, at `#from`. */
  #take(bytes: number): DataView {
    this.#check(bytes)
    while (this.#at === this.#chunks[this.#index]!.byteLength) this.#nextChunk()
    const chunk = this.#chunks[this.#index]!
    if (this.#at + bytes <= chunk.byteLength) {
      if (this.#viewIndex !== this.#index) {
        this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        this.#viewIndex = this.#index
      }
      this.#from = this.#at
      this.#at += bytes
      return this.#view
    }
    this.#gather(this.#scratch, bytes)
    this.#from = 0
    return this.#scratchView
  }

  /** The next bytes in one piece: a view of the chunk where it holds them all, else a copy. */
  #takeBytes(bytes: number): Uint8Array {
    this.#check(bytes)
    if (bytes === 0) return this.#scratch.subarray(0, 0)
    while (this.#at === this.#chunks[this.#index]!.byteLength) this.#nextChunk()
    const chunk = this.#chunks[this.#index]!
    if (this.#at + bytes <= chunk.byteLength) {
      this.#at += bytes
      return chunk.subarray(this.#at - bytes, this.#at)
    }
    const gathered = new Uint8Array(bytes)
    this.#gather(gathered, bytes)
    return gathered
  }

  #gather(target: Uint8Array, bytes: number): void {
    let filled = 0
    while (filled < bytes) {
      const chunk = this.#chunks[this.#index]!
      const take = Math.min(bytes - filled, chunk.byteLength - this.#at)
      target.set(chunk.subarray(this.#at, this.#at + take), filled)
      filled += take
      this.#at += take
      if (this.#at === chunk.byteLength) this.#nextChunk()
    }
  }

  #nextChunk(): void {
    this.#chunkPosition += this.#chunks[this.#index]!.byteLength
    this.#index += 1
    this.#at = 0
  }

  #text(bytes: number): string | null {
    if (bytes === -1) return null
    if (bytes < 0) throw this.#error('LENGTH_INVALID', `A string declares ${bytes} bytes`)
    if (bytes > STRING_BYTES_MAX) throw this.#error('LENGTH_TOO_LARGE', `A string declares ${bytes} bytes`)
    const text = this.#takeBytes(bytes)
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')
  }

  #check(bytes: number): void {
    if (bytes > this.remaining) {
      throw this.#error('FRAME_TOO_SHORT', `${bytes} bytes are declared, ${this.remaining} are left`)
    }
  }

  #error(code: WireError['code'], message: string, back = 0): WireError {
    return new WireError(code, message, this.position - back)
  }
}

/** End of a record batch's length field: what the length does not count. */
const BATCH_LENGTH_END = 12
/** End of its magic byte. */
const BATCH_FRONT_BYTES = 17
