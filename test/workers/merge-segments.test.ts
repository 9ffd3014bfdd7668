import fc from 'fast-check'
import t from 'tap'
import type { MergeInput } from '../../engine/ports/segment-merger.js'
import { newSegmentId, segmentObjectKey } from '../../engine/segment-identity.js'
import { openSegment, verifySegment } from '../../format/index.js'
import { ForwardReader, joinRanges } from '../../workers/forward-reader.js'
import { mergeSegments, runMerge } from '../../workers/merge-segments.js'
import { freshReader, jobsOf, readFrom, runJob } from '../support/job-setup.js'
import { batchOf, CountingStore, TestLog, TOPIC_ID } from '../support/test-log.js'

const PARTITIONS = 3

const batch = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  count: fc.integer({ min: 1, max: 4 }),
  valueBytes: fc.oneof(fc.constant(10), fc.constant(300), fc.constant(5000)),
  fill: fc.nat(9),
  // Few producers and sequences: many batches are duplicates or gaps, hence tombstones between accepted ones.
  producer: fc.option(fc.record({ producerId: fc.nat(2), baseSequence: fc.nat(6) }), { nil: undefined }),
})
const scenario = fc.record({
  segments: fc.array(fc.array(batch, { minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 14 }),
  blockTargetBytes: fc.constantFrom(1, 700, 128 * 1024),
  readBytesMax: fc.constantFrom(1, 1024 * 1024),
  fanIn: fc.integer({ min: 2, max: 5 }),
  logStartShares: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: PARTITIONS,
    maxLength: PARTITIONS,
  }),
})

t.test('every fetch is the same before and after compaction, byte by byte', async (t) => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ segments, blockTargetBytes, readBytesMax, fanIn, logStartShares }) => {
      const log = await TestLog.create(PARTITIONS)
      for (const batches of segments) {
        await log.write(
          batches.map(({ partition, count, valueBytes, fill, producer }) => {
            const idempotence = producer === undefined ? {} : { ...producer, producerEpoch: 0 }
            return { partition, bytes: batchOf(count, { valueBytes, fill, ...idempotence }) }
          }),
          { blockTargetBytes },
        )
        await log.clock.advance(10)
      }
      const starts = logStartShares.map((share, partition) => {
        // Half of them begin at 0.
        return { topicId: TOPIC_ID, partition, offset: share < 0.5 ? 0 : Math.floor(log.endOffset(partition) * share) }
      })
      await log.catalog.advanceLogStarts(starts)
      const fetchAll = async () => {
        const reader = freshReader(t, log)
        const contents: string[] = []
        for (const { partition, offset: start } of starts) {
          for (let offset = start; offset < log.endOffset(partition); offset++) {
            contents.push(Buffer.from(await readFrom(reader, partition, offset)).toString('base64'))
          }
        }
        return contents
      }
      const before = await fetchAll()
      const jobs = jobsOf(log, { compaction: { fanIn, readBytesMax } })
      await runJob(jobs.compaction)
      const after = await fetchAll()
      if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error('a fetch has changed')
      const left = await log.catalog.liveSegments({ level: 0, limit: 100 })
      if (left.length >= fanIn) throw new Error(`${left.length} segments of level 0 are left`)
      await checkObjects(log)
    }),
    { numRuns: 60 },
  )
})

/** Every live object is a sound segment. */
async function checkObjects({ catalog, objectStore }: TestLog): Promise<void> {
  for (const level of [0, 1, 2, 3]) {
    for (const { objectKey, objectBytes } of await catalog.liveSegments({ level, limit: 1000 })) {
      const readRange = (position: number, bytes: number) => objectStore.getRange(objectKey, position, bytes)
      const { damages, index } = await verifySegment({ objectBytes, readRange })
      if (damages.length > 0 || index?.level !== level) throw new Error(`${objectKey}: ${JSON.stringify(damages)}`)
    }
  }
}

async function mergeInputOf(log: TestLog, changes: Partial<MergeInput> = {}): Promise<MergeInput> {
  const segments = await log.catalog.liveSegments({ level: 0, limit: 100 })
  const rows = await log.catalog.extentsOfSegments(segments.map(({ segmentId }) => segmentId))
  const segmentId = newSegmentId(log.clock.nowMs(), log.random)
  return {
    segmentId,
    objectKey: segmentObjectKey(segmentId),
    level: 1,
    createdAtMs: log.clock.nowMs(),
    objects: segments,
    extents: rows
      .sort((a, b) => a.partition - b.partition || a.baseOffset - b.baseOffset)
      .map((row) => ({ ...row, object: segments.findIndex(({ segmentId }) => segmentId === row.segmentId) })),
    readBytesMax: 64 * 1024 * 1024,
    extentBytesMax: 8 * 1024 * 1024,
    ...changes,
  }
}

async function logOf(segmentCount: number, valueBytes: number): Promise<TestLog> {
  const log = await TestLog.create(2)
  for (let number = 0; number < segmentCount; number++) {
    await log.write([0, 0, 1].map((partition) => ({ partition, bytes: batchOf(3, { valueBytes, fill: number }) })))
    await log.clock.advance(10)
  }
  log.objectStore.gets.length = 0
  return log
}

t.test('each byte is read once, with one GET per input where memory allows', async (t) => {
  const log = await logOf(5, 20_000)
  const input = await mergeInputOf(log)
  const output = await mergeSegments(input, log.objectStore)
  t.equal(output.getRequestCount, 5)
  t.equal(log.objectStore.gets.length, 5)
  t.match(output.extents, [
    { partition: 0, baseOffset: 0, endOffset: 30, batchCount: 10, batchSkipCount: 0, firstInput: 0, inputCount: 5 },
    { partition: 1, baseOffset: 0, endOffset: 15, batchCount: 5, firstInput: 5, inputCount: 5 },
  ])
  const { index } = await openSegment({
    objectBytes: output.objectBytes,
    readRange: (position, bytes) => log.objectStore.getRange(input.objectKey, position, bytes),
  })
  t.ok(
    index.blocks.slice(0, -1).every(({ rawBytes }) => rawBytes >= 60_000),
    'small blocks have become larger ones',
  )
  log.objectStore.gets.length = 0
  const narrow = await mergeInputOf(log, { readBytesMax: 1 })
  const again = await mergeSegments({ ...narrow, objects: narrow.objects }, log.objectStore)
  t.same(again.extents, output.extents)
  const read = log.objectStore.gets.reduce((sum, { bytes }) => sum + bytes, 0)
  t.equal(read, again.readBytes)
  t.equal(
    read,
    input.extents.reduce((sum, { bytes }) => sum + bytes, 0),
  )
})

t.test('extents end where they are long enough', async (t) => {
  const log = await logOf(4, 1000)
  const output = await mergeSegments(await mergeInputOf(log, { extentBytesMax: 10_000 }), log.objectStore)
  t.match(output.extents, [
    { partition: 0, baseOffset: 0, endOffset: 12, inputCount: 2 },
    { partition: 0, baseOffset: 12, endOffset: 24, batchSkipCount: 4, inputCount: 2 },
    { partition: 1, baseOffset: 0, endOffset: 12, inputCount: 4 },
  ])
})

t.test('bad bytes are told apart from a bad store, and leave no object', async (t) => {
  const log = await logOf(3, 1000)
  const input = await mergeInputOf(log)
  const damaged = new DamagedStore(log.objectStore, input.objects[1]!.objectKey)
  t.match(await runMerge(input, damaged), { ok: false, badObject: 1, message: /damaged/ })
  const shifted = { ...input, extents: input.extents.map((extent) => ({ ...extent, endOffset: extent.endOffset + 1 })) }
  t.match(await runMerge(shifted, log.objectStore), { ok: false, badObject: 0, message: /not what the catalog says/ })
  const missing = { ...input, objects: input.objects.map((object) => ({ ...object, objectKey: 'segments/none' })) }
  t.match(await runMerge(missing, log.objectStore), { ok: false, code: 'OBJECT_NOT_FOUND' })
  await t.rejects(log.objectStore.head(input.objectKey), { code: 'OBJECT_NOT_FOUND' })
})

/** Flips a bit of every answer about one object. */
class DamagedStore extends CountingStore {
  constructor(
    private readonly store: CountingStore,
    private readonly badKey: string,
  ) {
    super()
  }

  override async getRange(key: string, position: number, bytes: number): Promise<Uint8Array> {
    const content = await this.store.getRange(key, position, bytes)
    if (key === this.badKey) content[content.byteLength >>> 1]! ^= 1
    return content
  }
}

t.test('ranges are joined, and read in windows', async (t) => {
  const ranges = [
    { start: 500, end: 600 },
    { start: 0, end: 100 },
    { start: 50, end: 120 },
    { start: 130, end: 140 },
  ]
  t.same(joinRanges(ranges, 0), [
    { start: 0, end: 120 },
    { start: 130, end: 140 },
    { start: 500, end: 600 },
  ])
  t.same(joinRanges(ranges, 10), [
    { start: 0, end: 140 },
    { start: 500, end: 600 },
  ])
  const store = new CountingStore()
  const body = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff)
  await store.put('a', body)
  const reader = new ForwardReader(store, 'a', [{ start: 10, end: 900 }], 64)
  reader.start()
  for (let position = 10; position < 900; position += 89) {
    t.same(await reader.read(position, 89), body.subarray(position, position + 89))
  }
  t.equal(store.gets.length, 14)
  await t.rejects(reader.read(950, 10), RangeError)
})
