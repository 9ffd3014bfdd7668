import t, { type Test } from 'tap'
import { inArena, type RecentSegment, RecentSegments, recentCopy } from '../../../engine/fetch/index.js'
import type { CommittedSegment } from '../../../engine/intake/segments.js'
import type { Extent } from '../../../engine/ports/catalog.js'
import { BATCH_FLAG_LOG_APPEND_TIME } from '../../../engine/ports/segment-uploader.js'
import { iterateRecords } from '../../../format/index.js'
import { batchOf, concatenate, TestLog, TOPIC_ID, type WrittenSegment } from '../../support/test-log.js'

const counts = [3, 1, 4, 1, 5]
const APPENDED_MS = 1_700_000_000_000

async function setUp() {
  const log = await TestLog.create(2)
  const written = await log.write(
    counts.flatMap((count, fill) => [
      { partition: 1, bytes: batchOf(count, { fill }) },
      { partition: 0, bytes: batchOf(count, { fill: fill + 100 }) },
    ]),
    { blockTargetBytes: 300 },
  )
  const extent = log.catalog.extentsOf({ topicId: TOPIC_ID, partition: 1 })[0] as Extent
  return { log, written, extent }
}

/** The segment as the commit lane has it: its batches lie in an arena, in the order they came. */
function committedOf(written: WrittenSegment, flags = 0): CommittedSegment {
  const count = written.batches.length
  const arrival = written.batches.map((_, number) => (number * 3) % count)
  const bytes = written.batches.reduce((sum, batch) => sum + batch.bytes.byteLength, 0)
  const arena = new SharedArrayBuffer(bytes + 50)
  const batches = new Int32Array(count * 5)
  const batchOrder = new Uint32Array(count)
  let position = 0
  for (const [input, number] of arrival.entries()) {
    const batch = written.batches[number]?.bytes ?? new Uint8Array(0)
    new Uint8Array(arena).set(batch, position)
    batches.set([0, 0, position, batch.byteLength, flags], input * 5)
    batchOrder[number] = input
    position += batch.byteLength
  }
  const { segmentId, objectKey, index } = written
  const input = { segmentId, objectKey, createdAtMs: APPENDED_MS, arena, topicIds: [TOPIC_ID], batches }
  return {
    uploaded: { sealed: { segmentId, input, bytes }, output: { batchOrder }, index },
  } as unknown as CommittedSegment
}

async function servesEveryOffset(t: Test, remembered: (committed: CommittedSegment) => RecentSegment): Promise<void> {
  const { log, written, extent } = await setUp()
  const recent = new RecentSegments(1e6)
  recent.remember(remembered(committedOf(written)))
  t.ok(recent.bytes > 0)
  for (let offset = 0; offset < log.endOffset(1); offset++) {
    const all = recent.read(extent, offset, 1e6)
    const kept = (log.logs[1] ?? []).filter((batch) => batch.endOffset > offset)
    const unplaced = kept.map(
      ({ baseOffset }) =>
        written.batches.filter(({ partition }) => partition === 1)[
          log.logs[1]?.findIndex((batch) => batch.baseOffset === baseOffset) ?? -1
        ]?.bytes ?? new Uint8Array(0),
    )
    t.same(concatenate([...(all?.memories() ?? [])]), concatenate(unplaced))
    t.equal(all?.bytes, concatenate(unplaced).byteLength)
    t.match(all?.run, { baseOffset: kept[0]?.baseOffset, endOffset: 14, batchSkipCount: 0, batchCount: kept.length })
    t.equal(recent.read(extent, offset, 1)?.run.batchCount, 1)
  }
}

t.test('a copy of the arena outlives it and serves every offset', (t) =>
  servesEveryOffset(t, (committed) => {
    const copy = recentCopy(committed)
    new Uint8Array(committed.uploaded.sealed.input.arena).fill(0)
    return copy
  }),
)

t.test('the arena itself serves every offset', (t) => servesEveryOffset(t, inArena))

t.test('what was found in an arena is not read after its next use', async (t) => {
  const { written, extent } = await setUp()
  const committed = committedOf(written)
  const recent = new RecentSegments(1e6)
  recent.remember(inArena(committed))
  const read = recent.read(extent, 0, 1e6)
  t.ok([...(read?.memories() ?? [])].length > 0)
  recent.forget(written.segmentId)
  t.throws(() => read?.memories(), { code: 'OBJECT_NOT_FOUND' })
  t.equal(recent.read(extent, 0, 1e6), undefined)
})

t.test('what is not here is not served', async (t) => {
  const { written, extent } = await setUp()
  const recent = new RecentSegments(1e6)
  t.equal(recent.read(extent, 0, 1e6), undefined)
  recent.remember(recentCopy(committedOf(written)))
  t.equal(recent.read({ ...extent, level: 1 }, 0, 1e6), undefined, 'a compacted segment is another one')
  t.equal(recent.read({ ...extent, position: extent.position + 1 }, 0, 1e6), undefined)
  t.equal(recent.read({ ...extent, batchCount: 1000 }, 0, 1e6), undefined)
  recent.clear()
  t.equal(recent.read(extent, 0, 1e6), undefined)
})

t.test('the budget is kept, also by the indexes of segments in arenas', async (t) => {
  const { written } = await setUp()
  for (const remembered of [recentCopy, inArena]) {
    const recent = new RecentSegments(100)
    recent.remember(remembered(committedOf(written)))
    t.equal(recent.bytes, 0)
  }
})

t.test('batches that got the time of their append have it here too', async (t) => {
  const { written } = await setUp()
  const committed = committedOf(written, BATCH_FLAG_LOG_APPEND_TIME)
  const arena = new Uint8Array(committed.uploaded.sealed.input.arena)
  const sent = arena.slice()
  for (const remembered of [recentCopy(committed), inArena(committed)]) {
    for (const number of written.batches.keys()) {
      const times = [...iterateRecords(remembered.batch(number))].map(({ timestampMs }) => timestampMs)
      t.ok(times.length > 0 && times.every((timestampMs) => timestampMs === APPENDED_MS))
    }
  }
  t.same(arena, sent, 'the arena is only read')
})
