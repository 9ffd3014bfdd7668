import t from 'tap'
import type { JobCounter, JobGauge } from '../../../engine/ports/job-metrics.js'
import type { DeleteResult } from '../../../engine/ports/object-store.js'
import { newSegmentId, SEGMENT_PREFIX, segmentObjectKey } from '../../../engine/segment-identity.js'
import { COMMIT_AGE_MAX_MS, freshReader, type JobSettings, jobsOf, readFrom, runJob } from '../../support/job-setup.js'
import { batchOf, TestLog, TOPIC_ID } from '../../support/test-log.js'

async function setUp(settings: JobSettings = {}) {
  const log = await TestLog.create(2)
  const counts = new Map<JobCounter, number>()
  const gauges = new Map<JobGauge, number>()
  const metrics = {
    count: (counter: JobCounter, increment: number) => counts.set(counter, (counts.get(counter) ?? 0) + increment),
    gauge: (gauge: JobGauge, value: number) => gauges.set(gauge, value),
    segments() {},
  }
  return { log, counts, gauges, jobs: jobsOf(log, { metrics, ...settings }) }
}

/** One segment per timestamp, with a batch of two records in each partition. */
async function writeAt(log: TestLog, ...timestampsMs: readonly number[]): Promise<void> {
  for (const timestampMs of timestampsMs) {
    const bytes = batchOf(2, { timestampMs, valueBytes: 1000, fill: log.endOffset(0) })
    await log.write([0, 1].map((partition) => ({ partition, bytes })))
    await log.clock.advance(10)
  }
}

async function objectKeys({ objectStore }: TestLog, list = objectStore.list.bind(objectStore)): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list(SEGMENT_PREFIX)) keys.push(key)
  return keys
}

const RETENTION = { bytesMax: undefined, intervalMs: 1000, producerIdExpirationMs: 86_400_000 }
const PARTITIONS = [0, 1].map((partition) => ({ topicId: TOPIC_ID, partition }))

t.test('retention removes what is too old, up to the first record that is not', async (t) => {
  const { log, jobs, counts, gauges } = await setUp({ retention: { ...RETENTION, ageMaxMs: 60_000 } })
  const nowMs = log.clock.nowMs()
  await writeAt(log, nowMs - 90_000, nowMs - 70_000, nowMs - 10_000, nowMs - 80_000, nowMs)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 4 }, { logStartOffset: 4 }])
  t.equal(counts.get('retention_extents'), 4)
  t.ok(gauges.get('retention_lag_ms')! >= 30_000)
  t.equal((await log.catalog.deadSegments(0, 10)).length, 2)
  await log.clock.advance(55_000)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 8 }, { logStartOffset: 8 }])
  await log.clock.advance(3_600_000)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 10, highWatermark: 10 }, {}])
  t.same(await log.catalog.liveSegments({ level: 0, limit: 10 }), [])
})

t.test('records without timestamps are as old as their segment', async (t) => {
  const { log, jobs } = await setUp({ retention: { ...RETENTION, ageMaxMs: 60_000 } })
  await writeAt(log, -3)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 0 }, { logStartOffset: 0 }])
  await log.clock.advance(61_000)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 2 }, { logStartOffset: 2 }])
})

t.test('retention by bytes keeps at least as much as it was told', async (t) => {
  const { log, jobs } = await setUp({ retention: { ...RETENTION, ageMaxMs: undefined, bytesMax: 5000 } })
  await writeAt(log, ...Array.from({ length: 10 }, () => 1))
  const sizesOf = () => log.catalog.partitionSizes(PARTITIONS)
  await runJob(jobs.retention)
  for (const size of await sizesOf()) t.ok(size! >= 5000 && size! < 7500, `${size} bytes are left`)
  const before = await sizesOf()
  await log.clock.advance(1000)
  await runJob(jobs.retention)
  t.same(await sizesOf(), before, 'once is enough')
})

t.test('a topic decides for itself', async (t) => {
  const { log, jobs } = await setUp({ retention: { ...RETENTION, ageMaxMs: 60_000 } })
  await log.catalog.updateTopicConfigs(TOPIC_ID, () => ({ 'retention.ms': '-1' }))
  await writeAt(log, 1, 2)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 0 }, {}])
  await log.catalog.updateTopicConfigs(TOPIC_ID, () => ({ 'cleanup.policy': 'compact' }))
  await log.clock.advance(1000)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 0 }, {}])
  await log.catalog.updateTopicConfigs(TOPIC_ID, () => ({ 'cleanup.policy': 'compact,delete' }))
  await log.clock.advance(1000)
  await runJob(jobs.retention)
  t.match(await log.catalog.partitionOffsets(PARTITIONS), [{ logStartOffset: 4 }, {}])
})

t.test('what DeleteRecords and DeleteTopics leave is cleared away', async (t) => {
  const { log, jobs } = await setUp()
  await writeAt(log, 1, 2, 3, 4)
  await log.catalog.advanceLogStarts([{ topicId: TOPIC_ID, partition: 0, offset: 5 }])
  await runJob(jobs.retention)
  t.same(
    (await log.catalog.oldestExtents([{ ...PARTITIONS[0]!, extentCountMax: 9 }]))[0]?.extents.map((e) => e.endOffset),
    [6, 8],
  )
  await log.catalog.deleteTopic(TOPIC_ID)
  await log.clock.advance(1000)
  await runJob(jobs.retention)
  t.same(await log.catalog.deletedTopics(10), [])
  t.same(await log.catalog.liveSegments({ level: 0, limit: 10 }), [])
  await log.clock.advance(20_000)
  await runJob(jobs.deletion)
  t.same(await objectKeys(log), [])
})

t.test('segments with too many batches to be merged with another stay where they are', async (t) => {
  // Two batches a segment.
  const { log, jobs, counts } = await setUp({ compaction: { batchCountMax: 3 } })
  await writeAt(log, ...Array.from({ length: 9 }, (_, index) => index))
  await runJob(jobs.compaction)
  t.equal((await log.catalog.liveSegments({ level: 0, limit: 100 })).length, 9)
  t.equal(counts.get('compactions') ?? 0, 0, 'none was only moved up')
})

t.test('compaction goes through the levels, and the log stays what it was', async (t) => {
  const { log, jobs, counts } = await setUp()
  await writeAt(log, ...Array.from({ length: 21 }, (_, index) => index))
  const expected = log.bytesFrom(0, 0)
  await runJob(jobs.compaction)
  const levels = await Promise.all([0, 1, 2].map((level) => log.catalog.liveSegments({ level, limit: 100 })))
  t.same(
    levels.map((segments) => segments.length),
    [1, 1, 1],
  )
  t.equal(counts.get('compactions'), 6)
  t.equal(Buffer.compare(await readFrom(freshReader(t, log), 0, 0), expected), 0)
  const dead = await log.catalog.deadSegments(0, 100)
  t.equal(dead.length, 20 + 4)
  await runJob(jobs.deletion)
  t.equal((await objectKeys(log)).length, 27, 'the grace is not over')
  await log.clock.advance(10_001)
  await runJob(jobs.deletion)
  t.equal((await objectKeys(log)).length, 3)
  t.equal(Buffer.compare(await readFrom(freshReader(t, log), 0, 0), expected), 0)
  await log.clock.advance(2 * COMMIT_AGE_MAX_MS)
  await runJob(jobs.deletion)
  t.same(
    (await log.catalog.segmentTotals()).map(({ state, segmentCount }) => [state, segmentCount]),
    [
      ['live', 1],
      ['live', 1],
      ['live', 1],
    ],
  )
})

t.test('young segments and full ones are left alone', async (t) => {
  const { log, jobs, counts } = await setUp({ compaction: { ageMinMs: 1000 } })
  await writeAt(log, 1, 2, 3, 4)
  await runJob(jobs.compaction)
  t.equal(counts.get('compactions'), undefined)
  await log.clock.advance(1000)
  await runJob(jobs.compaction)
  t.equal(counts.get('compactions'), 1)
  const full = await setUp({ compaction: { targetBytes: 4000 } })
  await writeAt(full.log, 1, 2, 3, 4, 5, 6, 7, 8)
  await runJob(full.jobs.compaction)
  t.equal(full.counts.get('compactions'), undefined)
})

t.test('a segment that is mostly dead is written anew', async (t) => {
  const { log, jobs, counts } = await setUp({ compaction: { fanIn: 4 } })
  const bytes = Array.from({ length: 4 }, (_, fill) => batchOf(1, { valueBytes: 40_000, fill }))
  for (const batch of bytes) await log.write([0, 1].map((partition) => ({ partition, bytes: batch })))
  await runJob(jobs.compaction)
  const expected = log.bytesFrom(1, 0)
  const [before] = await log.catalog.liveSegments({ level: 1, limit: 10 })
  await log.catalog.advanceLogStarts([{ topicId: TOPIC_ID, partition: 0, offset: 4 }])
  await runJob(jobs.retention)
  await runJob(jobs.compaction)
  t.equal(counts.get('compactions'), 1, 'it does not look at every pass')
  await log.clock.advance(60_000)
  await runJob(jobs.compaction)
  t.equal(counts.get('compactions'), 2)
  const [after] = await log.catalog.liveSegments({ level: 1, limit: 10 })
  t.ok(after!.objectBytes < before!.objectBytes * 0.52)
  t.equal(Buffer.compare(await readFrom(freshReader(t, log), 1, 0), expected), 0)
  await log.catalog.deleteTopic(TOPIC_ID)
  await log.clock.advance(60_000)
  await runJob(jobs.retention)
  await runJob(jobs.compaction)
  t.same(await log.catalog.liveSegments({ level: 1, limit: 10 }), [], 'what is wholly dead needs no rewriting')
})

t.test('deletion goes on where the store confirms, and tries the rest again', async (t) => {
  const { log, jobs, counts } = await setUp({ retention: { ...RETENTION, ageMaxMs: 1000 } })
  await writeAt(log, 1, 2, 3, 4)
  await runJob(jobs.retention)
  await log.clock.advance(11_000)
  const remove = log.objectStore.delete.bind(log.objectStore)
  const throttled = new Error('slow down')
  log.objectStore.delete = async (keys) => {
    const results = await remove(keys.slice(0, 2))
    return [...results, ...keys.slice(2).map((key): DeleteResult => ({ key, deleted: false, error: throttled }))]
  }
  await runJob(jobs.deletion)
  t.equal(counts.get('objects_deleted'), 2)
  t.equal(counts.get('object_deletions_failed'), 2)
  t.equal((await log.catalog.deadSegments(0, 10)).length, 2)
  log.objectStore.delete = remove
  await log.clock.advance(1000)
  await runJob(jobs.deletion)
  t.same(await objectKeys(log), [])
})

t.test('the sweep deletes what is old and unknown, once', async (t) => {
  const { log, jobs, counts } = await setUp()
  const body = new Uint8Array(10)
  const old = segmentObjectKey(newSegmentId(log.clock.nowMs(), log.random))
  await log.objectStore.put(old, body)
  await log.objectStore.put('segments/not-ours', body)
  await writeAt(log, 1)
  await log.clock.advance(2 * COMMIT_AGE_MAX_MS - 1000)
  const young = segmentObjectKey(newSegmentId(log.clock.nowMs(), log.random))
  await log.objectStore.put(young, body)
  let listCount = 0
  const list = log.objectStore.list.bind(log.objectStore)
  log.objectStore.list = (...asked) => {
    listCount += 1
    return list(...asked)
  }
  await runJob(jobs.sweep)
  t.equal(counts.get('orphans_found'), undefined, 'just not old enough')
  await runJob(jobs.sweep)
  t.equal(listCount, 1, 'and it rests')
  await log.clock.advance(2 * COMMIT_AGE_MAX_MS)
  await runJob(jobs.sweep)
  t.equal(counts.get('orphans_found'), 1)
  t.ok((await objectKeys(log, list)).includes(young), 'too young a second ago')
  for (let round = 0; round < 5; round++) {
    await log.clock.advance(2 * COMMIT_AGE_MAX_MS + 1)
    await runJob(jobs.sweep)
  }
  t.equal((await objectKeys(log, list)).length, 2, 'the live one and the one that is not ours')
  t.equal(listCount, 3, 'once all is judged an idle cluster lists no more')
  await writeAt(log, 2)
  await log.clock.advance(4 * COMMIT_AGE_MAX_MS)
  await runJob(jobs.sweep)
  t.equal(listCount, 4)
})
