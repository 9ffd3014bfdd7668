import t from 'tap'
import type { Catalog } from '../../../engine/ports/catalog.js'
import { BlockProducerIds } from '../../../engine/producers/block-producer-ids.js'

t.test('ids are unique also when many ask at once, and one block serves many', async (t) => {
  let next = 0
  let calls = 0
  const catalog = {
    allocateProducerIds: async (count: number) => {
      calls++
      const first = next
      next += count
      return first
    },
  } as unknown as Catalog
  const ids = new BlockProducerIds(catalog)
  const taken = await Promise.all(Array.from({ length: 2500 }, () => ids.next()))
  t.equal(new Set(taken).size, 2500)
  t.equal(calls, 3)
})

t.test('a failure reaches who asked, and the next one tries again', async (t) => {
  let fail = true
  const catalog = {
    allocateProducerIds: async () => {
      if (fail) throw new Error('down')
      return 40
    },
  } as unknown as Catalog
  const ids = new BlockProducerIds(catalog)
  await t.rejects(ids.next(), /down/)
  fail = false
  t.equal(await ids.next(), 40)
})
