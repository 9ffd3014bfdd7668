import t from 'tap'
import { ChunkCache, type ChunkCacheOptions, chunkKey } from '../../../engine/fetch/chunk-cache.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { CountingStore } from '../../support/test-log.js'
import { settle } from '../../support/virtual-clock.js'

const content = Uint8Array.from({ length: 95 }, (_, number) => number)
const object = { key: 'segments/one', bytes: content.byteLength }
const never = new AbortController().signal

async function setUp(options: Partial<ChunkCacheOptions> = {}) {
  const store = new CountingStore()
  await store.put(object.key, content)
  const cache = new ChunkCache(
    store,
    { chunkBytes: 10, bytesMax: 50, loadBytesMax: 30, loadsInFlightMax: 4, ...options },
    NO_METRICS,
  )
  return { store, cache }
}

const ranges = (store: CountingStore) => store.gets.map(({ position, bytes }) => [position, bytes])

t.test('every range reads as the object has it', async (t) => {
  const { cache } = await setUp()
  for (let position = 0; position <= content.byteLength; position++) {
    for (let bytes = 0; position + bytes <= content.byteLength; bytes += 7) {
      const got = await cache.read(object, position, bytes, never)
      if (Buffer.compare(got, content.subarray(position, position + bytes)) !== 0) t.fail(`${position}+${bytes}`)
    }
  }
  t.ok(cache.bytes <= 50)
})

t.test('a chunk is loaded once for all who want it, and kept', async (t) => {
  const { store, cache } = await setUp()
  await Promise.all([12, 15, 18].map((position) => cache.read(object, position, 2, never)))
  await cache.read(object, 10, 10, never)
  t.same(ranges(store), [[10, 10]])
})

t.test('missing neighbours come with one GET, up to its bound; the last chunk is short', async (t) => {
  const { store, cache } = await setUp()
  await cache.read(object, 20, 5, never)
  await cache.read(object, 5, 90, never)
  t.same(ranges(store), [
    [20, 10],
    [0, 20],
    [30, 30],
    [60, 30],
    [90, 5],
  ])
})

t.test('what the reader gets is its own', async (t) => {
  const { cache } = await setUp()
  const first = await cache.read(object, 0, 10, never)
  first.fill(255)
  t.same(await cache.read(object, 0, 10, never), content.subarray(0, 10))
})

t.test('the least recently used chunk goes first', async (t) => {
  const { store, cache } = await setUp({ bytesMax: 20 })
  for (const position of [0, 10, 0, 20]) await cache.read(object, position, 1, never)
  store.gets.length = 0
  for (const position of [0, 20, 10]) await cache.read(object, position, 1, never)
  t.same(ranges(store), [[10, 10]])
})

t.test('a failed load fails its readers and is not kept', async (t) => {
  const { store, cache } = await setUp()
  store.beforeGet = () => Promise.reject(new Error('no network'))
  const reads = [cache.read(object, 0, 5, never), cache.read(object, 5, 5, never)]
  for (const result of await Promise.allSettled(reads)) t.equal(result.status, 'rejected')
  store.beforeGet = async () => {}
  t.same(await cache.read(object, 0, 5, never), content.subarray(0, 5))
  t.equal(store.gets.length, 2)
})

t.test('who gives up does not take the load from the others', async (t) => {
  const { store, cache } = await setUp()
  let go = () => {}
  store.beforeGet = () => new Promise((resolve) => (go = resolve))
  const leaving = new AbortController()
  const left = cache.read(object, 0, 5, leaving.signal)
  const staying = cache.read(object, 0, 5, never)
  leaving.abort(new Error('gone'))
  await t.rejects(left, { message: 'gone' })
  go()
  t.same(await staying, content.subarray(0, 5))
  t.equal(store.gets.length, 1)
})

t.test('GETs under way are bounded; the others wait their turn', async (t) => {
  const { store, cache } = await setUp({ loadsInFlightMax: 2 })
  const go: (() => void)[] = []
  store.beforeGet = () => new Promise((resolve) => void go.push(resolve))
  const reads = [0, 20, 40, 60].map((position) => cache.read(object, position, 1, never))
  await settle()
  t.equal(store.gets.length, 2)
  go.shift()?.()
  await settle()
  t.equal(store.gets.length, 3)
  for (let round = 0; round < 4; round++) {
    go.shift()?.()
    await settle()
  }
  t.same(
    (await Promise.all(reads)).map((bytes) => bytes[0]),
    [0, 20, 40, 60],
  )
})

t.test('a forgotten object is loaded again; closing ends what is under way', async (t) => {
  const { store, cache } = await setUp()
  await cache.read(object, 0, 1, never)
  cache.forget(object)
  await cache.read(object, 0, 1, never)
  t.equal(store.gets.length, 2)
  store.beforeGet = (_, options) =>
    new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)))
  const open = cache.read(object, 50, 1, never)
  await settle()
  cache.close()
  await t.rejects(open)
  t.equal(cache.bytes, 0)
})

t.test('a range outside the object is our own bug', async (t) => {
  const { cache } = await setUp()
  await t.rejects(cache.read(object, 90, 6, never), RangeError)
})

t.test('chunks can be loaded ahead of their readers; which one makes room is for others to say', async (t) => {
  const store = new CountingStore()
  await store.put(object.key, content)
  const limits = { chunkBytes: 10, bytesMax: 30, loadBytesMax: 30, loadsInFlightMax: 4 }
  const cache = new ChunkCache(store, limits, NO_METRICS, () => chunkKey(object.key, 1))
  cache.load(object, 0, 3)
  t.ok(cache.has(object, 2), 'on its way')
  t.notOk(cache.has(object, 3))
  const keys = [0, 1, 2].map((chunk) => chunkKey(object.key, chunk))
  t.same([...cache.keys()], keys)
  for (const position of [0, 10, 20]) await cache.read(object, position, 10, never)
  t.same(ranges(store), [[0, 30]])
  t.same([...cache.keys()], keys)
  await cache.read(object, 30, 10, never)
  t.same(
    [0, 1, 2, 3].map((chunk) => cache.has(object, chunk)),
    [true, false, true, true],
  )
})
