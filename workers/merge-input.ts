import type { ObjectStore } from '../engine/ports/object-store.js'
import { type MergeExtent, MergeInputError, type MergeObject } from '../engine/ports/segment-merger.js'
import {
  BLOCK_HEADER_BYTES,
  decodeBlock,
  decodeBlockHeader,
  FormatError,
  iterateBatches,
  patchBatch,
  type RecordBatchHeader,
} from '../format/index.js'
import { ForwardReader } from './forward-reader.js'

/** A batch of an input with its offset written into it. */
export interface InputBatch {
  readonly bytes: Uint8Array
  readonly header: RecordBatchHeader
  readonly baseOffset: number
}

/** Headrace has no leaders; an epoch that never changes tells clients that nothing was truncated. */
const LEADER_EPOCH = 0

/** One input segment, read from front to back, block by block. */
export class InputCursor {
  readonly reader: ForwardReader
  readonly #number: number
  readonly #objectKey: string
  /** The last block: an extent may begin in the block in which the one before it ended. */
  #block: { readonly position: number; readonly bytes: number; readonly memory: Uint8Array } | undefined

  constructor(
    store: ObjectStore,
    number: number,
    object: MergeObject,
    extents: readonly MergeExtent[],
    windowBytes: number,
  ) {
    const ranges = extents.map(({ position, bytes }) => ({ start: position, end: position + bytes }))
    this.#number = number
    this.#objectKey = object.objectKey
    this.reader = new ForwardReader(store, object.objectKey, ranges, windowBytes)
  }

  /** The extent's batches in order, a block at a time. @throws MergeInputError, and what the store says */
  async *batches(extent: MergeExtent): AsyncGenerator<readonly InputBatch[], void, undefined> {
    let skipCount = extent.batchSkipCount
    let leftCount = extent.batchCount
    let offset = extent.baseOffset
    for (let position = extent.position; leftCount > 0 && position < extent.position + extent.bytes; ) {
      const block = await this.#read(position, extent)
      const batches: InputBatch[] = []
      try {
        for (const { position: at, header } of iterateBatches(block.memory)) {
          if (skipCount > 0) skipCount -= 1
          else if (leftCount > 0) {
            const baseOffset = extent.level === 0 ? offset : header.baseOffset
            const endOffset = baseOffset + header.lastOffsetDelta + 1
            if (baseOffset < offset || endOffset > extent.endOffset)
              throw this.#mismatch(extent, `offset ${baseOffset}`)
            patchBatch(block.memory, at, baseOffset, LEADER_EPOCH)
            batches.push({ bytes: block.memory.subarray(at, at + header.bytes), header, baseOffset })
            offset = endOffset
            leftCount -= 1
          }
        }
      } catch (error) {
        throw this.#bad(error)
      }
      yield batches
      position += block.bytes
    }
    if (leftCount > 0) throw this.#mismatch(extent, `${leftCount} batches are missing`)
    // Above level 0 compaction by key may have taken the last batches.
    if (extent.level === 0 && offset !== extent.endOffset) throw this.#mismatch(extent, `its batches end at ${offset}`)
  }

  async #read(position: number, extent: MergeExtent): Promise<{ readonly bytes: number; readonly memory: Uint8Array }> {
    if (this.#block?.position === position) return this.#block
    const head = await this.reader.read(position, BLOCK_HEADER_BYTES)
    try {
      const { storedBytes } = decodeBlockHeader(head)
      const left = extent.position + extent.bytes - position - BLOCK_HEADER_BYTES
      if (storedBytes > left) throw this.#mismatch(extent, `a block of ${storedBytes} bytes where ${left} are left`)
      const whole = await this.#whole(position, head, storedBytes)
      const { header, rawBytes, bytes } = decodeBlock(whole)
      if (header.topicId !== extent.topicId || header.partition !== extent.partition) {
        throw this.#mismatch(extent, `a block of ${header.topicId}/${header.partition}`)
      }
      this.#block = { position, bytes, memory: rawBytes }
      return this.#block
    } catch (error) {
      throw this.#bad(error)
    }
  }

  async #whole(position: number, head: Uint8Array, storedBytes: number): Promise<Uint8Array> {
    const stored = await this.reader.read(position + BLOCK_HEADER_BYTES, storedBytes)
    const adjacent = stored.buffer === head.buffer && stored.byteOffset === head.byteOffset + head.byteLength
    if (adjacent) return new Uint8Array(head.buffer, head.byteOffset, head.byteLength + storedBytes)
    const whole = new Uint8Array(head.byteLength + storedBytes)
    whole.set(head)
    whole.set(stored, head.byteLength)
    return whole
  }

  #mismatch({ topicId, partition, baseOffset, endOffset }: MergeExtent, text: string): MergeInputError {
    const where = `extent ${baseOffset}-${endOffset} of ${topicId}/${partition}`
    return new MergeInputError(this.#number, `${this.#objectKey} is not what the catalog says: ${where}: ${text}`)
  }

  #bad(error: unknown): unknown {
    if (!(error instanceof FormatError)) return error
    return new MergeInputError(this.#number, `${this.#objectKey} is damaged: ${error.message}`, { cause: error })
  }
}
