import t from 'tap'
import {
  type Fault,
  FaultyObjectStore,
  type NextFault,
  randomFaults,
  scriptedFaults,
} from '../../../../adapters/object-store/decorators/faults.js'
import { RetryingObjectStore, type RetryStoreOptions } from '../../../../adapters/object-store/decorators/retry.js'
import { MemoryObjectStore } from '../../../../adapters/object-store/memory.js'
import { HeadraceError } from '../../../../engine/errors.js'
import type { Clock } from '../../../../engine/ports/clock.js'
import type { PutOptions, PutResult } from '../../../../engine/ports/object-store.js'
import { objectStoreSuite } from '../../../conformance/object-store.js'
import { chunks, keysOf, pattern, rejects } from '../../../support/object-bodies.js'
import { SeededRandom, VirtualClock } from '../../../support/virtual-clock.js'

/** Time passes at once: what waits is run in the next turn. */
class HastyClock implements Clock {
  passedMs = 0
  readonly waitsMs: number[] = []
  nowMs = () => this.passedMs
  monotonicMs = () => this.passedMs
  schedule(delayMs: number, callback: () => void) {
    const immediate = setImmediate(() => {
      this.passedMs += delayMs
      this.waitsMs.push(delayMs)
      callback()
    })
    return () => clearImmediate(immediate)
  }
}

function open(next: NextFault, options: Partial<RetryStoreOptions> = {}) {
  const clock = new HastyClock()
  const inner = new MemoryObjectStore()
  const faulty = new FaultyObjectStore(inner, next, clock)
  const store = new RetryingObjectStore(faulty, { clock, random: new SeededRandom(1), ...options })
  return { inner, clock, store }
}

const times = (count: number, kind: Exclude<Fault['kind'], 'delay'>): Fault[] => Array(count).fill({ kind })

await t.test('passes the conformance suite', (t) =>
  objectStoreSuite(t, async () => ({ store: open(() => undefined).store, close: async () => {} })),
)

await t.test('passes it over a store that fails in every way a third of the time', async (t) => {
  let seed = 0
  await objectStoreSuite(t, async () => {
    const rates = { 'fail-before': 0.1, 'fail-after': 0.1, 'partial-body': 0.05, throttle: 0.05, delay: 0.05 }
    const faults = randomFaults(new SeededRandom(++seed), rates)
    // A long stream is the adapter's to repeat; here streams are short enough to be kept.
    const policy = { attemptCountMax: 20, totalMsMax: 1_000_000 }
    return { store: open(faults, { policy, streamBytesKept: 2 ** 30 }).store, close: async () => {} }
  })
})

await t.test('waits longer each time, jittered, and longer for a throttling store', async (t) => {
  const { clock, store } = open(scriptedFaults({ head: times(4, 'fail-before'), get_tail: times(4, 'throttle') }))
  await store.put('key', pattern(1))
  await store.head('key')
  const [first = 0, second = 0, third = 0, fourth = 0] = clock.waitsMs
  t.ok(first >= 25 && first <= 50 && second >= 50 && second <= 100, `${first} ${second}`)
  t.ok(third >= 100 && third <= 200 && fourth >= 200 && fourth <= 400, `${third} ${fourth}`)
  clock.waitsMs.length = 0
  await store.getTail('key', 1)
  t.ok((clock.waitsMs[0] ?? 0) >= 125 && (clock.waitsMs[3] ?? 0) >= 1000)
})

await t.test('gives up after its attempts, and after its time', async (t) => {
  const script = { get_range: times(100, 'fail-before') }
  const few = open(scriptedFaults(script), { policy: { attemptCountMax: 3 } })
  await rejects(t, few.store.getRange('key', 0, 1), 'OBJECT_STORE_UNAVAILABLE')
  t.equal(few.clock.waitsMs.length, 2)
  const brief = open(scriptedFaults(script), { policy: { attemptCountMax: 100, totalMsMax: 1000 } })
  await rejects(t, brief.store.getRange('key', 0, 1), 'OBJECT_STORE_UNAVAILABLE')
  t.ok(brief.clock.passedMs <= 1000, `${brief.clock.passedMs}`)
})

await t.test('does not repeat what cannot help', async (t) => {
  const { clock, store } = open(() => undefined)
  await rejects(t, store.head('missing'), 'OBJECT_NOT_FOUND')
  await rejects(t, store.put('../x', pattern(1)), 'OBJECT_STORE_DENIED')
  t.same(clock.waitsMs, [])
})

await t.test('an abort ends the waiting', async (t) => {
  const clock = new VirtualClock()
  const faulty = new FaultyObjectStore(new MemoryObjectStore(), scriptedFaults({ put: times(9, 'throttle') }), clock)
  const store = new RetryingObjectStore(faulty, { clock, random: new SeededRandom(1) })
  const controller = new AbortController()
  const reason = new Error('gave up')
  const putting = store.put('key', pattern(1), { signal: controller.signal })
  await clock.advance(1)
  controller.abort(reason)
  await t.rejects(putting, reason)
  t.equal(clock.timerCount, 0)
})

await t.test('a put whose answer was lost recognises its own object', async (t) => {
  const { store, inner } = open(scriptedFaults({ put: times(1, 'fail-after') }))
  t.same(await store.put('own', pattern(10)), { bytes: 10, requestCount: 2 })
  t.same(await inner.getRange('own', 0, 10), pattern(10))
})

await t.test('an object of another size is not its own', async (t) => {
  const { store, inner } = open(scriptedFaults({ put: times(1, 'partial-body') }))
  await inner.put('foreign', pattern(11))
  await rejects(t, store.put('foreign', pattern(10)), 'OBJECT_EXISTS')
})

await t.test('without an attempt in doubt an existing object is never its own', async (t) => {
  const { store, inner } = open(scriptedFaults({ put: [...times(1, 'fail-before'), ...times(1, 'throttle')] }))
  await inner.put('same-size', pattern(10))
  await rejects(t, store.put('same-size', pattern(10)), 'OBJECT_EXISTS')
})

await t.test('a 412 for a key that does not exist is an answer like any other', async (t) => {
  const { store } = open(scriptedFaults({ put: [...times(1, 'partial-body'), ...times(1, 'exists')] }))
  await rejects(t, store.put('odd', pattern(10)), 'OBJECT_EXISTS')
})

await t.test('a failure after an attempt in doubt is in doubt itself', async (t) => {
  const faults = [...times(1, 'partial-body'), ...times(9, 'throttle')]
  const { store } = open(scriptedFaults({ put: faults }))
  await t.rejects(store.put('doubt', pattern(1)), { code: 'OBJECT_STORE_THROTTLED', retry: 'unknown' })
})

await t.test('streams', async (t) => {
  const broken = () => scriptedFaults({ put: times(2, 'fail-before'), put_stream: times(1, 'fail-after') })
  const kept = open(broken())
  t.match(await kept.store.putStream('short', chunks(pattern(50), pattern(50))), { bytes: 100 })
  const { store, inner } = open(broken(), { streamBytesKept: 60 })
  t.match(await store.putStream('long', chunks(pattern(50), pattern(50))), { bytes: 100 })
  t.equal((await inner.head('long')).bytes, 100, 'its lost completion was found out')
  const failing = open(scriptedFaults({ put_stream: times(1, 'partial-body') }), { streamBytesKept: 60 })
  await t.rejects(failing.store.putStream('cut', chunks(pattern(50), pattern(50))), {
    code: 'OBJECT_STORE_UNAVAILABLE',
    retry: 'unknown',
  })
})

await t.test('a listing goes on where it broke', async (t) => {
  const { store, inner } = open(scriptedFaults({ list: times(5, 'partial-body') }))
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  for (const key of keys) await inner.put(key, pattern(1))
  t.same(await keysOf(store.list('')), keys)
})

await t.test('only keys that failed are deleted again', async (t) => {
  const { store, inner } = open(scriptedFaults({ delete: [...times(1, 'partial-body'), ...times(1, 'fail-after')] }))
  const keys = ['a', 'b', 'c', 'd']
  for (const key of keys) await inner.put(key, pattern(1))
  t.same(
    await store.delete(keys),
    keys.map((key) => ({ key, deleted: true })),
  )
  const never = open(scriptedFaults({ delete: times(99, 'fail-before') })).store
  t.match(await never.delete(['a']), [{ key: 'a', deleted: false }])
})

/** A store whose puts end when the test says so. */
class HeldStore extends MemoryObjectStore {
  readonly puts: { finish: () => Promise<void>; fail: (error: Error) => void; aborted: boolean }[] = []
  override put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return new Promise((resolve, reject) => {
      const held = {
        finish: () => super.put(key, body).then(resolve, reject),
        fail: reject,
        aborted: false,
      }
      options?.signal?.addEventListener('abort', () => {
        held.aborted = true
        reject(options.signal?.reason)
      })
      this.puts.push(held)
    })
  }
}

function openHeld() {
  const clock = new VirtualClock()
  const inner = new HeldStore()
  return {
    clock,
    inner,
    store: new RetryingObjectStore(inner, { clock, random: new SeededRandom(1), hedgeAfterMs: 100 }),
  }
}

await t.test('a slow put is hedged; the first success wins and the other is aborted', async (t) => {
  for (const winner of [0, 1]) {
    const { clock, inner, store } = openHeld()
    const putting = store.put('slow', pattern(10))
    await clock.advance(99)
    t.equal(inner.puts.length, 1)
    await clock.advance(1)
    t.equal(inner.puts.length, 2)
    await inner.puts[winner]?.finish()
    t.same(await putting, { bytes: 10, requestCount: 2 })
    t.equal(inner.puts[1 - winner]?.aborted, true)
    t.equal(clock.timerCount, 0)
  }
})

await t.test('a fast put is not hedged, and only one put at a time is', async (t) => {
  const { clock, inner, store } = openHeld()
  const fast = store.put('fast', pattern(1))
  await clock.advance(50)
  await inner.puts[0]?.finish()
  await fast
  t.equal(clock.timerCount, 0)
  const slow = [store.put('one', pattern(1)), store.put('two', pattern(1))]
  await clock.advance(200)
  t.equal(inner.puts.length, 4, 'two puts and one hedge')
  for (const held of inner.puts.slice(1)) held.finish().catch(() => {})
  await Promise.all(slow)
})

await t.test('a hedge that meets the object of the first attempt waits for its answer', async (t) => {
  const lost = new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'unknown', 'lost')
  const { clock, inner, store } = openHeld()
  const putting = store.put('met', pattern(10))
  await clock.advance(100)
  await MemoryObjectStore.prototype.put.call(inner, 'met', pattern(10))
  await inner.puts[1]?.finish()
  inner.puts[0]?.fail(lost)
  await clock.advance(100)
  await inner.puts[2]?.finish()
  t.match(await putting, { bytes: 10 }, 'the repetition finds the own object')
})
