import { randomBytes } from 'node:crypto'
import { encodeRecordBatch } from '../../format/index.js'
import { TestLog } from './test-log.js'
import { SeededRandom } from './virtual-clock.js'

/** How a producer's records lie in a store that nobody has read for a while. */
export interface ColdStoreShape {
  readonly partitionCount: number
  readonly bytes: number
  readonly segmentBytes: number
  readonly batchBytes: number
  /** Bytes that go to one partition before the producer turns to another, as sticky partitioners do. */
  readonly stickyBytes: number
  /** How many times the bytes of the last partition the first one has; 1 for all alike. */
  readonly skew?: number
  /** Bytes of the level-1 segments that compaction has made of all; undefined: level 0. */
  readonly compactedBytes?: number
}

/** A log of old segments, each with what arrived together, whatever its partition. */
export async function coldStore(shape: ColdStoreShape): Promise<TestLog> {
  const log = await TestLog.create(shape.partitionCount)
  const random = new SeededRandom(7)
  const content = randomBytes(2 * shape.segmentBytes)
  const cumulative = cumulativeShares(shape)
  let batches: { partition: number; bytes: Uint8Array }[] = []
  let segmentBytes = 0
  let partition = 0
  let stickyLeft = 0
  for (let written = 0; written < shape.bytes; written += shape.batchBytes) {
    if (stickyLeft <= 0) {
      const share = random.fraction()
      partition = cumulative.findIndex((end) => share < end)
      stickyLeft = shape.stickyBytes * (0.5 + random.fraction())
    }
    const from = Math.floor(random.fraction() * (content.byteLength - shape.batchBytes))
    const value = content.subarray(from, from + shape.batchBytes - 80)
    batches.push({ partition, bytes: encodeRecordBatch({ records: [{ timestampMs: 1, value }] }) })
    segmentBytes += shape.batchBytes
    stickyLeft -= shape.batchBytes
    if (segmentBytes < shape.segmentBytes) continue
    await log.write(batches, { blockTargetBytes: Math.max(shape.batchBytes, shape.segmentBytes / 64) })
    await log.clock.advance(10)
    batches = []
    segmentBytes = 0
  }
  if (batches.length > 0) await log.write(batches)
  if (shape.compactedBytes !== undefined)
    await log.compactAll(shape.compactedBytes, { blockTargetBytes: shape.segmentBytes / 64 })
  await log.clock.advance(1_000_000)
  return log
}

function cumulativeShares({ partitionCount, skew = 1 }: ColdStoreShape): number[] {
  const weights = Array.from({ length: partitionCount }, (_, partition) => skew ** (-partition / (partitionCount - 1)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let sum = 0
  return weights.map((weight, partition) => {
    sum += weight / total
    return partition === partitionCount - 1 ? 1 : sum
  })
}
