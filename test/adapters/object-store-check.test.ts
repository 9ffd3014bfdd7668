import t from 'tap'
import { MemoryObjectStore } from '../../adapters/object-store/index.js'
import { checkObjectStore } from '../../adapters/object-store-check.js'
import { HeadraceError } from '../../engine/errors.js'

const denied = new HeadraceError('OBJECT_STORE_DENIED', 'never', 'the bucket does not exist')

t.test('a store that works is left as it was', async (t) => {
  const store = new MemoryObjectStore()
  await checkObjectStore(store)
  for await (const object of store.list('')) t.fail(object.key)
})

t.test('a store that refuses to write, or to delete, fails the check with its own words', async (t) => {
  const unwritable = Object.assign(new MemoryObjectStore(), { put: () => Promise.reject(denied) })
  await t.rejects(checkObjectStore(unwritable), denied)
  const undeletable = Object.assign(new MemoryObjectStore(), {
    delete: async (keys: readonly string[]) => keys.map((key) => ({ key, deleted: false as const, error: denied })),
  })
  await t.rejects(checkObjectStore(undeletable), denied)
})
