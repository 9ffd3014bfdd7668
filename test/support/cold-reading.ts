import { createLogReader, type FetchLimits, fetchLimitsFor, WatermarkBoard } from '../../engine/fetch/index.js'
import { planMemory } from '../../engine/memory-plan.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { NO_METRICS } from '../../engine/ports/metrics.js'
import { type ConsumerKind, consumeAll } from './cold-consumers.js'
import type { ColdStoreShape } from './cold-store.js'
import type { TestLog } from './test-log.js'
import { SeededRandom } from './virtual-clock.js'

/** A gigabyte and all that is measured in bytes, divided by this; how many batches and chunks there are stays the same. */
const SCALE = 16
const KIB = 1024 / SCALE
export const MIB = 1024 * KIB

export const level0: ColdStoreShape = {
  partitionCount: 32,
  bytes: 512 * MIB,
  segmentBytes: 8 * MIB,
  batchBytes: 100 * KIB,
  stickyBytes: 700 * KIB,
}
export const coldStores: Readonly<Record<string, ColdStoreShape>> = {
  'level 0': level0,
  'level 0, one partition with 100 times the bytes of another': { ...level0, skew: 100 },
  compacted: { ...level0, compactedBytes: 256 * MIB },
}
export const librdkafka: ConsumerKind = { partitionBytesMax: MIB, bytesMax: 50 * MIB }

/** What an agent with so much memory reads with. */
export function limitsOf(memoryMib: number): FetchLimits {
  const limits: Record<string, number> = { ...fetchLimitsFor(planMemory(memoryMib * 1024 * 1024, 8 * 1024 * 1024)) }
  for (const [name, value] of Object.entries(limits)) {
    // An index grows with the number of batches, which is not scaled.
    if (/bytes/i.test(name) && name !== 'indexCacheBytesMax') limits[name] = Math.floor(value / SCALE)
  }
  return limits as unknown as FetchLimits
}

/** Lets consumers read beside each other, each its part of the partitions or all of them. */
export async function loadsPerByte(
  log: TestLog,
  shape: ColdStoreShape,
  consumers: readonly ConsumerKind[],
  limits: FetchLimits,
  partitionsOf: 'group' | 'all' = 'group',
) {
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const parts = { catalog, clock, objectStore, watermarks, metrics: NO_METRICS, logger: NO_LOGGER }
  const reader = createLogReader({ ...parts, limits })
  objectStore.gets.length = 0
  const partitions = Array.from({ length: shape.partitionCount }, (_, partition) => partition)
  const endOffset = (partition: number) => log.endOffset(partition)
  const runs = await Promise.all(
    consumers.map((kind, member) => {
      const isOwn = (partition: number) => partitionsOf === 'all' || partition % consumers.length === member
      const own = partitions.filter(isOwn)
      return consumeAll(reader, own, endOffset, kind, new SeededRandom(3 + member))
    }),
  )
  await reader.close()
  watermarks.close()
  return {
    loads: objectStore.gets.reduce((sum, get) => sum + get.bytes, 0) / shape.bytes,
    fetchCount: runs.reduce((sum, run) => sum + run.fetchCount, 0),
    waitMax: Math.max(...runs.map((run) => run.waitMax)),
  }
}
