import { MemoryObjectStore } from '../../adapters/object-store/memory.js'
import type { SegmentId } from '../../engine/model.js'
import type { CommitSegment, Extent, SegmentOutcome } from '../../engine/ports/catalog.js'
import type { ObjectStore, RequestOptions } from '../../engine/ports/object-store.js'
import { newSegmentId, segmentObjectKey } from '../../engine/segment-identity.js'
import {
  encodeRecordBatch,
  encodeSegment,
  patchBatch,
  type RecordBatchInput,
  readBatchHeader,
  type SegmentBatch,
  type SegmentIndex,
} from '../../format/index.js'
import { FakeCatalog } from './fake-catalog.js'
import { SeededRandom, VirtualClock } from './virtual-clock.js'

export const TOPIC_ID = '5bd1f5b2-7a2e-4d0c-9d53-1234567890ab'

/** A batch as a reader must see it. */
export interface LogBatch {
  readonly baseOffset: number
  readonly endOffset: number
  readonly bytes: Uint8Array
}

export interface WrittenSegment {
  readonly segmentId: SegmentId
  readonly objectKey: string
  readonly index: SegmentIndex
  /** As they were written, in index order. */
  readonly batches: readonly SegmentBatch[]
  readonly outcome: SegmentOutcome
}

export interface NewBatch {
  readonly partition: number
  readonly bytes: Uint8Array
}

/** A topic over a memory store and a fake catalog, with the log that readers have to see kept beside it. */
export class TestLog {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly catalog: FakeCatalog
  readonly objectStore = new CountingStore()
  /** By partition. */
  readonly logs: LogBatch[][]

  constructor(readonly partitionCount: number) {
    this.clock = new VirtualClock()
    this.random = new SeededRandom(partitionCount)
    this.catalog = new FakeCatalog(this.clock)
    this.logs = Array.from({ length: partitionCount }, () => [])
  }

  static async create(partitionCount = 1): Promise<TestLog> {
    const log = new TestLog(partitionCount)
    await log.catalog.createTopic({ topicId: TOPIC_ID, name: 'events', partitionCount, configs: {} })
    return log
  }

  /** Writes a level 0 segment and commits it, as the write path does. */
  async write(batches: readonly NewBatch[], options: { blockTargetBytes?: number } = {}): Promise<WrittenSegment> {
    const segmentId = newSegmentId(this.clock.nowMs(), this.random)
    const objectKey = segmentObjectKey(segmentId)
    const header = { segmentId, level: 0, createdAtMs: this.clock.nowMs() }
    const sorted = batches.map((batch) => ({ ...batch, topicId: TOPIC_ID })).sort((a, b) => a.partition - b.partition)
    const { bytes, index } = encodeSegment(header, sorted, options)
    await this.objectStore.put(objectKey, bytes)
    const segment = commitSegment(objectKey, bytes.byteLength, index)
    const [outcome] = await this.catalog.commit([segment], { commitAgeMaxMs: 60_000 })
    if (outcome?.committed !== true) throw new Error('the segment was not committed')
    for (const [number, batch] of sorted.entries()) {
      const result = outcome.batches[number]
      if (result?.kind === 'accepted') this.logs[batch.partition]?.push(placed(batch.bytes, result.baseOffset))
    }
    return { segmentId, objectKey, index, batches: sorted, outcome }
  }

  /** Merges the extents of a partition from `first` to before `end` into a segment of level 1, as compaction does. */
  async compact(partition: number, first: number, end: number, options: { blockTargetBytes?: number } = {}) {
    const inputs = this.catalog.extentsOf({ topicId: TOPIC_ID, partition }).slice(first, end)
    const from = inputs[0]
    const to = inputs.at(-1)
    if (from === undefined || to === undefined) return []
    const kept = (this.logs[partition] ?? []).filter(
      (batch) => batch.baseOffset >= from.baseOffset && batch.endOffset <= to.endOffset,
    )
    const segmentId = newSegmentId(this.clock.nowMs(), this.random)
    const objectKey = segmentObjectKey(segmentId)
    const batches = kept.map(({ bytes, baseOffset }) => ({ topicId: TOPIC_ID, partition, bytes, baseOffset }))
    const header = { segmentId, level: 1, createdAtMs: this.clock.nowMs() }
    const { bytes, index } = encodeSegment(header, batches, options)
    await this.objectStore.put(objectKey, bytes)
    const position = index.blocks[0]?.position ?? 0
    const output: Extent = {
      topicId: TOPIC_ID,
      partition,
      baseOffset: from.baseOffset,
      endOffset: to.endOffset,
      segmentId,
      objectKey,
      objectBytes: bytes.byteLength,
      level: 1,
      position,
      bytes: index.blocks.reduce((sum, block) => sum + block.bytes, 0),
      batchSkipCount: 0,
      batchCount: batches.length,
      maxTimestampMs: Math.max(...inputs.map((extent) => extent.maxTimestampMs)),
    }
    this.catalog.replaceExtents(inputs, [output])
    return inputs
  }

  /** Merges everything, oldest first, into segments of level 1 of about `bytesMax` bytes with all partitions in each. */
  async compactAll(bytesMax: number, options: { blockTargetBytes?: number } = {}): Promise<void> {
    const partitions = Array.from({ length: this.partitionCount }, (_, partition) => partition)
    const inputsOf = partitions.map((partition) => [...this.catalog.extentsOf({ topicId: TOPIC_ID, partition })])
    const segmentIds = [...new Set(inputsOf.flat().map((extent) => extent.segmentId))].sort()
    let group: Set<string> = new Set()
    let bytes = 0
    for (const [number, id] of segmentIds.entries()) {
      group.add(id)
      bytes += inputsOf.flat().find((extent) => extent.segmentId === id)?.objectBytes ?? 0
      if (bytes < bytesMax && number < segmentIds.length - 1) continue
      await this.#merge(
        inputsOf.map((inputs) => inputs.filter((extent) => group.has(extent.segmentId))),
        options,
      )
      group = new Set()
      bytes = 0
    }
  }

  async #merge(inputsOf: readonly (readonly Extent[])[], options: { blockTargetBytes?: number }): Promise<void> {
    const batches = inputsOf.flatMap((inputs, partition) => {
      const from = inputs[0]?.baseOffset ?? 0
      const to = inputs.at(-1)?.endOffset ?? 0
      return (this.logs[partition] ?? [])
        .filter((batch) => batch.baseOffset >= from && batch.endOffset <= to)
        .map(({ bytes, baseOffset }) => ({ topicId: TOPIC_ID, partition, bytes, baseOffset }))
    })
    const segmentId = newSegmentId(this.clock.nowMs(), this.random)
    const objectKey = segmentObjectKey(segmentId)
    const { bytes, index } = encodeSegment({ segmentId, level: 1, createdAtMs: this.clock.nowMs() }, batches, options)
    await this.objectStore.put(objectKey, bytes)
    for (const [partition, inputs] of inputsOf.entries()) {
      const from = inputs[0]
      const blocks = index.blocks.filter((block) => block.partition === partition)
      if (from === undefined || blocks[0] === undefined) continue
      this.catalog.replaceExtents(inputs, [
        {
          ...from,
          endOffset: inputs.at(-1)?.endOffset ?? 0,
          segmentId,
          objectKey,
          objectBytes: bytes.byteLength,
          level: 1,
          position: blocks[0].position,
          bytes: blocks.reduce((sum, block) => sum + block.bytes, 0),
          batchSkipCount: 0,
          batchCount: blocks.reduce((count, block) => count + block.batches.length, 0),
        },
      ])
    }
  }

  /** The bytes a reader must get from `offset` on, all of them. */
  bytesFrom(partition: number, offset: number): Uint8Array {
    return concatenate(
      (this.logs[partition] ?? []).filter((batch) => batch.endOffset > offset).map(({ bytes }) => bytes),
    )
  }

  endOffset(partition: number): number {
    return this.logs[partition]?.at(-1)?.endOffset ?? 0
  }
}

/** Counts ranged GETs and can be told to hold them back or to fail. */
export class CountingStore extends MemoryObjectStore implements ObjectStore {
  readonly gets: { readonly key: string; readonly position: number; readonly bytes: number }[] = []
  /** Awaited before each GET. */
  beforeGet: (key: string, options?: RequestOptions) => Promise<void> = async () => {}

  override async getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    this.gets.push({ key, position, bytes })
    await this.beforeGet(key, options)
    return super.getRange(key, position, bytes, options)
  }
}

/** A batch of `count` records with values of `valueBytes` bytes each; `fill` makes them differ. */
export function batchOf(
  count: number,
  options: { valueBytes?: number; fill?: number; timestampMs?: number } & Partial<RecordBatchInput> = {},
): Uint8Array {
  const { valueBytes = 20, fill = 0, timestampMs = 1_700_000_000_000, ...input } = options
  const random = new SeededRandom(fill)
  const records = Array.from({ length: count }, (_, number) => ({
    timestampMs: timestampMs + number,
    value: random.bytes(valueBytes),
  }))
  return encodeRecordBatch({ records, ...input })
}

export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const target = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let position = 0
  for (const chunk of chunks) {
    target.set(chunk, position)
    position += chunk.byteLength
  }
  return target
}

/** Where a consumer goes on that was at `offset` and got these batches. */
export function offsetAfter(content: Uint8Array, offset: number): number {
  let next = offset
  for (let position = 0; position < content.byteLength; ) {
    const { baseOffset, lastOffsetDelta, bytes } = readBatchHeader(content, position)
    next = baseOffset + lastOffsetDelta + 1
    position += bytes
  }
  return next
}

function placed(bytes: Uint8Array, baseOffset: number): LogBatch {
  const copy = bytes.slice()
  patchBatch(copy, 0, baseOffset, 0)
  return { baseOffset, endOffset: baseOffset + readBatchHeader(copy).lastOffsetDelta + 1, bytes: copy }
}

function commitSegment(objectKey: string, objectBytes: number, index: SegmentIndex): CommitSegment {
  return {
    segmentId: index.segmentId,
    objectKey,
    objectBytes,
    blocks: index.blocks.map(({ topicId, partition, position, bytes, batches }) => ({
      topicId,
      partition,
      position,
      bytes,
      batches: batches.map((batch) => ({ ...batch, offsetCount: batch.lastOffsetDelta + 1 })),
    })),
  }
}
