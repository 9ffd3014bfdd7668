import t from 'tap'
import { MemoryObjectStore } from '../../../adapters/object-store/memory.js'
import { objectStoreSuite } from '../../conformance/object-store.js'
import { pattern } from '../../support/object-bodies.js'

await t.test('memory passes the conformance suite', (t) =>
  objectStoreSuite(t, async () => ({ store: new MemoryObjectStore(), close: async () => {} })),
)

await t.test('dates objects by its clock', async (t) => {
  const store = new MemoryObjectStore({ nowMs: () => 1234 })
  await store.put('key', pattern(1))
  t.equal((await store.head('key')).lastModifiedMs, 1234)
})
