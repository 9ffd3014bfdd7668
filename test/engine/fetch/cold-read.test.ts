import t from 'tap'
import { coldStores, level0, librdkafka, limitsOf, loadsPerByte } from '../../support/cold-reading.js'
import { coldStore } from '../../support/cold-store.js'

/** Has records of most partitions that it has not processed, and asks only for the others, as the Java client does (to 3.9). */
const asksForSome = { ...librdkafka, processedPerFetch: 4 }

for (const [name, shape] of Object.entries(coldStores)) {
  t.test(`each byte of a cold store is loaded once: ${name}`, async (t) => {
    const log = await coldStore(shape)
    for (const kind of [librdkafka, asksForSome]) {
      const asking = kind === librdkafka ? 'asks for all' : 'asks for some'
      for (const memoryMib of [512, 1024, 2048, 4096]) {
        const { loads, fetchCount, waitMax } = await loadsPerByte(log, shape, [kind], limitsOf(memoryMib))
        const what = `${asking}, ${memoryMib} MiB: ${loads.toFixed(3)} loads of each byte`
        t.comment(`${what}, ${fetchCount} fetches`)
        t.ok(loads <= 1.1, what)
        t.ok(waitMax <= 32 * shape.partitionCount, `${waitMax} answers in a row passed a partition over`)
      }
    }
  })
}

t.test('a consumer that asks for one partition at a time leaves no choice, and still shares chunks', async (t) => {
  const log = await coldStore(level0)
  for (const memoryMib of [512, 1024, 2048, 4096]) {
    const { loads } = await loadsPerByte(log, level0, [{ ...librdkafka, processedPerFetch: 1 }], limitsOf(memoryMib))
    t.comment(`${memoryMib} MiB: ${loads.toFixed(3)} loads of each byte`)
    t.ok(loads <= 2, `${loads.toFixed(3)} loads of each byte with ${memoryMib} MiB`)
  }
})
