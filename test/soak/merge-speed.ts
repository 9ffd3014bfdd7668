import { randomUUID } from 'node:crypto'
import { MemoryObjectStore } from '../../adapters/object-store/memory.js'
import type { MergeExtent, MergeObject } from '../../engine/ports/segment-merger.js'
import { newSegmentId, segmentObjectKey } from '../../engine/segment-identity.js'
import { concat } from '../../format/bytes.js'
import { encodeRecordBatch, encodeSegment } from '../../format/index.js'
import { compressLz4 } from '../../format/lz4.js'
import { mergeSegments } from '../../workers/merge-segments.js'
import { SeededRandom } from '../support/virtual-clock.js'

const SEGMENTS = 16
const PARTITIONS = 64
const BATCHES_PER_PARTITION = 4
const RECORDS_PER_BATCH = 64

export interface MergeSpeed {
  /** MiB of batches per second, one core. */
  readonly mergeMibPerSecond: number
  readonly lz4MibPerSecond: number
}

/** How fast one thread merges, beside how fast LZ4 alone compresses the same bytes in blocks of the same size. */
export async function measureMergeSpeed(): Promise<MergeSpeed> {
  const store = new MemoryObjectStore()
  const random = new SeededRandom(7)
  const topicId = randomUUID()
  const objects: MergeObject[] = []
  const extents: MergeExtent[] = []
  const batches: Uint8Array[] = []
  for (let object = 0; object < SEGMENTS; object++) {
    const content = Array.from({ length: PARTITIONS * BATCHES_PER_PARTITION }, (_, number) => ({
      topicId,
      partition: Math.floor(number / BATCHES_PER_PARTITION),
      bytes: jsonBatch(object * 1000 + number),
    }))
    batches.push(...content.map(({ bytes }) => bytes))
    const segmentId = newSegmentId(Date.now(), random)
    const objectKey = segmentObjectKey(segmentId)
    const { bytes, index } = encodeSegment({ segmentId, level: 0, createdAtMs: 0 }, content)
    await store.put(objectKey, bytes)
    objects.push({ segmentId, objectKey, objectBytes: bytes.byteLength })
    const offsets = BATCHES_PER_PARTITION * RECORDS_PER_BATCH
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const blocks = index.blocks.filter((block) => block.partition === partition)
      extents.push({
        object,
        topicId,
        partition,
        level: 0,
        baseOffset: object * offsets,
        endOffset: (object + 1) * offsets,
        position: blocks[0]?.position ?? 0,
        bytes: blocks.reduce((sum, block) => sum + block.bytes, 0),
        batchSkipCount: 0,
        batchCount: BATCHES_PER_PARTITION,
      })
    }
  }
  extents.sort((a, b) => a.partition - b.partition || a.baseOffset - b.baseOffset)
  const rawBytes = batches.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const merge = async () => {
    const segmentId = newSegmentId(Date.now(), random)
    const objectKey = segmentObjectKey(segmentId)
    const input = { segmentId, objectKey, level: 1, createdAtMs: 0, objects, extents, readBytesMax: 32 * 2 ** 20 }
    await mergeSegments({ ...input, extentBytesMax: 8 * 2 ** 20 }, store)
  }
  const blocks = blocksOf(concat(batches, rawBytes))
  const lz4 = async () => {
    for (const block of blocks) compressLz4(block)
  }
  const mibPerSecond = (ms: number) => rawBytes / 2 ** 20 / (ms / 1000)
  return { mergeMibPerSecond: mibPerSecond(await best(merge)), lz4MibPerSecond: mibPerSecond(await best(lz4)) }
}

/** Lines as services log them: LZ4 makes a third of them. */
function jsonBatch(seed: number): Uint8Array {
  const records = Array.from({ length: RECORDS_PER_BATCH }, (_, number) => ({
    timestampMs: seed,
    value: new TextEncoder().encode(
      JSON.stringify({
        level: 'info',
        service: 'orders',
        request: randomUUID(),
        durationMs: (seed * number) % 977,
        path: '/v1/orders',
      }),
    ),
  }))
  return encodeRecordBatch({ records })
}

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blockBytes = 128 * 1024
  return Array.from({ length: Math.ceil(bytes.byteLength / blockBytes) }, (_, number) =>
    bytes.subarray(number * blockBytes, (number + 1) * blockBytes),
  )
}

async function best(run: () => Promise<void>): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < 4; round++) {
    const startedAtMs = performance.now()
    await run()
    bestMs = Math.min(bestMs, performance.now() - startedAtMs)
  }
  return bestMs
}
