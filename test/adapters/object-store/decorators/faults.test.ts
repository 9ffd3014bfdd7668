import t from 'tap'
import {
  FaultyObjectStore,
  type NextFault,
  randomFaults,
  scriptedFaults,
} from '../../../../adapters/object-store/decorators/faults.js'
import { MemoryObjectStore } from '../../../../adapters/object-store/memory.js'
import { objectStoreSuite } from '../../../conformance/object-store.js'
import { chunks, keysOf, pattern, rejects } from '../../../support/object-bodies.js'
import { SeededRandom, VirtualClock } from '../../../support/virtual-clock.js'

function open(next: NextFault, clock = new VirtualClock()) {
  const inner = new MemoryObjectStore()
  return { inner, clock, store: new FaultyObjectStore(inner, next, clock) }
}

await t.test('without faults it is the store it wraps', (t) =>
  objectStoreSuite(t, async () => ({ store: open(() => undefined).store, close: async () => {} })),
)

await t.test('plays a script on puts', async (t) => {
  const { inner, store } = open(
    scriptedFaults({
      put: [{ kind: 'fail-before' }, { kind: 'fail-after' }, undefined, { kind: 'throttle' }, { kind: 'exists' }],
    }),
  )
  await t.rejects(store.put('a', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  await rejects(t, inner.head('a'), 'OBJECT_NOT_FOUND')
  await t.rejects(store.put('a', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'unknown' })
  t.equal((await inner.head('a')).bytes, 1)
  await store.put('b', pattern(1))
  await t.rejects(store.put('c', pattern(1)), { code: 'OBJECT_STORE_THROTTLED', retry: 'safe' })
  await rejects(t, store.put('c', pattern(1)), 'OBJECT_EXISTS')
  await store.put('c', pattern(1))
})

await t.test('breaks in the middle', async (t) => {
  const partial = [{ kind: 'partial-body' as const }]
  const { inner, store } = open(
    scriptedFaults({ put: partial, put_stream: partial, get_range: partial, list: partial, delete: partial }),
  )
  for (const key of ['x/1', 'x/2', 'x/3', 'x/4']) await inner.put(key, pattern(10))
  await t.rejects(store.put('x/5', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'unknown' })
  await t.rejects(store.putStream('x/5', chunks(pattern(1), pattern(1))), {
    code: 'OBJECT_STORE_UNAVAILABLE',
    retry: 'unknown',
  })
  await rejects(t, inner.head('x/5'), 'OBJECT_NOT_FOUND')
  await t.rejects(store.getRange('x/1', 0, 10), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  const seen: string[] = []
  await t.rejects(async () => {
    for await (const { key } of store.list('x/')) seen.push(key)
  })
  t.same(seen, ['x/1'])
  const results = await store.delete(['x/1', 'x/2', 'x/3', 'x/4'])
  t.same(
    results.map((result) => result.deleted),
    [true, true, false, false],
  )
  t.same(await keysOf(inner.list('')), ['x/3', 'x/4'])
})

await t.test('delays by its clock', async (t) => {
  const clock = new VirtualClock()
  const { store } = open(scriptedFaults({ put: [{ kind: 'delay', delayMs: 500 }] }), clock)
  let done = false
  const putting = store.put('late', pattern(1)).then(() => {
    done = true
  })
  await clock.advance(499)
  t.equal(done, false)
  await clock.advance(1)
  t.equal(done, true)
  await putting
})

await t.test('the same seed gives the same faults, at about the rates asked', async (t) => {
  const draw = (seed: number) => {
    const next = randomFaults(new SeededRandom(seed), { 'fail-before': 0.2, 'fail-after': 0.1, delay: 0.1 })
    return Array.from({ length: 1000 }, () => next('put', 'key')?.kind)
  }
  t.same(draw(7), draw(7))
  t.notSame(draw(7), draw(8))
  const failing = draw(7).filter((kind) => kind === 'fail-before').length
  t.ok(failing > 120 && failing < 280, `${failing} of 1000`)
})
