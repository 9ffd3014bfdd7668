import { HeadraceError } from '../engine/errors.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import type { KeyCompaction, MergeInput } from '../engine/ports/segment-merger.js'
import {
  FormatError,
  filterBatch,
  iterateRecords,
  type KafkaRecord,
  readBatchHeader,
  type SegmentWriter,
  stretchBatch,
} from '../format/index.js'
import { cursorsFor, SegmentMerge } from './segment-merge.js'

/** What a key costs beside its bytes: an entry of a map, a number, a string. */
const KEY_OVERHEAD_BYTES = 100
const LAST_OFFSET_DELTA_MAX = 2 ** 31 - 1
/** One character per byte, each its own: equal keys are equal strings, different ones are not. */
const latin1 = new TextDecoder('latin1')

/** Where the latest record of each key is, as far as keys fit the memory. */
export interface LatestOffsets {
  readonly offsetOf: ReadonlyMap<string, number>
  /** The input extents whose keys are all in it, from the first on. */
  readonly extentCount: number
}

/**
 * Reads the keys of the dirty extents. Where memory ends within an extent the keys of its first part stay in the map: their records are
 * there, later than all that is compacted.
 * @throws HeadraceError WORKER_FAILED when the keys of a single extent do not fit
 */
export async function readKeys(input: MergeInput, keys: KeyCompaction, store: ObjectStore): Promise<LatestOffsets> {
  const dirty = input.extents.slice(keys.firstDirty)
  const cursors = cursorsFor(input, dirty, store)
  const offsetOf = new Map<string, number>()
  let bytes = 0
  let extentCount = keys.firstDirty
  for (const extent of dirty) {
    for await (const batches of cursors[extent.object]?.batches(extent) ?? []) {
      for (const batch of batches) {
        for (const { key, offset } of recordsOf(batch.bytes, batch.baseOffset, extent.object, input)) {
          if (key === null) continue
          const text = latin1.decode(key)
          if (!offsetOf.has(text)) bytes += key.byteLength + KEY_OVERHEAD_BYTES
          offsetOf.set(text, offset)
        }
      }
      if (bytes > keys.keyBytesMax) {
        if (extentCount > keys.firstDirty) return { offsetOf, extentCount }
        const text = 'the keys of one extent take more memory than compaction by key has; raise memory'
        throw new HeadraceError('WORKER_FAILED', 'never', text)
      }
    }
    extentCount += 1
  }
  return { offsetOf, extentCount }
}

/** Keeps the latest record of each key. Batches that stay span the offsets of those that went, so that a log has no hole. */
export class KeyMerge extends SegmentMerge {
  readonly #keys: KeyCompaction
  readonly #latest: LatestOffsets
  readonly #endOffset: number

  constructor(input: MergeInput, keys: KeyCompaction, latest: LatestOffsets, store: ObjectStore) {
    super(input, store)
    this.#keys = keys
    this.#latest = latest
    this.#endOffset = input.extents[latest.extentCount - 1]?.endOffset ?? 0
  }

  protected override get inputCount(): number {
    return this.#latest.extentCount
  }

  protected override async *append(writer: SegmentWriter): AsyncGenerator<void, void, undefined> {
    let endOffset = this.input.extents[0]?.baseOffset ?? 0
    // Written once it is known where the next one begins.
    let pending: { readonly bytes: Uint8Array; readonly baseOffset: number } | undefined
    const write = (nextOffset: number) => {
      if (pending === undefined) return
      this.#write(writer, pending, endOffset, nextOffset)
      endOffset = nextOffset
    }
    for (const extent of this.input.extents.slice(0, this.inputCount)) {
      for await (const batches of this.cursorOf(extent).batches(extent)) {
        for (const { bytes, header, baseOffset } of batches) {
          const kept = filterBatch(bytes, header, baseOffset, (record) => this.#isKept(record))
          if (kept === undefined) continue
          write(baseOffset)
          pending = { bytes: kept, baseOffset }
        }
        yield
      }
    }
    write(this.#endOffset)
  }

  #write(
    writer: SegmentWriter,
    { bytes, baseOffset }: { readonly bytes: Uint8Array; readonly baseOffset: number },
    startOffset: number,
    nextOffset: number,
  ): void {
    const { topicId = '', partition = 0 } = this.input.extents[0] ?? {}
    const lastOffsetDelta = nextOffset - baseOffset - 1
    if (lastOffsetDelta > LAST_OFFSET_DELTA_MAX) throw new RangeError('a batch cannot span so many offsets')
    if (readBatchHeader(bytes).lastOffsetDelta !== lastOffsetDelta) stretchBatch(bytes, lastOffsetDelta)
    const header = readBatchHeader(bytes)
    const open = this.openExtent({ topicId, partition, baseOffset: startOffset }, 0)
    writer.appendBatch(topicId, partition, bytes, header, baseOffset)
    this.count(open, bytes.byteLength, header.maxTimestampMs)
    open.endOffset = nextOffset
    open.inputCount = this.inputCount
  }

  #isKept({ key, value, offset, timestampMs }: KafkaRecord): boolean {
    // The last offset always has its record: no extent is without a batch.
    if (key === null || offset === this.#endOffset - 1) return true
    const latest = this.#latest.offsetOf.get(latin1.decode(key))
    if (latest !== undefined && offset < latest) return false
    return value !== null || timestampMs >= this.#keys.tombstonesBeforeMs
  }
}

/** A codec of the client's own making cannot be looked into; then nothing of the partition is compacted by key. */
function* recordsOf(bytes: Uint8Array, baseOffset: number, object: number, input: MergeInput): Generator<KafkaRecord> {
  try {
    yield* iterateRecords(bytes, { baseOffset })
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    const where = input.objects[object]?.objectKey
    throw new HeadraceError('WORKER_FAILED', 'never', `records at offset ${baseOffset} in ${where}: ${error.message}`)
  }
}
