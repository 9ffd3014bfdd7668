import { type BatchView, decodeBlock, FormatError, iterateBatches, type RecordBatchHeader } from '../../format/index.js'
import type { Extent } from '../ports/catalog.js'

/** An extent, or a part of one that is whole blocks too: what a reader needs to give batches their offsets. */
export type BatchRun = Pick<
  Extent,
  'topicId' | 'partition' | 'level' | 'baseOffset' | 'endOffset' | 'batchSkipCount' | 'batchCount'
>

/** What was read for a run. */
export interface LoadedRun {
  readonly run: BatchRun
  /**
   * Memory with whole batches in it, in order. Only to be read, and not after a wait: it may be used for something else then.
   * @throws FormatError when the bytes are damaged, OBJECT_NOT_FOUND when they were used for something else since the loading
   */
  memories(): Iterable<Uint8Array>
}

/** A batch and its offset, which is not written into it. */
export interface PlacedBatch {
  readonly memory: Uint8Array
  readonly position: number
  readonly bytes: number
  readonly baseOffset: number
  readonly endOffset: number
  readonly header: RecordBatchHeader
}

/**
 * The batches of a run in order, exactly `batchCount` of them, with absolute offsets. Lazy: a block is decompressed when
 * its first batch is asked for. Level 0 batches do not know their offsets, so they are counted from the run's base offset;
 * above, they carry them.
 * @throws FormatError when the bytes are damaged or are not what the catalog says
 */
export function* decodeRun(loaded: LoadedRun): Generator<PlacedBatch, void, undefined> {
  const { run } = loaded
  let skipCount = run.batchSkipCount
  let leftCount = run.batchCount
  let offset = run.baseOffset
  for (const memory of loaded.memories()) {
    for (const view of iterateBatches(memory)) {
      if (skipCount > 0) {
        skipCount -= 1
        continue
      }
      if (leftCount === 0) return
      const batch = placeBatch(run, memory, view, offset)
      offset = batch.endOffset
      leftCount -= 1
      yield batch
    }
    if (leftCount === 0) break
  }
  if (leftCount > 0) throw mismatch(run, `${leftCount} of its ${run.batchCount} batches are missing`)
  if (offset !== run.endOffset) throw mismatch(run, `its batches end at offset ${offset}, not ${run.endOffset}`)
}

function placeBatch(run: BatchRun, memory: Uint8Array, view: BatchView, offset: number): PlacedBatch {
  const { position, header } = view
  const baseOffset = run.level === 0 ? offset : header.baseOffset
  const endOffset = baseOffset + header.lastOffsetDelta + 1
  if (baseOffset < offset || endOffset > run.endOffset) {
    throw mismatch(run, `a batch of offsets ${baseOffset} to ${endOffset} does not fit after ${offset}`)
  }
  return { memory, position, bytes: header.bytes, baseOffset, endOffset, header }
}

/** A run whose blocks are `bytes`, as in the object. A block is decompressed when it is come to. */
export function runOfBlocks(run: BatchRun, bytes: Uint8Array): LoadedRun {
  return { run, memories: () => decompressed(run, bytes) }
}

function* decompressed(run: BatchRun, bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  let position = 0
  while (position < bytes.byteLength) {
    const block = decodeBlock(bytes, position)
    const { header } = block
    if (header.topicId !== run.topicId || header.partition !== run.partition) {
      const text = `block of ${header.topicId}/${header.partition} where one of ${run.topicId}/${run.partition} should be`
      throw new FormatError('BLOCK_MISMATCH', text, position)
    }
    yield block.rawBytes
    position += block.bytes
  }
}

function mismatch(run: BatchRun, text: string): FormatError {
  const where = `extent ${run.baseOffset}-${run.endOffset} of ${run.topicId}/${run.partition}`
  return new FormatError('BLOCK_BATCHES', `${where}: ${text}; the object is not what the catalog says`)
}
