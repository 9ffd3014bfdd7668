import t from 'tap'
import { FaultyObjectStore, scriptedFaults } from '../../../../adapters/object-store/decorators/faults.js'
import {
  MeteredObjectStore,
  type ObjectStoreObservation,
} from '../../../../adapters/object-store/decorators/metrics.js'
import { MemoryObjectStore } from '../../../../adapters/object-store/memory.js'
import { objectStoreSuite } from '../../../conformance/object-store.js'
import { chunks, keysOf, pattern } from '../../../support/object-bodies.js'
import { VirtualClock } from '../../../support/virtual-clock.js'

await t.test('passes the conformance suite', (t) =>
  objectStoreSuite(t, async () => {
    const store = new MeteredObjectStore(new MemoryObjectStore(), { observed() {} }, new VirtualClock())
    return { store, close: async () => {} }
  }),
)

await t.test('observes each operation once, with its outcome, time and bytes', async (t) => {
  const clock = new VirtualClock()
  const observations: ObjectStoreObservation[] = []
  const faulty = new FaultyObjectStore(
    new MemoryObjectStore(),
    scriptedFaults({
      put: [{ kind: 'delay', delayMs: 30 }, { kind: 'throttle' }],
      delete: [{ kind: 'fail-before' }],
      list: [undefined, { kind: 'fail-before' }],
    }),
    clock,
  )
  const store = new MeteredObjectStore(faulty, { observed: (observation) => observations.push(observation) }, clock)
  const put = store.put('key', pattern(10))
  await clock.advance(30)
  await put
  await t.rejects(store.put('other', pattern(10)))
  await store.putStream('stream', chunks(pattern(3), pattern(4)))
  await store.getRange('key', 0, 5)
  await store.getTail('key', 100)
  await store.head('key')
  await t.rejects(store.head('missing'))
  await keysOf(store.list(''))
  await t.rejects(keysOf(store.list('')))
  await store.delete(['key'])
  await store.delete(['key'])
  t.same(
    observations.map(({ operation, outcome, durationMs, bytes }) => [operation, outcome, durationMs, bytes]),
    [
      ['put', 'ok', 30, 10],
      ['put', 'OBJECT_STORE_THROTTLED', 0, 0],
      ['put_stream', 'ok', 0, 7],
      ['get_range', 'ok', 0, 5],
      ['get_tail', 'ok', 0, 10],
      ['head', 'ok', 0, 0],
      ['head', 'OBJECT_NOT_FOUND', 0, 0],
      ['list', 'ok', 0, 0],
      ['list', 'OBJECT_STORE_UNAVAILABLE', 0, 0],
      ['delete', 'OBJECT_STORE_UNAVAILABLE', 0, 0],
      ['delete', 'ok', 0, 0],
    ],
  )
})
