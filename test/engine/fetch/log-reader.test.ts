import t, { type Test } from 'tap'
import type { FetchRequest } from '../../../engine/broker.js'
import { HeadraceError } from '../../../engine/errors.js'
import {
  createLogReader,
  type FetchLimits,
  FetchTurns,
  type LogReaderOptions,
  RecentSegments,
  WatermarkBoard,
} from '../../../engine/fetch/index.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { readBatchHeader } from '../../../format/index.js'
import { fetchAnswer } from '../../support/fetch-answer.js'
import { batchOf, concatenate, TestLog, TOPIC_ID } from '../../support/test-log.js'
import { settle } from '../../support/virtual-clock.js'

type Ask = Partial<Omit<FetchRequest, 'partitions'>> & {
  readonly offsets?: readonly number[]
  readonly partitionBytesMax?: number
}

async function setUp(t: Test, options: { partitionCount?: number; limits?: Partial<FetchLimits> } = {}) {
  const log = await TestLog.create(options.partitionCount ?? 1)
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const open = (changes: Partial<LogReaderOptions> = {}) => {
    const reader = createLogReader({
      catalog,
      clock,
      objectStore,
      watermarks,
      metrics: NO_METRICS,
      logger: NO_LOGGER,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...changes,
    })
    t.teardown(() => reader.close())
    return reader
  }
  const reader = open()
  t.teardown(() => watermarks.close())
  const turns = new FetchTurns()
  const fetch = ({ offsets = [0], partitionBytesMax = 1e6, ...request }: Ask = {}, from = reader) =>
    fetchAnswer(from, {
      waitMaxMs: 0,
      bytesMin: 1,
      bytesMax: 1e6,
      signal: new AbortController().signal,
      turns,
      partitions: offsets.map((offset, partition) => ({
        topicId: TOPIC_ID,
        partition,
        offset,
        bytesMax: partitionBytesMax,
      })),
      ...request,
    })
  const one = async (request: Ask, from = reader) => {
    const [result] = await fetch(request, from)
    if (result === undefined) throw new Error('no result')
    return { ...result, content: concatenate(result.chunks) }
  }
  return { log, reader, watermarks, fetch, one, open }
}

t.test('an empty partition answers nothing; one that does not exist, an error', async (t) => {
  const { fetch } = await setUp(t)
  const [empty, unknown] = await fetch({ offsets: [0, 0] })
  t.match(empty, { highWatermark: 0, logStartOffset: 0, chunks: [], bytes: 0 })
  t.notOk(empty?.error)
  t.match(unknown, { error: { code: 'PARTITION_UNKNOWN' }, highWatermark: -1 })
})

t.test('batches come with their offsets, from the one that contains the offset asked for', async (t) => {
  const { log, one } = await setUp(t)
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
  const { log, one } = await setUp(t)
  for (let count = 0; count < 3; count++) await log.write([{ partition: 0, bytes: batchOf(5) }])
  log.catalog.raiseLogStart({ topicId: TOPIC_ID, partition: 0 }, 7)
  for (const offset of [6, 16]) {
    const result = await one({ offsets: [offset], waitMaxMs: 1000 })
    t.match(result, { error: { code: 'OFFSET_OUT_OF_RANGE' }, highWatermark: 15, logStartOffset: 7, bytes: 0 })
  }
  t.same((await one({ offsets: [7] })).content, log.bytesFrom(0, 7))
})

t.test('tombstoned batches are not served', async (t) => {
  const { log, one } = await setUp(t)
  const numbered = (baseSequence: number) =>
    batchOf(2, { producerId: 9, producerEpoch: 0, baseSequence, fill: baseSequence })
  await log.write([0, 2, 0, 2, 4].map((sequence) => ({ partition: 0, bytes: numbered(sequence) })))
  await log.write([4, 8, 6].map((sequence) => ({ partition: 0, bytes: numbered(sequence) })))
  t.equal(log.endOffset(0), 8)
  t.same((await one({})).content, log.bytesFrom(0, 0))
})

t.test('limits are kept once one batch is in', async (t) => {
  const { log, fetch, one } = await setUp(t, { partitionCount: 3 })
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
  const { log, fetch } = await setUp(t, { partitionCount: 3 })
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

t.test('waits for data, is woken by a local commit', async (t) => {
  const { log, one, watermarks } = await setUp(t)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(20)
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  watermarks.advance(TOPIC_ID, 0, 3)
  t.same((await waiting).content, log.bytesFrom(0, 0))
  t.equal(log.catalog.calls.partitionOffsets, 0)
})

t.test("a commit that comes between the catalog's answer and its reading is fetched at once", async (t) => {
  const { log, one, open, watermarks } = await setUp(t)
  let late = true
  const findExtents: typeof log.catalog.findExtents = async (requests) => {
    const answers = await log.catalog.findExtents(requests)
    if (!late) return answers
    late = false
    await log.write([{ partition: 0, bytes: batchOf(3) }])
    watermarks.advance(TOPIC_ID, 0, 3)
    return answers
  }
  const catalog = Object.assign(Object.create(log.catalog) as typeof log.catalog, { findExtents })
  t.same((await one({ waitMaxMs: 500 }, open({ catalog }))).content, log.bytesFrom(0, 0))
})

t.test('a catalog that stays behind what is known is asked a few times, then waited for', async (t) => {
  const { log, one, watermarks } = await setUp(t)
  watermarks.advance(TOPIC_ID, 0, 3)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(500)
  t.equal((await waiting).bytes, 0)
  t.equal(log.catalog.calls.findExtents, 3)
})

t.test('a commit of another agent is seen by the poll', async (t) => {
  const { log, one } = await setUp(t)
  const waiting = one({ waitMaxMs: 500 })
  await settle()
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  await log.clock.advance(50)
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('at the deadline it answers with nothing, without asking the catalog again', async (t) => {
  const { log, one } = await setUp(t)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(499)
  t.equal(log.catalog.calls.findExtents, 1)
  await log.clock.advance(1)
  t.equal((await waiting).bytes, 0)
  t.equal(log.catalog.calls.findExtents, 1)
  t.equal(log.clock.timerCount, 0)
})

t.test('waits for bytesMin, adding what comes', async (t) => {
  const { log, one, watermarks } = await setUp(t)
  const size = batchOf(1).byteLength
  const waiting = one({ waitMaxMs: 500, bytesMin: 3 * size })
  let done = false
  void waiting.then(() => {
    done = true
  })
  for (let count = 1; count <= 3; count++) {
    await log.clock.advance(10)
    t.notOk(done)
    await log.write([{ partition: 0, bytes: batchOf(1, { fill: count }) }])
    watermarks.advance(TOPIC_ID, 0, count)
  }
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('bytesMin that never comes: at the deadline it answers with what there is', async (t) => {
  const { log, one } = await setUp(t)
  await log.write([{ partition: 0, bytes: batchOf(1) }])
  const waiting = one({ waitMaxMs: 500, bytesMin: 100_000 })
  await log.clock.advance(500)
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('an error on one partition ends the wait of all', async (t) => {
  const { fetch } = await setUp(t)
  const results = await fetch({ offsets: [0, 0], waitMaxMs: 10_000 })
  t.same(
    results.map((result) => result.error?.code),
    [undefined, 'PARTITION_UNKNOWN'],
  )
})

t.test('a topic deleted during the wait ends it', async (t) => {
  const { log, one } = await setUp(t)
  const waiting = one({ waitMaxMs: 10_000 })
  await settle()
  await log.catalog.deleteTopic(TOPIC_ID)
  await log.clock.advance(50)
  t.equal((await waiting).error?.code, 'PARTITION_UNKNOWN')
})

t.test('an abort ends the wait, closing ends all waits and refuses the next', async (t) => {
  const { log, reader, one } = await setUp(t)
  const leaving = new AbortController()
  const aborted = one({ waitMaxMs: 10_000, signal: leaving.signal })
  const closed = one({ waitMaxMs: 10_000 })
  await settle()
  leaving.abort()
  t.equal((await aborted).bytes, 0)
  await reader.close()
  t.equal((await closed).bytes, 0)
  t.equal(log.clock.timerCount, 0)
  await t.rejects(one({}), { code: 'AGENT_CLOSING' })
  await t.rejects(reader.listOffsets([]), { code: 'AGENT_CLOSING' })
})

t.test('an abort ends a read under way', async (t) => {
  const { log, one } = await setUp(t)
  await log.write([{ partition: 0, bytes: batchOf(1) }])
  log.objectStore.beforeGet = () => new Promise(() => {})
  const leaving = new AbortController()
  const aborted = one({ signal: leaving.signal })
  await settle()
  leaving.abort()
  t.equal((await aborted).bytes, 0)
})

t.test('compaction between the catalog and the GET: asks again and reads on', async (t) => {
  const { log, one } = await setUp(t)
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
  const { log, one } = await setUp(t)
  const lost = await log.write([{ partition: 0, bytes: batchOf(3) }])
  await log.objectStore.delete([lost.objectKey])
  t.equal((await one({ waitMaxMs: 1000 })).error?.code, 'OBJECT_NOT_FOUND')
  t.equal(log.objectStore.gets.length, 4)
})

t.test('an error behind good data is left to the next fetch', async (t) => {
  const { log, one } = await setUp(t)
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  const lost = await log.write([{ partition: 0, bytes: batchOf(4) }])
  await log.objectStore.delete([lost.objectKey])
  const { error, content } = await one({ bytesMin: 100_000, waitMaxMs: 1000 })
  t.equal(error, undefined)
  t.same(content, log.bytesFrom(0, 0).subarray(0, content.byteLength))
  t.equal((await one({ offsets: [3] })).error?.code, 'OBJECT_NOT_FOUND')
})

t.test('damaged bytes never leave: once in transit they are read again, in the store they are told', async (t) => {
  const { log, one, open } = await setUp(t)
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
  const { log, fetch } = await setUp(t, { partitionCount: 2 })
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
  const { log, fetch, open } = await setUp(t, { partitionCount: 2 })
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
  const { log, fetch, open } = await setUp(t, { partitionCount: 20 })
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
  const { log, one } = await setUp(t, { limits })
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
  const { log, one } = await setUp(t, { limits })
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
