import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { OutputSegment, SegmentExtent } from '../../engine/ports/jobs-catalog.js'
import { newSegmentId, segmentObjectKey } from '../../engine/segment-identity.js'
import { commitBlocks, createTestTopic, LIMITS, plainBatch, readLog } from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'
import { commitAt, liveCounts } from './catalog-jobs.js'

/** The swap of compaction. */
export async function compactionCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'live segments are listed oldest first, with their extents', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const ids = [await commitAt(catalog, topicId, [0, 1], 10), await commitAt(catalog, topicId, [1], 5)]
    ids.push(await commitAt(catalog, topicId, [0], 5))
    const listed = await catalog.liveSegments({ level: 0, limit: 10 })
    t.same(
      listed.map(({ segmentId }) => segmentId),
      ids.toSorted(),
    )
    t.same(await catalog.liveSegments({ level: 0, limit: 1, after: listed[0]!.segmentId }), [listed[1]])
    t.same(await catalog.liveSegments({ level: 1, limit: 10 }), [])
    await catalog.advanceLogStarts([{ topicId, partition: 0, offset: 10 }])
    const extents = await catalog.extentsOfSegments(ids)
    t.match(
      extents.sort((a, b) => a.partition - b.partition || a.endOffset - b.endOffset),
      [
        { topicId, partition: 0, baseOffset: 0, endOffset: 10, segmentId: ids[0], wanted: false, level: 0 },
        { partition: 0, baseOffset: 10, endOffset: 15, segmentId: ids[2], wanted: true },
        { partition: 1, baseOffset: 0, endOffset: 10, segmentId: ids[0], wanted: true, position: 132 },
        { partition: 1, baseOffset: 10, endOffset: 15, segmentId: ids[1], wanted: true, batchCount: 1 },
      ],
    )
    t.same(await catalog.liveUseOf([...ids, newSegmentId(0, RANDOM)]), [
      { extentCount: 2, bytes: 200, batchCount: 2 },
      { extentCount: 1, bytes: 100, batchCount: 1 },
      { extentCount: 1, bytes: 100, batchCount: 1 },
      { extentCount: 0, bytes: 0, batchCount: 0 },
    ])
    await catalog.deleteTopic(topicId)
    t.ok((await catalog.extentsOfSegments(ids)).every(({ wanted }) => !wanted))
  })

  await onCatalog(t, open, 'a swap puts one segment in the place of many', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const inputs: string[] = []
    for (const timestampMs of [100, 900, 300]) inputs.push(await commitAt(catalog, topicId, [0, 1], 10, timestampMs))
    const after = await commitAt(catalog, topicId, [0], 10, 500)
    const swap = { inputs, output: await outputOf(catalog, inputs) }
    t.same(await catalog.swapSegments(swap, LIMITS), { swapped: true })
    t.match(await readLog(catalog, topicId, 0), [
      { baseOffset: 0, endOffset: 30, segmentId: swap.output.segmentId, level: 1, maxTimestampMs: 900, batchCount: 3 },
      { baseOffset: 30, endOffset: 40, segmentId: after, level: 0 },
    ])
    t.match(await readLog(catalog, topicId, 1), [{ baseOffset: 0, endOffset: 30, level: 1 }])
    const find = async (timestampMs: number) =>
      (await catalog.findExtentsByTimestamp([{ topicId, partition: 0, timestampMs }]))[0]?.baseOffset
    t.same([await find(0), await find(600), await find(901)], [0, 0, undefined])
    t.same(await liveCounts(catalog), new Map([[after, 1]]))
    t.match(await catalog.liveSegments({ level: 1, limit: 10 }), [{ liveExtentCount: 2, level: 1 }])
    t.same(new Set((await catalog.deadSegments(0, 10)).map(({ segmentId }) => segmentId)), new Set(inputs))

    const other = await fixture.connect()
    t.same(await other.swapSegments(swap, LIMITS), { swapped: true }, 'told again, as after an unknown outcome')
    t.same(
      await other.swapSegments({ inputs, output: { ...swap.output, ...identity() } }, LIMITS),
      { swapped: false, code: 'INPUTS_CHANGED' },
      'a second compaction of the same inputs comes too late',
    )
    t.same(await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch()] }), ['accepted@40'])
  })

  await onCatalog(t, open, 'what retention took meanwhile is left out of a swap', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const inputs: string[] = []
    for (let round = 0; round < 3; round++) inputs.push(await commitAt(catalog, topicId, [0, 1], 10))
    const output = await outputOf(catalog, inputs)
    await catalog.advanceLogStarts([
      { topicId, partition: 0, offset: 20 },
      { topicId, partition: 1, offset: 30 },
    ])
    const gone = await catalog.extentsOfSegments(inputs.slice(0, 2))
    await catalog.removeExtents(gone)
    t.same(await catalog.swapSegments({ inputs, output }, LIMITS), { swapped: true })
    const [head0, head1] = await catalog.oldestExtents(
      [0, 1].map((partition) => ({ topicId, partition, extentCountMax: 10 })),
    )
    t.match(head0, { logStartOffset: 20, extents: [{ baseOffset: 0, endOffset: 30, segmentId: output.segmentId }] })
    t.match(head1, { logStartOffset: 30, extents: [] })
    t.same(await liveCounts(catalog), new Map())
    t.match(await catalog.liveSegments({ level: 1, limit: 10 }), [{ liveExtentCount: 1 }])
  })

  await onCatalog(t, open, 'a swap of which nothing is wanted any more leaves only dead', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const inputs = [await commitAt(catalog, topicId, [0], 10)]
    const output = await outputOf(catalog, inputs)
    await catalog.deleteTopic(topicId)
    t.same(await catalog.swapSegments({ inputs, output }, LIMITS), { swapped: true })
    t.same(
      new Set((await catalog.deadSegments(0, 10)).map(({ segmentId }) => segmentId)),
      new Set([...inputs, output.segmentId]),
    )
    const kept = await createTestTopic(catalog, 'kept')
    const expired = await commitAt(catalog, kept.topicId, [0], 10)
    t.same(await catalog.swapSegments({ inputs: [expired], output: undefined }, LIMITS), {
      swapped: false,
      code: 'INPUTS_CHANGED',
    })
    await catalog.advanceLogStarts([{ topicId: kept.topicId, partition: 0, offset: 10 }])
    t.same(await catalog.swapSegments({ inputs: [expired], output: undefined }, LIMITS), { swapped: true })
    t.same(await liveCounts(catalog), new Map())
    t.match(await catalog.clearDeletedTopic(topicId, 10), { done: true })
  })

  await onCatalog(t, open, 'a swap whose plan has a hole or whose output is old is refused', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const inputs = [await commitAt(catalog, topicId, [0, 1], 10), await commitAt(catalog, topicId, [0], 10)]
    const output = await outputOf(catalog, inputs)
    const before = await readLog(catalog, topicId, 0)
    const partial = { ...output, extents: output.extents.slice(1) }
    t.same(await catalog.swapSegments({ inputs, output: partial }, LIMITS), { swapped: false, code: 'INPUTS_CHANGED' })
    t.same(await catalog.swapSegments({ inputs, output }, { commitAgeMaxMs: -60_000 }), {
      swapped: false,
      code: 'SEGMENT_TOO_OLD',
    })
    t.same(await readLog(catalog, topicId, 0), before, 'and nothing happened')
    t.equal((await liveCounts(catalog)).size, 2)
    t.same(await catalog.deadSegments(0, 10), [])
  })

  await onCatalog(t, open, 'a partial swap replaces some extents and leaves the others', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const inputs = [await commitAt(catalog, topicId, [0, 1], 10), await commitAt(catalog, topicId, [0], 10)]
    const whole = await outputOf(catalog, inputs)
    const output = { ...whole, level: 100, extents: whole.extents.filter(({ partition }) => partition === 0) }
    t.same(await catalog.swapSegments({ inputs, output, partial: true }, LIMITS), { swapped: true })
    t.match(await readLog(catalog, topicId, 0), [
      { baseOffset: 0, endOffset: 20, segmentId: output.segmentId, level: 100 },
    ])
    t.match(await readLog(catalog, topicId, 1), [{ baseOffset: 0, endOffset: 10, segmentId: inputs[0] }])
    t.same(await liveCounts(catalog), new Map([[inputs[0], 1]]))
    t.match(await catalog.deadSegments(0, 10), [{ segmentId: inputs[1] }])
    t.same(await catalog.swapSegments({ inputs, output, partial: true }, LIMITS), { swapped: true }, 'again')
    const second = { inputs, output: { ...output, ...identity() }, partial: true }
    t.same(await catalog.swapSegments(second, LIMITS), { swapped: false, code: 'INPUTS_CHANGED' })
    // Two outputs may share an input extent, where what went has moved the bounds.
    const third = await commitAt(catalog, topicId, [1], 10)
    const next = await outputOf(catalog, [inputs[0]!, third])
    const [extent] = next.extents
    const halves = [
      { ...extent!, endOffset: 7, replaces: extent!.replaces.slice(0, 1) },
      { ...extent!, baseOffset: 7 },
    ]
    const shared = { inputs: [inputs[0]!, third], output: { ...next, extents: halves }, partial: true }
    t.same(await catalog.swapSegments(shared, LIMITS), { swapped: true })
    t.match(await readLog(catalog, topicId, 1), [{ endOffset: 7 }, { baseOffset: 7, endOffset: 20 }])
    t.same(await liveCounts(catalog), new Map())
  })

  await onCatalog(t, open, 'of two swaps and a removal at once each extent goes once', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const third = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders', 4)
    for (let round = 0; round < 4; round++) {
      const inputs: string[] = []
      for (let count = 0; count < 3; count++) inputs.push(await commitAt(catalog, topicId, [0, 1, 2, 3], 1))
      const outputs = [await outputOf(catalog, inputs), await outputOf(catalog, inputs)]
      const cut = { topicId, partition: round, offset: 3 * round + 2 }
      await catalog.advanceLogStarts([cut])
      const gone = (await catalog.extentsOfSegments(inputs)).filter(({ wanted }) => !wanted)
      const [first, second] = await Promise.all([
        catalog.swapSegments({ inputs, output: outputs[0] }, LIMITS),
        other.swapSegments({ inputs: inputs.toReversed(), output: outputs[1] }, LIMITS),
        third.removeExtents(gone),
      ])
      t.equal([first, second].filter(({ swapped }) => swapped).length, 1, 'exactly one swap happened')
      const [head] = await catalog.oldestExtents([{ topicId, partition: round, extentCountMax: 100 }])
      t.equal(head?.extents.at(-1)?.endOffset, 3 * (round + 1))
    }
    const live = await catalog.liveSegments({ level: 1, limit: 100 })
    const extents = await catalog.extentsOfSegments(live.map(({ segmentId }) => segmentId))
    t.equal(
      live.reduce((sum, { liveExtentCount }) => sum + liveExtentCount, 0),
      extents.length,
      'counts are true',
    )
    t.same(await liveCounts(catalog), new Map())
  })

  await onCatalog(t, open, 'readers beside swaps see the whole log at any time', async (t, catalog, fixture) => {
    const reader = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders')
    const inputs: string[] = []
    for (let round = 0; round < 24; round++) inputs.push(await commitAt(catalog, topicId, [0], 1))
    let working = true
    const reading = (async () => {
      let rounds = 0
      for (; working || rounds < 3; rounds++) await readLog(reader, topicId, 0)
      return rounds
    })()
    for (let start = 0; start < 24; start += 4) {
      const some = inputs.slice(start, start + 4)
      await catalog.swapSegments({ inputs: some, output: await outputOf(catalog, some) }, LIMITS)
    }
    working = false
    t.ok((await reading) >= 3)
    t.equal((await readLog(catalog, topicId, 0)).length, 6)
  })
}

const RANDOM = { bytes: (count: number) => randomBytes(count), fraction: Math.random }

function identity(): Pick<OutputSegment, 'segmentId' | 'objectKey'> {
  const segmentId = newSegmentId(Date.now(), RANDOM)
  return { segmentId, objectKey: segmentObjectKey(segmentId) }
}

/** What a merge of these segments would hand to the catalog: adjacent extents become one. */
async function outputOf(catalog: Catalog, inputs: readonly string[]): Promise<OutputSegment> {
  const extents = (await catalog.extentsOfSegments(inputs)).sort(
    (a, b) => a.partition - b.partition || a.baseOffset - b.baseOffset,
  )
  const groups: SegmentExtent[][] = []
  for (const extent of extents) {
    const last = groups.at(-1)?.at(-1)
    if (last?.partition === extent.partition && last.endOffset === extent.baseOffset) groups.at(-1)?.push(extent)
    else groups.push([extent])
  }
  return {
    ...identity(),
    objectBytes: 10_000,
    level: 1,
    extents: groups.map((group, index) => ({
      topicId: group[0]!.topicId,
      partition: group[0]!.partition,
      baseOffset: group[0]!.baseOffset,
      endOffset: group.at(-1)!.endOffset,
      position: 48 + index * 500,
      bytes: 500,
      batchSkipCount: 0,
      batchCount: group.reduce((count, { batchCount }) => count + batchCount, 0),
      maxTimestampMs: Math.max(...group.map(({ maxTimestampMs }) => maxTimestampMs)),
      replaces: group.map(({ topicId, partition, endOffset, segmentId }) => ({
        topicId,
        partition,
        endOffset,
        segmentId,
      })),
    })),
  }
}
