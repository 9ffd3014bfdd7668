import type { ObjectStore } from '../engine/ports/object-store.js'
import type { MergedExtent, MergeExtent, MergeInput, MergeOutput } from '../engine/ports/segment-merger.js'
import { type SegmentIndex, SegmentWriter } from '../format/index.js'
import { InputCursor } from './merge-input.js'
import { OutputBuffer } from './output-buffers.js'

/** Smaller windows would make more requests than they save memory. */
const WINDOW_BYTES_MIN = 256 * 1024
/** What is handed to the upload at a time. */
const CHUNK_BYTES = 1024 * 1024

/** An output extent under construction: batches are counted over the whole segment. */
export interface OpenExtent {
  readonly topicId: string
  readonly partition: number
  readonly baseOffset: number
  endOffset: number
  readonly firstBatch: number
  batchCount: number
  batchBytes: number
  maxTimestampMs: number
  readonly firstInput: number
  inputCount: number
}

/** One merge under way: batches of the inputs through one `SegmentWriter`, and what extents they make. */
export class SegmentMerge {
  protected readonly input: MergeInput
  protected readonly cursors: readonly InputCursor[]
  protected readonly opened: OpenExtent[] = []
  protected batchCount = 0
  #finished: { readonly objectBytes: number; readonly index: SegmentIndex } | undefined

  constructor(input: MergeInput, store: ObjectStore) {
    this.input = input
    this.cursors = cursorsFor(input, input.extents, store)
  }

  /** The object's bytes. A chunk is reused once the next one is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const buffer = new OutputBuffer()
    const writer = new SegmentWriter(this.input, (bytes) => buffer.append(bytes))
    for (const cursor of this.cursors) cursor.reader.start()
    for await (const _ of this.append(writer)) {
      const chunk = buffer.view()
      if (chunk.byteLength < CHUNK_BYTES) continue
      yield chunk
      buffer.clear()
    }
    this.#finished = writer.finish()
    yield buffer.view()
  }

  /** Appends all batches, and pauses after each few. */
  protected async *append(writer: SegmentWriter): AsyncGenerator<void, void, undefined> {
    for (const [number, extent] of this.input.extents.entries()) {
      const cursor = this.cursorOf(extent)
      const open = this.openExtent(extent, number)
      for await (const batches of cursor.batches(extent)) {
        for (const { bytes, header, baseOffset } of batches) {
          writer.appendBatch(extent.topicId, extent.partition, bytes, header, baseOffset)
          this.count(open, bytes.byteLength, header.maxTimestampMs)
        }
        yield
      }
      open.endOffset = extent.endOffset
      open.inputCount += 1
    }
  }

  protected cursorOf(extent: MergeExtent): InputCursor {
    const cursor = this.cursors[extent.object]
    if (cursor === undefined) throw new RangeError(`there is no object ${extent.object}`)
    return cursor
  }

  protected count(open: OpenExtent, batchBytes: number, maxTimestampMs: number): void {
    open.batchCount += 1
    open.batchBytes += batchBytes
    open.maxTimestampMs = Math.max(open.maxTimestampMs, maxTimestampMs)
    this.batchCount += 1
  }

  /** How many of the input extents went in. */
  protected get inputCount(): number {
    return this.input.extents.length
  }

  result(): Omit<MergeOutput, 'putRequestCount'> {
    if (this.#finished === undefined) throw new Error('the segment is not finished')
    const { objectBytes, index } = this.#finished
    return {
      objectBytes,
      extents: placeExtents(this.opened, index),
      inputCount: this.inputCount,
      readBytes: this.cursors.reduce((sum, { reader }) => sum + reader.readBytes, 0),
      getRequestCount: this.cursors.reduce((sum, { reader }) => sum + reader.getRequestCount, 0),
    }
  }

  /** The output extent that takes this input extent in: the last one where it is adjacent and not full. */
  protected openExtent(
    { topicId, partition, baseOffset }: Pick<MergeExtent, 'topicId' | 'partition' | 'baseOffset'>,
    number: number,
  ): OpenExtent {
    const last = this.opened.at(-1)
    const continues =
      last !== undefined &&
      last.topicId === topicId &&
      last.partition === partition &&
      last.endOffset === baseOffset &&
      last.batchBytes < this.input.extentBytesMax
    if (continues) return last
    const open: OpenExtent = {
      topicId,
      partition,
      baseOffset,
      endOffset: baseOffset,
      firstBatch: this.batchCount,
      batchCount: 0,
      batchBytes: 0,
      maxTimestampMs: -1,
      firstInput: number,
      inputCount: 0,
    }
    this.opened.push(open)
    return open
  }
}

/** A cursor for each object, over those of its extents that are given. */
export function cursorsFor(input: MergeInput, extents: readonly MergeExtent[], store: ObjectStore): InputCursor[] {
  const windowBytes = windowFor(input)
  const extentsOf: MergeExtent[][] = input.objects.map(() => [])
  for (const extent of extents) extentsOf[extent.object]?.push(extent)
  return input.objects.map(
    (object, number) => new InputCursor(store, number, object, extentsOf[number] ?? [], windowBytes),
  )
}

function windowFor({ objects, extents, readBytesMax }: MergeInput): number {
  const wanted = extents.reduce((sum, { bytes }) => sum + bytes, 0)
  // All of it fits: one GET per input.
  if (wanted <= readBytesMax) return readBytesMax
  return Math.max(WINDOW_BYTES_MIN, Math.floor(readBytesMax / objects.length))
}

/** Where each extent lies, by the number of its first batch. Extents and blocks are both in the order of the batches. */
function placeExtents(extents: readonly OpenExtent[], index: SegmentIndex): MergedExtent[] {
  const { blocks } = index
  let block = 0
  let blockFirst = 0
  return extents.map((extent) => {
    while (extent.firstBatch >= blockFirst + (blocks[block]?.batches.length ?? Number.POSITIVE_INFINITY)) {
      blockFirst += blocks[block]?.batches.length ?? 0
      block += 1
    }
    const first = blocks[block]
    let last = first
    let lastEnd = blockFirst + (first?.batches.length ?? 0)
    for (let number = block + 1; lastEnd < extent.firstBatch + extent.batchCount; number++) {
      last = blocks[number]
      lastEnd += last?.batches.length ?? Number.POSITIVE_INFINITY
    }
    if (first === undefined || last === undefined) throw new RangeError('an extent lies outside of its segment')
    const { topicId, partition, baseOffset, endOffset, batchCount, maxTimestampMs, firstInput, inputCount } = extent
    return {
      topicId,
      partition,
      baseOffset,
      endOffset,
      position: first.position,
      bytes: last.position + last.bytes - first.position,
      batchSkipCount: extent.firstBatch - blockFirst,
      batchCount,
      maxTimestampMs,
      firstInput,
      inputCount,
    }
  })
}
