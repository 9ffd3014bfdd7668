import t from 'tap'
import { createLogReader, type FetchLimits, fetchLimitsFor, WatermarkBoard } from '../../../engine/fetch/index.js'
import { planMemory } from '../../../engine/memory-plan.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { type ConsumerKind, consumeAll } from '../../support/cold-consumers.js'
import { type ColdStoreShape, coldStore } from '../../support/cold-store.js'
import type { TestLog } from '../../support/test-log.js'
import { SeededRandom } from '../../support/virtual-clock.js'

/** A gigabyte and all that is measured in bytes, divided by this; how many batches and chunks there are stays the same. */
const SCALE = 16
const KIB = 1024 / SCALE
const MIB = 1024 * KIB
const LOADS_PER_BYTE_MAX = 1.1

const level0: ColdStoreShape = {
  partitionCount: 32,
  bytes: 512 * MIB,
  segmentBytes: 8 * MIB,
  batchBytes: 100 * KIB,
  stickyBytes: 700 * KIB,
}
const stores: Readonly<Record<string, ColdStoreShape>> = {
  'level 0': level0,
  'level 0, one partition with 100 times the bytes of another': { ...level0, skew: 100 },
  compacted: { ...level0, compactedBytes: 256 * MIB },
}
const librdkafka: ConsumerKind = { partitionBytesMax: MIB, bytesMax: 50 * MIB }

for (const [name, shape] of Object.entries(stores)) {
  t.test(`each byte of a cold store is loaded once: ${name}`, async (t) => {
    const log = await coldStore(shape)
    for (const memoryMib of [512, 1024, 2048, 4096]) {
      const { loads, fetchCount, waitMax } = await loadsPerByte(log, shape, limitsOf(memoryMib))
      t.comment(`memory ${memoryMib} MiB: ${loads.toFixed(3)} loads of each byte, ${fetchCount} fetches`)
      t.ok(loads <= LOADS_PER_BYTE_MAX, `${loads.toFixed(3)} loads of each byte with ${memoryMib} MiB`)
      t.ok(waitMax <= 32 * shape.partitionCount, `${waitMax} answers in a row passed a partition over`)
    }
  })
}

function limitsOf(memoryMib: number): FetchLimits {
  const limits: Record<string, number> = { ...fetchLimitsFor(planMemory(memoryMib * 1024 * 1024, 8 * 1024 * 1024)) }
  for (const [name, value] of Object.entries(limits)) {
    // An index grows with the number of batches, which is not scaled.
    if (/bytes/i.test(name) && name !== 'indexCacheBytesMax') limits[name] = Math.floor(value / SCALE)
  }
  return limits as unknown as FetchLimits
}

async function loadsPerByte(log: TestLog, shape: ColdStoreShape, limits: FetchLimits) {
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const parts = { catalog, clock, objectStore, watermarks, metrics: NO_METRICS, logger: NO_LOGGER }
  const reader = createLogReader({ ...parts, limits })
  objectStore.gets.length = 0
  const partitions = Array.from({ length: shape.partitionCount }, (_, partition) => partition)
  const endOffset = (partition: number) => log.endOffset(partition)
  const { fetchCount, waitMax } = await consumeAll(reader, partitions, endOffset, librdkafka, new SeededRandom(3))
  await reader.close()
  watermarks.close()
  return { loads: objectStore.gets.reduce((sum, get) => sum + get.bytes, 0) / shape.bytes, fetchCount, waitMax }
}
