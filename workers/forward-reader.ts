import type { ObjectStore } from '../engine/ports/object-store.js'
import { copyBytes } from '../format/index.js'

/** Bytes [start, end) of an object. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What lies between two wanted ranges is read with them up to this size: a request costs more than the bytes. */
const GAP_BYTES_MAX = 512 * 1024

/** Joins ranges that overlap, touch, or lie close together. */
export function joinRanges(ranges: readonly ByteRange[], gapBytesMax = GAP_BYTES_MAX): ByteRange[] {
  const joined: { start: number; end: number }[] = []
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last !== undefined && start - last.end <= gapBytesMax) last.end = Math.max(last.end, end)
    else joined.push({ start, end })
  }
  return joined
}

/**
 * Reads parts of one object from front to back with few large GETs, each byte once at most, holding one window of it in memory. What it
 * answers may be written to, and stays as it is until the reader is given up.
 */
export class ForwardReader {
  readonly #ranges: readonly ByteRange[]
  #window: Uint8Array = new Uint8Array(0)
  #windowStart = 0
  #loading: { readonly start: number; readonly bytes: Promise<Uint8Array> } | undefined
  getRequestCount = 0
  readBytes = 0

  constructor(
    private readonly store: ObjectStore,
    private readonly objectKey: string,
    ranges: readonly ByteRange[],
    private readonly windowBytes: number,
  ) {
    this.#ranges = joinRanges(ranges)
  }

  /** Starts the first GET, so that those of many readers travel together. */
  start(): void {
    const first = this.#ranges[0]
    if (first === undefined || this.#loading !== undefined) return
    const bytes = this.#get(first.start)
    bytes.catch(() => {})
    this.#loading = { start: first.start, bytes }
  }

  /** Exactly these bytes, which lie in one of the ranges, at or behind all that was asked before. */
  async read(position: number, bytes: number): Promise<Uint8Array> {
    const end = position + bytes
    if (position >= this.#windowStart && end <= this.#windowEnd) return this.#view(position, end)
    if (position >= this.#windowEnd) {
      await this.#moveTo(position)
      if (end <= this.#windowEnd) return this.#view(position, end)
    }
    // Across windows: the one case in which bytes are copied.
    const whole = new Uint8Array(bytes)
    for (let filled = 0; filled < bytes; ) {
      const at = position + filled
      if (at >= this.#windowEnd) await this.#moveTo(at)
      const part = this.#view(at, Math.min(end, this.#windowEnd))
      copyBytes(part, whole, filled)
      filled += part.byteLength
    }
    return whole
  }

  get #windowEnd(): number {
    return this.#windowStart + this.#window.byteLength
  }

  #view(start: number, end: number): Uint8Array {
    return this.#window.subarray(start - this.#windowStart, end - this.#windowStart)
  }

  async #moveTo(position: number): Promise<void> {
    const loading = this.#loading
    this.#loading = undefined
    // Let go first: two windows at a time would be twice the memory.
    this.#window = new Uint8Array(0)
    if (loading !== undefined && loading.start === position) this.#window = await loading.bytes
    else this.#window = await this.#get(position)
    this.#windowStart = position
  }

  /** From `position` to the end of its range, or as much as a window holds. */
  async #get(position: number): Promise<Uint8Array> {
    const range = this.#ranges.find(({ start, end }) => position >= start && position < end)
    if (range === undefined) throw new RangeError(`position ${position} of ${this.objectKey} was not announced`)
    const bytes = Math.min(this.windowBytes, range.end - position)
    this.getRequestCount += 1
    this.readBytes += bytes
    return this.store.getRange(this.objectKey, position, bytes)
  }
}
