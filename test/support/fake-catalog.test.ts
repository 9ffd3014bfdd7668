import t from 'tap'
import { catalogSuite } from '../conformance/catalog.js'
import { FakeCatalog } from './fake-catalog.js'

/** Agents of one process share the instance, so closing one view must not close it for the others. */
t.test('the fake keeps the contract of the real ones', async (t) => {
  await catalogSuite(t, async () => {
    const catalog = new FakeCatalog({ nowMs: Date.now })
    return { connect: async () => catalog, close: () => catalog.close() }
  })
})
