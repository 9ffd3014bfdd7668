import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import {
  BLOCK_BYTES,
  commitBlocks,
  commitSegment,
  createTestTopic,
  LIMITS,
  plainBatch,
  readLog,
  sequencedBatch,
  shortOutcomes,
} from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

export async function commitCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'batches become part of the logs in the order given', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const first = commitSegment([
      { topicId, partition: 0, batches: [plainBatch(2, 50), plainBatch(3, 40)] },
      { topicId, partition: 1, batches: [plainBatch(1, 7)] },
    ])
    const second = commitSegment([{ topicId, partition: 0, batches: [plainBatch(10, 45)] }])
    const outcomes = await catalog.commit([first, second], LIMITS)
    t.same(outcomes, [
      {
        segmentId: first.segmentId,
        committed: true,
        batches: [
          { kind: 'accepted', baseOffset: 0, logStartOffset: 0 },
          { kind: 'accepted', baseOffset: 2, logStartOffset: 0 },
          { kind: 'accepted', baseOffset: 0, logStartOffset: 0 },
        ],
      },
      {
        segmentId: second.segmentId,
        committed: true,
        batches: [{ kind: 'accepted', baseOffset: 5, logStartOffset: 0 }],
      },
    ])
    t.same(await readLog(catalog, topicId, 0), [
      {
        topicId,
        partition: 0,
        baseOffset: 0,
        endOffset: 5,
        segmentId: first.segmentId,
        objectKey: first.objectKey,
        objectBytes: first.objectBytes,
        level: 0,
        position: 32,
        bytes: BLOCK_BYTES,
        batchSkipCount: 0,
        batchCount: 2,
        maxTimestampMs: 50,
      },
      {
        topicId,
        partition: 0,
        baseOffset: 5,
        endOffset: 15,
        segmentId: second.segmentId,
        objectKey: second.objectKey,
        objectBytes: second.objectBytes,
        level: 0,
        position: 32,
        bytes: BLOCK_BYTES,
        batchSkipCount: 0,
        batchCount: 1,
        maxTimestampMs: 45,
      },
    ])
    t.match(await readLog(catalog, topicId, 1), [{ position: 132, endOffset: 1, maxTimestampMs: 7 }])
    t.same(await catalog.commit([], LIMITS), [])
  })

  await onCatalog(t, open, 'a segment committed again answers with its first outcome', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const segment = commitSegment([
      {
        topicId,
        partition: 0,
        batches: [
          plainBatch(2),
          sequencedBatch(1, 0, 3),
          sequencedBatch(1, 0, 3),
          sequencedBatch(1, 9),
          sequencedBatch(2, 0, 1, 5),
          sequencedBatch(2, 0, 1, 4),
        ],
      },
      { topicId, partition: 7, batches: [plainBatch()] },
    ])
    const first = await catalog.commit([segment], LIMITS)
    t.same(shortOutcomes(first[0]), [
      'accepted@0',
      'accepted@2',
      'duplicate@2',
      'SEQUENCE_GAP',
      'accepted@5',
      'PRODUCER_EPOCH_FENCED',
      'PARTITION_UNKNOWN',
    ])
    const other = await fixture.connect()
    await commitBlocks(other, { topicId, partition: 0, batches: [plainBatch(100), sequencedBatch(1, 3)] })
    t.same(await other.commit([segment], LIMITS), first, 'by another agent')
    t.same(await catalog.commit([segment], { commitAgeMaxMs: -60_000 }), first, 'however late')

    const fresh = commitSegment([{ topicId, partition: 0, batches: [plainBatch()] }])
    const mixed = await catalog.commit([fresh, segment, fresh], LIMITS)
    t.same(mixed[1], first[0], 'in a group with a new one')
    t.same(shortOutcomes(mixed[0]), ['accepted@107'])
    t.same(mixed[2], mixed[0], 'the same segment twice in a group')

    await catalog.deleteTopic(topicId)
    t.same(await other.commit([segment], LIMITS), first, 'after its topic is gone')
  })

  await onCatalog(t, open, 'a segment of which nothing is accepted is remembered, too', async (t, catalog) => {
    const topicId = randomUUID()
    const segment = commitSegment([{ topicId, partition: 0, batches: [plainBatch()] }])
    const first = await catalog.commit([segment], LIMITS)
    t.same(shortOutcomes(first[0]), ['PARTITION_UNKNOWN'])
    await catalog.createTopic({ topicId, name: 'late', partitionCount: 1, configs: {} })
    t.same(await catalog.commit([segment], LIMITS), first)
    const empty = commitSegment([])
    t.same(await catalog.commit([empty], LIMITS), [{ segmentId: empty.segmentId, committed: true, batches: [] }])
  })

  await onCatalog(
    t,
    open,
    'a segment that comes too late is refused whole, its neighbours are not',
    async (t, catalog) => {
      const { topicId } = await createTestTopic(catalog, 'orders')
      const blocks = [{ topicId, partition: 0, batches: [plainBatch()] }]
      const late = commitSegment(blocks, { ageMs: LIMITS.commitAgeMaxMs + 60_000 })
      const inTime = commitSegment(blocks, { ageMs: LIMITS.commitAgeMaxMs - 60_000 })
      const early = commitSegment(blocks, { ageMs: -60_000 })
      const outcomes = await catalog.commit([late, inTime, early], LIMITS)
      t.same(outcomes[0], { segmentId: late.segmentId, committed: false, code: 'SEGMENT_TOO_OLD' })
      t.same(outcomes.slice(1).map(shortOutcomes), [['accepted@0'], ['accepted@1']])
      t.same(shortOutcomes((await catalog.commit([late], LIMITS))[0]), ['SEGMENT_TOO_OLD'], 'and stays refused')
      t.equal((await readLog(catalog, topicId, 0)).length, 2)
    },
  )

  await onCatalog(t, open, 'tombstones leave no trace in the logs', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    await commitBlocks(
      catalog,
      { topicId, partition: 0, batches: [sequencedBatch(1, 0, 2), sequencedBatch(1, 0, 2), plainBatch(3)] },
      { topicId, partition: 0, batches: [plainBatch(1), sequencedBatch(1, 9)] },
    )
    t.match(await readLog(catalog, topicId, 0), [
      { baseOffset: 0, endOffset: 2, position: 32, bytes: 100, batchSkipCount: 0, batchCount: 1 },
      { baseOffset: 2, endOffset: 6, position: 32, bytes: 200, batchSkipCount: 2, batchCount: 2 },
    ])
  })

  await onCatalog(t, open, 'large numbers survive', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const block = { topicId, partition: 0, batches: [plainBatch(2 ** 31 - 1, 2 ** 52), sequencedBatch(2 ** 50, 7)] }
    for (let round = 0; round < 3; round++) await commitBlocks(catalog, { ...block, batches: [block.batches[0]!] })
    t.same(await commitBlocks(catalog, block), [`accepted@${3 * (2 ** 31 - 1)}`, `accepted@${4 * (2 ** 31 - 1)}`])
    const [extent] = await readLog(catalog, topicId, 0)
    t.equal(extent?.maxTimestampMs, 2 ** 52)
    t.same(await commitBlocks(catalog, { topicId, partition: 0, batches: [sequencedBatch(2 ** 50, 7)] }), [
      `duplicate@${4 * (2 ** 31 - 1)}`,
    ])
  })

  await onCatalog(t, open, 'thousands of partitions in one commit', async (t, catalog) => {
    const partitionCount = 2500
    const { topicId } = await createTestTopic(catalog, 'wide', partitionCount)
    const blocksWith = (sequence: number) =>
      Array.from({ length: partitionCount }, (_, partition) => {
        return { topicId, partition, batches: [sequencedBatch(partition % 7, sequence, 2), plainBatch()] }
      })
    t.same(new Set(await commitBlocks(catalog, ...blocksWith(0))), new Set(['accepted@0', 'accepted@2']))
    t.same(new Set(await commitBlocks(catalog, ...blocksWith(2))), new Set(['accepted@3', 'accepted@5']))
    t.same(new Set(await commitBlocks(catalog, ...blocksWith(2))), new Set(['duplicate@3', 'accepted@6']))
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topicId, partition }))
    const offsets = await catalog.partitionOffsets(partitions)
    t.ok(offsets.every((offset) => offset?.highWatermark === 7))
  })
}
