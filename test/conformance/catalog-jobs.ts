import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { ExtentRef } from '../../engine/ports/jobs-catalog.js'
import { commitBlocks, commitSegment, createTestTopic, LIMITS, plainBatch } from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

/** Leases, retention, and the end of segments. */
export async function jobCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'a lease has one holder at a time', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const lease = await catalog.acquireLease('sweep', 'one', 60_000)
    t.match(lease, { name: 'sweep', holder: 'one', note: '' })
    t.equal(await other.acquireLease('sweep', 'two', 60_000), undefined)
    t.same(await catalog.acquireLease('sweep', 'one', 60_000), lease, 'asked again, the holder still has it')
    t.ok(await other.acquireLease('compaction', 'two', 60_000), 'another name is another lease')
    t.equal(await catalog.renewLease(lease!, 60_000), true)
    await catalog.releaseLease(lease!, { restMs: 0, note: 'half done' })
    t.equal(await catalog.renewLease(lease!, 60_000), false, 'what was given back cannot be renewed')
    const next = await other.acquireLease('sweep', 'two', 60_000)
    t.match(next, { holder: 'two', note: 'half done' })
    t.ok(next!.token > lease!.token)
    await catalog.releaseLease(lease!)
    t.equal(await catalog.acquireLease('sweep', 'one', 60_000), undefined, 'a late release changes nothing')
    await catalog.noteLease('sweep', 'look again')
    await catalog.noteLease('never taken', 'before anybody')
    t.match(await catalog.acquireLease('never taken', 'one', 60_000), { note: 'before anybody' })
    await other.releaseLease(next!, { restMs: 0 })
    t.match(await catalog.acquireLease('sweep', 'one', 60_000), { note: 'look again' }, 'left by somebody else')
  })

  await onCatalog(t, open, 'an expired lease passes on, a resting one waits', async (t, catalog) => {
    const lease = await catalog.acquireLease('sweep', 'one', 30)
    await sleep(60)
    t.equal(await catalog.renewLease(lease!, 30), true, 'nobody took it meanwhile')
    await sleep(60)
    const next = await catalog.acquireLease('sweep', 'two', 60_000)
    t.ok(next!.token > lease!.token)
    t.equal(await catalog.renewLease(lease!, 60_000), false)
    await catalog.releaseLease(next!, { restMs: 400 })
    t.equal(await catalog.acquireLease('sweep', 'two', 60_000), undefined)
    await sleep(450)
    t.ok(await catalog.acquireLease('sweep', 'one', 60_000))
  })

  await onCatalog(t, open, 'one of many gets a new lease', async (t, catalog, fixture) => {
    const agents = [catalog, await fixture.connect(), await fixture.connect()]
    const leases = await Promise.all(agents.map((agent, index) => agent.acquireLease('all', `agent ${index}`, 60_000)))
    t.equal(leases.filter((lease) => lease !== undefined).length, 1)
  })

  await onCatalog(t, open, 'extents go once they are below the log start', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    const first = await commitAt(catalog, topicId, [0, 1], 10)
    const second = await commitAt(catalog, topicId, [0], 10)
    const all = [extentRef(topicId, 0, 10, first), extentRef(topicId, 1, 10, first), extentRef(topicId, 0, 20, second)]
    t.match(await catalog.removeExtents(all), { extentCount: 0, deadSegmentCount: 0 }, 'none is below it yet')
    await catalog.advanceLogStarts([{ topicId, partition: 0, offset: 15 }])
    const heads = await catalog.oldestExtents([
      { topicId, partition: 0, extentCountMax: 10 },
      { topicId, partition: 2, extentCountMax: 10 },
      { topicId, partition: 3, extentCountMax: 10 },
    ])
    t.match(heads[0], { logStartOffset: 15, highWatermark: 20, extents: [{ endOffset: 10 }, { endOffset: 20 }] })
    t.match(heads[1], { logStartOffset: 0, highWatermark: 0, extents: [] })
    t.equal(heads[2], undefined)
    t.same(await catalog.removeExtents(all), { extentCount: 1, bytes: 100, deadSegmentCount: 0 })
    t.match(await catalog.removeExtents(all), { extentCount: 0 }, 'what has gone is not counted again')
    t.same(
      await liveCounts(catalog),
      new Map([
        [first, 1],
        [second, 1],
      ]),
    )
    await catalog.advanceLogStarts([{ topicId, partition: 1, offset: 10 }])
    t.match(await catalog.removeExtents([extentRef(topicId, 1, 10, second)]), { extentCount: 0 }, 'of another segment')
    t.same(await catalog.removeExtents(all), { extentCount: 1, bytes: 100, deadSegmentCount: 1 })
    t.same(await liveCounts(catalog), new Map([[second, 1]]))
    const dead = await catalog.deadSegments(0, 10)
    t.match(dead, [{ segmentId: first, level: 0, liveExtentCount: 0 }])
    const [answer] = await catalog.findExtents([
      { topicId, partition: 0, offset: 15, bytesMax: 1e9, extentCountMax: 10 },
    ])
    t.match(answer?.extents, [{ baseOffset: 10, endOffset: 20 }], 'the extent with the log start in it stays')
  })

  await onCatalog(t, open, 'removals at once that share segments leak none', async (t, catalog, fixture) => {
    const partitionCount = 8
    const { topicId } = await createTestTopic(catalog, 'orders', partitionCount)
    const partitions = Array.from({ length: partitionCount }, (_, partition) => partition)
    const segments: string[] = []
    for (let round = 0; round < 6; round++) segments.push(await commitAt(catalog, topicId, partitions, 1))
    await catalog.advanceLogStarts(partitions.map((partition) => ({ topicId, partition, offset: 6 })))
    const agents = [catalog, await fixture.connect(), await fixture.connect()]
    const removals = await Promise.all(
      // Each its own partitions and, one round later, those of the next: in turn from both ends.
      agents.flatMap((agent, number) =>
        [number, number + 1].map((shift) => {
          const extents = partitions
            .filter((partition) => (partition + shift) % 3 === 0)
            .flatMap((partition) => segments.map((id, index) => extentRef(topicId, partition, index + 1, id)))
          return agent.removeExtents(number === 1 ? extents.reverse() : extents)
        }),
      ),
    )
    t.equal(
      removals.reduce((sum, { extentCount }) => sum + extentCount, 0),
      6 * partitionCount,
    )
    t.equal(
      removals.reduce((sum, { deadSegmentCount }) => sum + deadSegmentCount, 0),
      6,
    )
    t.same(new Set((await catalog.deadSegments(0, 100)).map(({ segmentId }) => segmentId)), new Set(segments))
    t.same(await liveCounts(catalog), new Map())
  })

  await onCatalog(t, open, 'a deleted topic is cleared away step by step', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    const kept = await createTestTopic(catalog, 'kept')
    const shared = commitSegment([
      { topicId, partition: 0, batches: [plainBatch()] },
      { topicId, partition: 2, batches: [plainBatch()] },
      { topicId: kept.topicId, partition: 0, batches: [plainBatch()] },
    ])
    await catalog.commit([shared], LIMITS)
    const own = await commitAt(catalog, topicId, [1], 5)
    t.same(await catalog.deletedTopics(10), [])
    await t.rejects(catalog.clearDeletedTopic(topicId, 10))
    await catalog.deleteTopic(topicId)
    t.same(await catalog.deletedTopics(10), [topicId])
    t.match(await catalog.clearDeletedTopic(topicId, 2), { extentCount: 2, done: false })
    t.match(await catalog.clearDeletedTopic(topicId, 2), { extentCount: 1, done: false })
    t.match(await catalog.clearDeletedTopic(topicId, 2), { extentCount: 0, done: true })
    t.same(await catalog.deletedTopics(10), [])
    t.match(await catalog.clearDeletedTopic(topicId, 2), { done: true }, 'again')
    t.match(await catalog.deadSegments(0, 10), [{ segmentId: own }])
    t.same(await liveCounts(catalog), new Map([[shared.segmentId, 1]]))
    t.equal((await createTestTopic(catalog, 'orders')).name, 'orders')
    t.same(await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch()] }), ['PARTITION_UNKNOWN'])
  })

  await onCatalog(t, open, 'a dead segment waits, loses its object, then its row', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const old = commitSegment([{ topicId, partition: 0, batches: [plainBatch(5)] }], { ageMs: 300_000 })
    const live = commitSegment([{ topicId, partition: 0, batches: [plainBatch(5)] }], { ageMs: 300_000 })
    const empty = commitSegment([], { ageMs: 300_000 })
    await catalog.commit([old, live, empty], LIMITS)
    await catalog.advanceLogStarts([{ topicId, partition: 0, offset: 5 }])
    await catalog.removeExtents([extentRef(topicId, 0, 5, old.segmentId)])
    const idsOf = (segments: readonly { readonly segmentId: string }[]) => segments.map(({ segmentId }) => segmentId)
    t.same(await catalog.deadSegments(60_000, 10), [], 'the grace is not over')
    t.same(idsOf(await catalog.deadSegments(0, 10)), [old.segmentId, empty.segmentId].sort())
    t.equal((await catalog.deadSegments(0, 1)).length, 1)
    t.equal(await catalog.forgetSegments(0, 10), 0, 'objects first')
    await catalog.markObjectsDeleted([old.segmentId, live.segmentId])
    t.same(idsOf(await catalog.deadSegments(0, 10)), [empty.segmentId])
    t.same([...(await liveCounts(catalog)).keys()], [live.segmentId], 'a live one stays live')
    t.equal(await catalog.forgetSegments(600_000, 10), 0, 'the same segment may still be committed again')
    t.match(await catalog.commit([old], LIMITS), [{ committed: true }])
    t.equal(await catalog.forgetSegments(200_000, 10), 1)
    t.match(await catalog.commit([old], { commitAgeMaxMs: 200_000 }), [{ committed: false, code: 'SEGMENT_TOO_OLD' }])
    t.match(await catalog.segmentTotals(), [
      { state: 'live', level: 0, segmentCount: 1, objectBytes: live.objectBytes },
      { state: 'dead', level: 0, segmentCount: 1, objectBytes: empty.objectBytes },
    ])
  })

  await onCatalog(t, open, 'orphans are old and unknown', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const blocks = [{ topicId, partition: 0, batches: [plainBatch()] }]
    t.equal(await catalog.newestSegmentId(), undefined)
    const [known, unknown, young] = [300_000, 300_000, 0].map((ageMs) => commitSegment(blocks, { ageMs }))
    const dead = commitSegment([], { ageMs: 300_000 })
    await catalog.commit([known!, dead], LIMITS)
    const ids = [known!, unknown!, young!, dead].map(({ segmentId }) => segmentId)
    t.same(await catalog.orphansAmong(ids, 200_000), [unknown!.segmentId])
    t.same(await catalog.orphansAmong(ids, 400_000), [])
    t.same(await catalog.orphansAmong([], 0), [])
    await catalog.markObjectsDeleted([dead.segmentId])
    t.same(await catalog.orphansAmong(ids, 200_000), [unknown!.segmentId, dead.segmentId], 'an object that came back')
    t.equal(await catalog.newestSegmentId(), [known!.segmentId, dead.segmentId].sort().at(-1))
    const nowMs = await catalog.databaseTimeMs()
    t.ok(Math.abs(nowMs - Date.now()) < 60_000)
  })
}

/** Commits one batch of `offsetCount` to each partition, as one segment; answers its id. */
export async function commitAt(
  catalog: Catalog,
  topicId: string,
  partitions: readonly number[],
  offsetCount: number,
  maxTimestampMs = 1000,
): Promise<string> {
  const batches = [plainBatch(offsetCount, maxTimestampMs)]
  const segment = commitSegment(partitions.map((partition) => ({ topicId, partition, batches })))
  const [outcome] = await catalog.commit([segment], LIMITS)
  if (!outcome?.committed) throw new Error('the segment was not committed')
  return segment.segmentId
}

export function extentRef(topicId: string, partition: number, endOffset: number, segmentId: string): ExtentRef {
  return { topicId, partition, endOffset, segmentId }
}

/** Id and live extents of each live segment of level 0. */
export async function liveCounts(catalog: Catalog): Promise<ReadonlyMap<string, number>> {
  const segments = await catalog.liveSegments({ level: 0, limit: 1000 })
  return new Map(segments.map(({ segmentId, liveExtentCount }) => [segmentId, liveExtentCount]))
}
