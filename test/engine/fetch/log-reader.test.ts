import t from 'tap'
import { HeadraceError } from '../../../engine/errors.js'
import { RecentSegments } from '../../../engine/fetch/index.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import { readBatchHeader } from '../../../format/index.js'
import { type Ask, setUpLogReader } from '../../support/log-reader-setup.js'
import { batchOf, concatenate, TOPIC_ID } from '../../support/test-log.js'
import { settle } from '../../support/virtual-clock.js'

t.test('an empty partition answers nothing; one that does not exist, an error', async (t) => {
  const { fetch } = await setUpLogReader(t)
  const [empty, unknown] = await fetch({ offsets: [0, 0] })
  t.match(empty, { highWatermark: 0, logStartOffset: 0, chunks: [], bytes: 0 })
  t.notOk(empty?.error)
  t.match(unknown, { error: { code: 'PARTITION_UNKNOWN' }, highWatermark: -1 })
})

t.test('batches come with their offsets, from the one that contains the offset asked for', async (t) => {
  const { log, one } = await setUpLogReader(t)
  await log.write([3, 4, 5].map((count) => ({ partition: 0, bytes: batchOf(count) })))
  await log.write([{ partition: 0, bytes: batchOf(2) }])
  for (let offset = 0; offset < 14; offset++) {
    const { content, bytes, highWatermark } = await one({ offsets: [offset] })
    t.same(content, log.bytesFrom(0, offset))
    t.equal(bytes, content.byteLength)
    t.equal(highWatermark, 14)
    const { baseOffset, leaderEpoch, lastOffsetDelta } = readBatchHeader(content)
    t.ok(baseOffset <= offset && offset <= baseOffset + lastOffsetDelta)
    t.equal(leaderEpoch, 0)
  }
  t.equal((await one({ offsets: [14] })).bytes, 0)
})

t.test('an offset outside the log is refused, with the ends of the log', async (t) => {
  const { log, one } = await setUpLogReader(t)
  for (let count = 0; count < 3; count++) await log.write([{ partition: 0, bytes: batchOf(5) }])
  log.catalog.raiseLogStart({ topicId: TOPIC_ID, partition: 0 }, 7)
  for (const offset of [6, 16]) {
    const result = await one({ offsets: [offset], waitMaxMs: 1000 })
    t.match(result, { error: { code: 'OFFSET_OUT_OF_RANGE' }, highWatermark: 15, logStartOffset: 7, bytes: 0 })
  }
  t.same((await one({ offsets: [7] })).content, log.bytesFrom(0, 7))
})

t.test('tombstoned batches are not served', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const numbered = (baseSequence: number) =>
    batchOf(2, { producerId: 9, producerEpoch: 0, baseSequence, fill: baseSequence })
  await log.write([0, 2, 0, 2, 4].map((sequence) => ({ partition: 0, bytes: numbered(sequence) })))
  await log.write([4, 8, 6].map((sequence) => ({ partition: 0, bytes: numbered(sequence) })))
  t.equal(log.endOffset(0), 8)
  t.same((await one({})).content, log.bytesFrom(0, 0))
})

t.test('limits are kept once one batch is in', async (t) => {
  const { log, fetch, one } = await setUpLogReader(t, { partitionCount: 3 })
  const bytes = batchOf(1, { valueBytes: 100 })
  await log.write([0, 0, 0, 1, 1, 1, 2, 2, 2].map((partition) => ({ partition, bytes })))
  const size = bytes.byteLength
  t.equal((await one({ bytesMax: 1, partitionBytesMax: 1 })).bytes, size, 'one batch, however small the limits')
  t.equal((await one({ partitionBytesMax: 2 * size + 1 })).bytes, 2 * size)
  t.equal((await one({ bytesMax: 3 * size - 1 })).bytes, 2 * size)
  const offsets = [0, 0, 0]
  const sizes = async (limits: Ask) => (await fetch({ offsets, ...limits })).map((result) => result.bytes / size)
  t.same((await sizes({ partitionBytesMax: size - 1 })).sort(), [0, 0, 1], 'only the first batch may be too large')
  t.same((await sizes({ bytesMax: 4 * size })).sort(), [0, 1, 3])
})

t.test('small answers serve every partition, also one whose data lie behind those of busy ones', async (t) => {
  const { log, fetch } = await setUpLogReader(t, { partitionCount: 3 })
  const bytes = batchOf(1)
  for (let segment = 0; segment < 20; segment++) {
    await log.write([1, 0].map((partition) => ({ partition, bytes })))
    await log.clock.advance(1)
  }
  await log.write([{ partition: 2, bytes }])
  const offsets = [0, 0, 0]
  const served: number[] = []
  for (let round = 0; round < 41; round++) {
    const results = await fetch({ offsets, bytesMax: 1 })
    const partition = results.findIndex((result) => result.bytes > 0)
    offsets[partition] = (offsets[partition] ?? 0) + 1
    served.push(partition)
  }
  t.same(offsets, [20, 20, 1])
  t.equal(served.indexOf(2), 8, 'eight answers may pass it over')
})

t.test('an abort ends a read under way', async (t) => {
  const { log, one } = await setUpLogReader(t)
  await log.write([{ partition: 0, bytes: batchOf(1) }])
  log.objectStore.beforeGet = () => new Promise(() => {})
  const leaving = new AbortController()
  const aborted = one({ signal: leaving.signal })
  await settle()
  leaving.abort()
  t.equal((await aborted).bytes, 0)
})

t.test('compaction between the catalog and the GET: asks again and reads on', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const first = await log.write([{ partition: 0, bytes: batchOf(3) }])
  const second = await log.write([{ partition: 0, bytes: batchOf(4) }])
  log.objectStore.beforeGet = async (key) => {
    if (key !== first.objectKey) return
    await log.compact(0, 0, 2)
    await log.objectStore.delete([first.objectKey, second.objectKey])
  }
  t.same((await one({})).content, log.bytesFrom(0, 0))
})

t.test('an object that is lost is told, after a bounded number of attempts', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const lost = await log.write([{ partition: 0, bytes: batchOf(3) }])
  await log.objectStore.delete([lost.objectKey])
  t.equal((await one({ waitMaxMs: 1000 })).error?.code, 'OBJECT_NOT_FOUND')
  t.equal(log.objectStore.gets.length, 4)
})

t.test('an error behind good data is left to the next fetch', async (t) => {
  const { log, one } = await setUpLogReader(t)
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  const lost = await log.write([{ partition: 0, bytes: batchOf(4) }])
  await log.objectStore.delete([lost.objectKey])
  const { error, content } = await one({ bytesMin: 100_000, waitMaxMs: 1000 })
  t.equal(error, undefined)
  t.same(content, log.bytesFrom(0, 0).subarray(0, content.byteLength))
  t.equal((await one({ offsets: [3] })).error?.code, 'OBJECT_NOT_FOUND')
})

t.test('damaged bytes never leave: once in transit they are read again, in the store they are told', async (t) => {
  const { log, one, open } = await setUpLogReader(t)
  await log.write([{ partition: 0, bytes: batchOf(50, { fill: 1 }) }])
  let damageCount = 1
  const damaging = new Proxy(log.objectStore, {
    get: (store, name) => {
      if (name !== 'getRange') return Reflect.get(store, name)
      return async (key: string, position: number, bytes: number) => {
        const content = await store.getRange(key, position, bytes)
        if (damageCount-- > 0) content[100] = (content[100] ?? 0) ^ 1
        return content
      }
    },
  })
  t.same((await one({}, open({ objectStore: damaging }))).content, log.bytesFrom(0, 0))
  damageCount = 1000
  t.match(await one({}, open({ objectStore: damaging })), { error: { code: 'BATCH_CORRUPT' }, bytes: 0 })
})

t.test('a store that is down is told for its partition only', async (t) => {
  const { log, fetch } = await setUpLogReader(t, { partitionCount: 2 })
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  const bad = await log.write([{ partition: 1, bytes: batchOf(3) }])
  log.objectStore.beforeGet = async (key) => {
    if (key === bad.objectKey) throw new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'safe', 'down')
  }
  const [good, failed] = await fetch({ offsets: [0, 0], bytesMin: 100_000, waitMaxMs: 1000 })
  t.same(concatenate(good?.chunks ?? []), log.bytesFrom(0, 0))
  t.match(failed, { error: { code: 'OBJECT_STORE_UNAVAILABLE' }, highWatermark: 3, bytes: 0 })
})

t.test('a catalog that is down is told for every partition', async (t) => {
  const { log, fetch, open } = await setUpLogReader(t, { partitionCount: 2 })
  const error = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'down')
  const down = new Proxy(log.catalog, {
    get: (_, name) => (name === 'location' ? 'down' : () => Promise.reject(error)),
  }) as Catalog
  const reader = open({ catalog: down })
  const results = await fetch({ offsets: [0, 0], waitMaxMs: 1000 }, reader)
  t.same(
    results.map((result) => result.error),
    [error, error],
  )
  const [offsets] = await reader.listOffsets([{ topicId: TOPIC_ID, partition: 0, spec: 'latest' }])
  t.equal(offsets?.error, error)
})

t.test('many partitions of one segment cost one GET; what this agent wrote, none', async (t) => {
  const { log, fetch, open } = await setUpLogReader(t, { partitionCount: 20 })
  const partitions = Array.from({ length: 20 }, (_, partition) => partition)
  const written = await log.write(
    partitions.map((partition) => ({ partition, bytes: batchOf(3, { fill: partition }) })),
  )
  const offsets = partitions.map(() => 0)
  const check = async (results: Awaited<ReturnType<typeof fetch>>) => {
    for (const partition of partitions) {
      t.same(concatenate(results[partition]?.chunks ?? []), log.bytesFrom(partition, 0))
    }
  }
  await check(await fetch({ offsets }))
  t.equal(log.objectStore.gets.length, 1)
  const recent = new RecentSegments(1e6)
  recent.remember({
    segmentId: written.segmentId,
    index: written.index,
    bytes: 1000,
    batch: (number) => written.batches[number]?.bytes ?? new Uint8Array(0),
  })
  await check(await fetch({ offsets }, open({ recent })))
  t.equal(log.objectStore.gets.length, 1)
})

t.test('of a large extent only the needed blocks are read', async (t) => {
  const limits = { chunkBytes: 4096, loadBytesMax: 8192, wholeExtentBytesMax: 4096 }
  const { log, one } = await setUpLogReader(t, { limits })
  const batches = Array.from({ length: 200 }, (_, fill) => ({
    partition: 0,
    bytes: batchOf(2, { valueBytes: 5000, fill }),
  }))
  await log.write(batches, { blockTargetBytes: 20_000 })
  const size = batches[0]?.bytes.byteLength ?? 0
  const { content } = await one({ offsets: [301], partitionBytesMax: 3 * size })
  t.same(content, log.bytesFrom(0, 301).subarray(0, 3 * size))
  const read = log.objectStore.gets.reduce((sum, get) => sum + get.bytes, 0)
  t.ok(read < 140_000, `${read} bytes for the tail of 64 KiB and three batches of 10 KiB in blocks of 20, of 2 MiB`)
})

t.test('readers far behind do not drive out what others read', async (t) => {
  const limits = { chunkBytes: 1024, cacheBytesMax: 4096, laggingCacheBytesMax: 4096 }
  const { log, one } = await setUpLogReader(t, { limits })
  for (let fill = 0; fill < 10; fill++)
    await log.write([{ partition: 0, bytes: batchOf(1, { valueBytes: 700, fill }) }])
  await log.clock.advance(1_000_000)
  await log.write([{ partition: 0, bytes: batchOf(1, { fill: 99 }) }])
  await one({ offsets: [10] })
  for (let round = 0; round < 2; round++) t.same((await one({})).content, log.bytesFrom(0, 0))
  log.objectStore.gets.length = 0
  await one({ offsets: [10] })
  t.equal(log.objectStore.gets.length, 0)
})
