import t from 'tap'
import { MEMORY_BYTES_MIN, planMemory } from '../../engine/memory-plan.js'

t.test('the parts fit the whole', async (t) => {
  for (const memoryBytes of [MEMORY_BYTES_MIN, 512 * 1024 * 1024, 8 * 1024 ** 3]) {
    const plan = planMemory(memoryBytes, 8 * 1024 * 1024)
    const sum = Object.values(plan).reduce((total, bytes) => total + bytes, 0)
    t.ok(sum <= memoryBytes, `${sum} of ${memoryBytes}`)
    t.ok(plan.arenaBytes >= 16 * 1024 * 1024)
  }
})
