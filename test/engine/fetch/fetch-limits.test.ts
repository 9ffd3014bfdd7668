import t from 'tap'
import { fetchLimitsFor } from '../../../engine/fetch/index.js'
import { MEMORY_BYTES_MIN, planMemory } from '../../../engine/memory-plan.js'

const MIB = 1024 * 1024

t.test('what the read path may hold at once fits the memory it is given', async (t) => {
  for (const memoryBytes of [MEMORY_BYTES_MIN, 200 * MIB, 1024 * MIB, 8192 * MIB, 512 * 1024 * MIB]) {
    const memory = planMemory(memoryBytes, 8 * MIB)
    const limits = fetchLimitsFor(memory)
    const { loadBytesMax, chunkBytes } = limits
    const near = limits.cacheBytesMax + limits.loadsInFlightMax * loadBytesMax + limits.bytesInFlightMax
    const lagging =
      limits.laggingCacheBytesMax + limits.laggingLoadsInFlightMax * loadBytesMax + limits.laggingBytesInFlightMax
    t.ok(near <= memory.cacheBytes, `${memoryBytes}: ${near} of ${memory.cacheBytes}`)
    t.ok(lagging <= memory.laggingCacheBytes, `${memoryBytes}: ${lagging} of ${memory.laggingCacheBytes}`)
    t.ok(limits.openChunksMax * chunkBytes <= limits.laggingCacheBytesMax / 2, 'open chunks stay in the cache')
    t.ok(limits.openChunksMax >= 8 || chunkBytes === 64 * 1024)
    t.ok(chunkBytes <= 4 * MIB && limits.wholeExtentBytesMax <= chunkBytes)
    t.ok(limits.responseBytesMax >= 512 * 1024)
  }
  t.equal(fetchLimitsFor(planMemory(4096 * MIB, 8 * MIB)).chunkBytes, 4 * MIB)
})
