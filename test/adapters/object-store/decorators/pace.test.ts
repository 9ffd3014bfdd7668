import t from 'tap'
import { PacedObjectStore } from '../../../../adapters/object-store/decorators/pace.js'
import { MemoryObjectStore } from '../../../../adapters/object-store/index.js'
import { HeadraceError } from '../../../../engine/errors.js'
import { type Clock, sleep } from '../../../../engine/ports/clock.js'
import { VirtualClock } from '../../../support/virtual-clock.js'

const options = { concurrencyMax: 8, quickMs: 2_000, slowMs: 5_000, patienceMs: 20_000 }
const BYTES = 8

/** A store behind a way that is shared by all who put at the same time, and with a time limit for each. */
class NarrowStore extends MemoryObjectStore {
  runningCount = 0
  runningMax = 0
  timedOutCount = 0

  constructor(
    readonly clock: Clock,
    public bytesPerSecond: number,
    readonly limitMs = 14_000,
  ) {
    super()
  }

  override async put(key: string, body: Uint8Array) {
    this.runningCount += 1
    this.runningMax = Math.max(this.runningMax, this.runningCount)
    let left = body.byteLength
    let tookMs = 0
    while (left > 0 && tookMs < this.limitMs) {
      await sleep(this.clock, 100)
      tookMs += 100
      left -= this.bytesPerSecond / 10 / this.runningCount
    }
    this.runningCount -= 1
    if (left <= 0) return super.put(key, body)
    this.timedOutCount += 1
    throw new HeadraceError('OBJECT_STORE_TIMEOUT', 'unknown', 'too slow')
  }
}

function setUp(bytesPerSecond: number) {
  const clock = new VirtualClock()
  const store = new NarrowStore(clock, bytesPerSecond)
  const paced = new PacedObjectStore(store, clock, options)
  let doneCount = 0
  const putMany = (name: string, count: number) => {
    for (let number = 0; number < count; number++) {
      paced.put(`${name}-${number}`, new Uint8Array(BYTES)).then(
        () => doneCount++,
        () => {},
      )
    }
  }
  return { clock, store, paced, putMany, done: () => doneCount }
}

t.test('a quick store gets as many puts as there may be', async (t) => {
  const { clock, store, paced, putMany, done } = setUp(1_000)
  putMany('a', 100)
  await clock.advance(5_000)
  t.equal(done(), 100)
  t.equal(store.runningMax, 8)
  t.equal(paced.concurrency, 8)
})

t.test('a store that is far away, and not narrow, gets more of them in time', async (t) => {
  const clock = new VirtualClock()
  const far = new (class extends MemoryObjectStore {
    override async put(key: string, body: Uint8Array) {
      await sleep(clock, 3_000)
      return super.put(key, body)
    }
  })()
  const paced = new PacedObjectStore(far, clock, options)
  for (let number = 0; number < 100; number++) void paced.put(`${number}`, new Uint8Array(1))
  await clock.advance(40_000)
  t.equal(paced.concurrency, 8)
})

t.test('a slow store gets what it takes, and nothing is sent in vain', async (t) => {
  // Eight of them at once would take 16 s each, and all be given up after 14 s.
  const { clock, store, putMany, done } = setUp(4)
  putMany('a', 30)
  await clock.advance(70_000)
  t.equal(store.timedOutCount, 0)
  t.ok(store.runningMax <= 3, `${store.runningMax} at once`)
  t.ok(done() >= 30, `${done()} of 30 in the time of 35`)
})

t.test('a store that becomes slow gets less, and more when it is quick again', async (t) => {
  const { clock, store, paced, putMany, done } = setUp(1_000)
  putMany('quick', 40)
  await clock.advance(2_000)
  t.equal(paced.concurrency, 8)
  store.bytesPerSecond = 4
  putMany('slow', 40)
  await clock.advance(60_000)
  t.ok(paced.concurrency <= 4, `${paced.concurrency} at once`)
  const timedOutCount = store.timedOutCount
  t.ok(timedOutCount <= 8, 'those that had begun')
  await clock.advance(60_000)
  t.equal(store.timedOutCount, timedOutCount, 'and none after them')
  store.bytesPerSecond = 1_000
  putMany('again', 40)
  await clock.advance(5_000)
  t.equal(paced.concurrency, 8)
  t.equal(done() + timedOutCount, 120, 'nothing failed but what had begun')
})

t.test('those who have waited long for a store that is away fail together', async (t) => {
  const { clock, paced, store } = setUp(0)
  const codes: string[] = []
  const put = (name: string) =>
    paced.put(name, new Uint8Array(BYTES)).then(
      () => codes.push('done'),
      (error: HeadraceError) => codes.push(`${error.code} ${error.retry}`),
    )
  for (let number = 0; number < 5; number++) void put(`a-${number}`)
  await clock.advance(10_000)
  void put('late')
  await clock.advance(4_100)
  t.same(codes, ['OBJECT_STORE_TIMEOUT unknown'], 'the first to fail')
  await clock.advance(14_000)
  const waited = Array.from({ length: 3 }, () => 'OBJECT_STORE_TIMEOUT safe')
  t.same(
    codes.sort(),
    [...waited, 'OBJECT_STORE_TIMEOUT unknown', 'OBJECT_STORE_TIMEOUT unknown'],
    'and those with the second',
  )
  store.bytesPerSecond = 1_000
  await clock.advance(1_000)
  t.equal(codes.at(-1), 'done')
})

t.test('who is given up while it waits has begun nothing', async (t) => {
  const { clock, store, paced, putMany } = setUp(4)
  putMany('a', 1)
  const giveUp = new AbortController()
  const waiting = paced.put('b', new Uint8Array(BYTES), { signal: giveUp.signal })
  giveUp.abort(new Error('no longer'))
  await t.rejects(waiting, { message: 'no longer' })
  await clock.advance(20_000)
  t.equal(store.runningMax, 1)
  await t.rejects(paced.head('b'), { code: 'OBJECT_NOT_FOUND' })
  await t.rejects(paced.put('c', new Uint8Array(1), { signal: giveUp.signal }), { message: 'no longer' })
  putMany('d', 1)
  await clock.advance(20_000)
  t.equal((await paced.head('d-0')).bytes, BYTES, 'its turn went on')
})
