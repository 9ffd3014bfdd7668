import t from 'tap'
import { committedExtents } from '../../../engine/commit/committed-extents.js'
import type { CommittedSegment } from '../../../engine/intake/segments.js'
import { asCommitted } from '../../support/committed-segment.js'
import { batchOf, type NewBatch, TestLog, TOPIC_ID } from '../../support/test-log.js'

t.test('the extents of a commit are those that the catalog names', async (t) => {
  const log = await TestLog.create(3)
  const numbered = (partition: number, baseSequence: number): NewBatch => {
    const producer = { producerId: 7 + partition, producerEpoch: 0, baseSequence }
    return { partition, bytes: batchOf(2, { valueBytes: 40, fill: baseSequence, ...producer }) }
  }
  const seen: (readonly unknown[])[] = []
  const write = async (batches: readonly NewBatch[]) => {
    const written = await log.write(batches, { blockTargetBytes: 300 })
    const extents = committedExtents(await asCommitted(log, written))
    const named = [0, 1, 2].flatMap((partition) => log.catalog.extentsOf({ topicId: TOPIC_ID, partition }))
    t.same(
      extents,
      named.filter(({ segmentId }) => segmentId === written.segmentId),
    )
    seen.push(extents.map((extent) => [extent.partition, extent.baseOffset, extent.endOffset, extent.batchSkipCount]))
  }
  await write([numbered(0, 0), numbered(0, 2), numbered(0, 4), numbered(2, 0), { partition: 1, bytes: batchOf(3) }])
  // A repeated batch between two new ones leaves a gap in the object, not in the log.
  await write([{ partition: 0, bytes: batchOf(1) }, numbered(0, 2), numbered(0, 6), numbered(2, 0)])
  t.same(seen, [
    [
      [0, 0, 6, 0],
      [1, 0, 3, 0],
      [2, 0, 2, 0],
    ],
    [
      [0, 6, 7, 0],
      [0, 7, 9, 0],
    ],
  ])
})

t.test('a segment that was not committed has none', async (t) => {
  const outcome = { committed: false, segmentId: 's', code: 'SEGMENT_TOO_OLD' }
  t.same(committedExtents({ outcome } as unknown as CommittedSegment), [])
})
