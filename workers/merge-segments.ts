import { isHeadraceError } from '../engine/errors.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import {
  type MergedExtent,
  type MergeExtent,
  type MergeInput,
  MergeInputError,
  type MergeOutput,
} from '../engine/ports/segment-merger.js'
import { type SegmentIndex, SegmentWriter } from '../format/index.js'
import { InputCursor } from './merge-input.js'
import type { MergeSegmentsResult } from './messages.js'
import { OutputBuffer } from './output-buffers.js'

/** Smaller windows would make more requests than they save memory. */
const WINDOW_BYTES_MIN = 256 * 1024
/** What is handed to the upload at a time. */
const CHUNK_BYTES = 1024 * 1024

/**
 * Merges segments: streams the inputs' extents in output order through one `SegmentWriter` into an upload. What no extent
 * points at is not read, where it is large, and never written.
 */
export async function mergeSegments(
  input: MergeInput,
  store: ObjectStore,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MergeOutput> {
  const merge = new SegmentMerge(input, store)
  const put = await store.putStream(input.objectKey, merge.chunks(), options)
  return { ...merge.result(), putRequestCount: put.requestCount }
}

/** The task: failures as values, because errors lose their class between threads. */
export async function runMerge(input: MergeInput, store: ObjectStore): Promise<MergeSegmentsResult> {
  try {
    return { ok: true, output: await mergeSegments(input, store) }
  } catch (error) {
    if (error instanceof MergeInputError) return { ok: false, badObject: error.object, message: error.message }
    if (isHeadraceError(error)) return { ok: false, code: error.code, retry: error.retry, message: error.message }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ok: false, code: 'WORKER_FAILED', retry: 'safe', message }
  }
}

/** An output extent under construction: batches are counted over the whole segment. */
interface OpenExtent {
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

class SegmentMerge {
  readonly #input: MergeInput
  readonly #cursors: readonly InputCursor[]
  readonly #extents: OpenExtent[] = []
  #batchCount = 0
  #finished: { readonly objectBytes: number; readonly index: SegmentIndex } | undefined

  constructor(input: MergeInput, store: ObjectStore) {
    this.#input = input
    const windowBytes = windowFor(input)
    const extentsOf: MergeExtent[][] = input.objects.map(() => [])
    for (const extent of input.extents) extentsOf[extent.object]?.push(extent)
    this.#cursors = input.objects.map(
      (object, number) => new InputCursor(store, number, object, extentsOf[number] ?? [], windowBytes),
    )
  }

  /** The object's bytes. A chunk is reused once the next one is asked for. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const buffer = new OutputBuffer()
    const writer = new SegmentWriter(this.#input, (bytes) => buffer.append(bytes))
    for (const cursor of this.#cursors) cursor.reader.start()
    for (const [number, extent] of this.#input.extents.entries()) {
      const cursor = this.#cursors[extent.object]
      if (cursor === undefined) throw new RangeError(`there is no object ${extent.object}`)
      const open = this.#openExtent(extent, number)
      for await (const batches of cursor.batches(extent)) {
        for (const { bytes, header, baseOffset } of batches) {
          writer.appendBatch(extent.topicId, extent.partition, bytes, header, baseOffset)
          open.batchCount += 1
          open.batchBytes += bytes.byteLength
          open.maxTimestampMs = Math.max(open.maxTimestampMs, header.maxTimestampMs)
        }
        this.#batchCount += batches.length
        const chunk = buffer.view()
        if (chunk.byteLength < CHUNK_BYTES) continue
        yield chunk
        buffer.clear()
      }
      open.endOffset = extent.endOffset
      open.inputCount += 1
    }
    this.#finished = writer.finish()
    yield buffer.view()
  }

  result(): Omit<MergeOutput, 'putRequestCount'> {
    if (this.#finished === undefined) throw new Error('the segment is not finished')
    const { objectBytes, index } = this.#finished
    return {
      objectBytes,
      extents: placeExtents(this.#extents, index),
      readBytes: this.#cursors.reduce((sum, { reader }) => sum + reader.readBytes, 0),
      getRequestCount: this.#cursors.reduce((sum, { reader }) => sum + reader.getRequestCount, 0),
    }
  }

  /** The output extent that takes this input extent in: the last one where it is adjacent and not full. */
  #openExtent({ topicId, partition, baseOffset }: MergeExtent, number: number): OpenExtent {
    const last = this.#extents.at(-1)
    const continues =
      last !== undefined &&
      last.topicId === topicId &&
      last.partition === partition &&
      last.endOffset === baseOffset &&
      last.batchBytes < this.#input.extentBytesMax
    if (continues) return last
    const open: OpenExtent = {
      topicId,
      partition,
      baseOffset,
      endOffset: baseOffset,
      firstBatch: this.#batchCount,
      batchCount: 0,
      batchBytes: 0,
      maxTimestampMs: -1,
      firstInput: number,
      inputCount: 0,
    }
    this.#extents.push(open)
    return open
  }
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
