import t from 'tap'
import type { ConsumerKind } from '../../support/cold-consumers.js'
import { coldStores, level0, librdkafka, limitsOf, loadsPerByte } from '../../support/cold-reading.js'
import { coldStore } from '../../support/cold-store.js'

/** Members of a group whose pace varies, one of them slower by a third. */
const pair: readonly ConsumerKind[] = [
  { ...librdkafka, restMax: 40 },
  { ...librdkafka, restMax: 60 },
]
const groups: Readonly<Record<string, readonly ConsumerKind[]>> = {
  'two members': pair,
  'two that ask for some of their partitions': pair.map((kind) => ({ ...kind, processedPerFetch: 3 })),
  'four members': [...pair, ...pair],
}

for (const [name, shape] of Object.entries(coldStores)) {
  t.test(`the members of a group load each byte once together: ${name}`, async (t) => {
    const log = await coldStore(shape)
    for (const [group, members] of Object.entries(groups)) {
      for (const memoryMib of [512, 2048]) {
        const { loads, fetchCount } = await loadsPerByte(log, shape, members, limitsOf(memoryMib))
        const what = `${group}, ${memoryMib} MiB: ${loads.toFixed(3)} loads of each byte`
        t.comment(`${what}, ${fetchCount} fetches`)
        t.ok(loads <= 1.3, what)
      }
    }
  })
}

t.test('consumers far from each other do not wait for each other', async (t) => {
  const log = await coldStore(level0)
  const starts = [0, 0.2, 0.4, 0.6]
  const consumers = starts.map((startShare) => ({ ...librdkafka, startShare, restMax: 10 }))
  const readings = starts.reduce((sum, startShare) => sum + 1 - startShare, 0)
  for (const memoryMib of [512, 2048]) {
    const limits = limitsOf(memoryMib)
    const { loads, fetchCount } = await loadsPerByte(log, level0, consumers, limits, 'all')
    t.comment(`${memoryMib} MiB: ${loads.toFixed(2)} loads for ${readings} readings, ${fetchCount} fetches`)
    t.ok(loads <= readings, `${loads} loads with ${memoryMib} MiB`)
    const bytesPerFetch = (readings * level0.bytes) / fetchCount
    t.ok(bytesPerFetch >= limits.chunkBytes, `${bytesPerFetch} bytes an answer, chunks of ${limits.chunkBytes}`)
  }
})
