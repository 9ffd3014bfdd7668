import t from 'tap'
import type { OffsetSpec } from '../../../engine/broker.js'
import { createLogReader, type FetchLimits, WatermarkBoard } from '../../../engine/fetch/index.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { encodeRawBatch, encodeRecordBatch, iterateRecords } from '../../../format/index.js'
import { batchOf, TestLog, TOPIC_ID } from '../../support/test-log.js'

const START_MS = 1_700_000_000_000

async function setUp(limits: Partial<FetchLimits> = {}) {
  const log = await TestLog.create(2)
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const parts = { catalog, clock, objectStore, watermarks, metrics: NO_METRICS, logger: NO_LOGGER }
  const reader = createLogReader({ ...parts, limits })
  const find = async (spec: OffsetSpec, partition = 0) => {
    const [result] = await reader.listOffsets([{ topicId: TOPIC_ID, partition, spec }])
    if (result?.error !== undefined) throw result.error
    return [result?.offset, result?.timestampMs]
  }
  return { log, reader, find }
}

/** What Kafka promises: the first record of the log from `offsetMin` on that is not older. */
function firstFrom(log: TestLog, timestampMs: number, offsetMin = 0): readonly [number, number] {
  for (const batch of log.logs[0] ?? []) {
    for (const record of iterateRecords(batch.bytes)) {
      if (record.timestampMs >= timestampMs && record.offset >= offsetMin) return [record.offset, record.timestampMs]
    }
  }
  return [-1, -1]
}

const timed = (deltas: readonly number[], compression: 'none' | 'gzip' | 'snappy' | 'lz4' = 'none') =>
  encodeRecordBatch({ records: deltas.map((delta) => ({ timestampMs: START_MS + delta })), compression })

t.test('the ends of the log come from the catalog', async (t) => {
  const { log, find } = await setUp()
  t.same(await find('earliest'), [0, -1])
  t.same(await find('latest'), [0, -1])
  await log.write([{ partition: 0, bytes: batchOf(5) }])
  await log.write([{ partition: 0, bytes: batchOf(5) }])
  log.catalog.raiseLogStart({ topicId: TOPIC_ID, partition: 0 }, 3)
  t.same(await find('earliest'), [3, -1])
  t.same(await find('latest'), [10, -1])
  t.equal(log.objectStore.gets.length, 0)
})

t.test('many requests are answered in order, by a few statements', async (t) => {
  const { log, reader } = await setUp()
  await log.write([{ partition: 0, bytes: timed([10, 20]) }])
  const specs: OffsetSpec[] = [
    'latest',
    { timestampMs: START_MS + 15 },
    'earliest',
    'max-timestamp',
    { timestampMs: 0 },
  ]
  const results = await reader.listOffsets(specs.map((spec) => ({ topicId: TOPIC_ID, partition: 0, spec })))
  t.same(
    results.map(({ offset }) => offset),
    [2, 1, 0, 1, 0],
  )
  t.equal(log.catalog.calls.partitionOffsets, 1)
  const [unknown] = await reader.listOffsets([{ topicId: TOPIC_ID, partition: 5, spec: 'latest' }])
  t.match(unknown, { error: { code: 'PARTITION_UNKNOWN' }, offset: -1 })
})

for (const wholeExtentBytesMax of [1e6, 0]) {
  t.test(`a timestamp finds the exact record, extents up to ${wholeExtentBytesMax} bytes read whole`, async (t) => {
    const { log, find } = await setUp({ wholeExtentBytesMax })
    // Out of order inside batches and over segments, as producers with several clocks write.
    await log.write(
      [
        [5, 3, 9],
        [1, 2],
        [12, 11],
      ].map((deltas) => ({ partition: 0, bytes: timed(deltas) })),
      {
        blockTargetBytes: 1,
      },
    )
    await log.write([{ partition: 0, bytes: timed([7, 30, 8], 'gzip') }])
    await log.write([{ partition: 0, bytes: timed([6, 6, 31, 29], 'snappy') }])
    await log.write([{ partition: 0, bytes: timed([31, 40], 'lz4') }])
    for (let delta = -1; delta <= 41; delta++) {
      t.same(await find({ timestampMs: START_MS + delta }), firstFrom(log, START_MS + delta), `delta ${delta}`)
    }
    t.same(await find('max-timestamp'), [15, START_MS + 40])
    t.same(await find('max-timestamp', 1), [-1, -1], 'of an empty partition')
    await log.compact(0, 0, 4, { blockTargetBytes: 1 })
    for (let delta = -1; delta <= 41; delta++) {
      t.same(
        await find({ timestampMs: START_MS + delta }),
        firstFrom(log, START_MS + delta),
        `compacted, delta ${delta}`,
      )
    }
  })

  t.test('records below the log start are not answers', async (t) => {
    const { log, find } = await setUp({ wholeExtentBytesMax })
    await log.write([{ partition: 0, bytes: timed([50, 60, 1, 2]) }])
    await log.write([{ partition: 0, bytes: timed([3, 4]) }])
    await log.write([{ partition: 0, bytes: timed([55, 5]) }])
    log.catalog.raiseLogStart({ topicId: TOPIC_ID, partition: 0 }, 2)
    t.same(
      await find({ timestampMs: START_MS + 52 }),
      [6, START_MS + 55],
      'the extent found has only older records left',
    )
    t.same(await find({ timestampMs: START_MS + 58 }), [-1, -1])
  })
}

t.test('with LogAppendTime the first record of the batch has its time', async (t) => {
  const { log, find } = await setUp()
  const records = [5, 9, 7].map((delta) => ({ timestampMs: START_MS + delta }))
  await log.write([{ partition: 0, bytes: timed([1, 2]) }])
  await log.write([{ partition: 0, bytes: encodeRecordBatch({ records, logAppendTime: true }) }])
  t.same(await find({ timestampMs: START_MS + 6 }), [2, START_MS + 9])
})

t.test('records that cannot be decoded: the batch is the answer', async (t) => {
  const { log, find } = await setUp()
  const bytes = encodeRawBatch({
    records: new TextEncoder().encode('no gzip'),
    baseOffset: 0,
    leaderEpoch: -1,
    attributes: 1,
    lastOffsetDelta: 9,
    baseTimestampMs: START_MS,
    maxTimestampMs: START_MS + 9,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: 10,
  })
  await log.write([{ partition: 0, bytes: timed([1]) }])
  await log.write([{ partition: 0, bytes }])
  t.same(await find({ timestampMs: START_MS + 5 }), [1, START_MS + 9])
})

t.test('a compaction between catalog and GET is followed, a lost object is told', async (t) => {
  const { log, find } = await setUp()
  const first = await log.write([{ partition: 0, bytes: timed([1, 2]) }])
  const second = await log.write([{ partition: 0, bytes: timed([3, 4]) }])
  log.objectStore.beforeGet = async (key) => {
    if (key !== second.objectKey) return
    await log.compact(0, 0, 2)
    await log.objectStore.delete([first.objectKey, second.objectKey])
  }
  t.same(await find({ timestampMs: START_MS + 4 }), [3, START_MS + 4])
  log.objectStore.beforeGet = async () => {}
  const [extent] = log.catalog.extentsOf({ topicId: TOPIC_ID, partition: 0 })
  await log.objectStore.delete([extent?.objectKey ?? ''])
  const fresh = createLogReader({
    catalog: log.catalog,
    clock: log.clock,
    objectStore: log.objectStore,
    watermarks: new WatermarkBoard({ catalog: log.catalog, clock: log.clock, logger: NO_LOGGER }),
    metrics: NO_METRICS,
    logger: NO_LOGGER,
  })
  const [lost] = await fresh.listOffsets([{ topicId: TOPIC_ID, partition: 0, spec: 'max-timestamp' }])
  t.match(lost, { error: { code: 'OBJECT_NOT_FOUND' }, offset: -1, timestampMs: -1 })
})
