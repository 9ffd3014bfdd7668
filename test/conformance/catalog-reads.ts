import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Catalog } from '../../engine/ports/catalog.js'
import {
  BLOCK_BYTES,
  commitBlocks,
  commitSegment,
  createTestTopic,
  LIMITS,
  plainBatch,
} from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

export async function readCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'extents from an offset on, within the limits', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    await fill(catalog, topicId, 40)
    const find = async (offset: number, bytesMax: number, extentCountMax: number) => {
      const [answer] = await catalog.findExtents([{ topicId, partition: 0, offset, bytesMax, extentCountMax }])
      t.match(answer, { logStartOffset: 0, highWatermark: 120 })
      return answer?.extents.map(({ baseOffset, endOffset }) => `${baseOffset}-${endOffset}`)
    }
    t.same(await find(0, 1, 10), ['0-3'], 'at least one')
    t.same(await find(2, 1, 10), ['0-3'], 'the one that contains the offset')
    t.same(await find(3, BLOCK_BYTES, 10), ['3-6'], 'and ends where the next one begins')
    t.same(await find(4, BLOCK_BYTES + 1, 10), ['3-6', '6-9'], 'until the bytes are reached')
    t.same(await find(4, 1e9, 3), ['3-6', '6-9', '9-12'], 'or the count')
    t.same(await find(115, 1e9, 10), ['114-117', '117-120'], 'or the end')
    t.equal((await find(0, 1e9, 1000))?.length, 40, 'more than one round')
    t.equal((await find(0, BLOCK_BYTES * 30, 1000))?.length, 30, 'more than one round, cut by bytes')
    t.same(await find(120, 1e9, 10), [], 'at the high watermark')
    t.same(await find(121, 1e9, 10), [], 'beyond')
    t.same(await find(-1, 1e9, 10), [], 'before the start')
  })

  await onCatalog(t, open, 'many partitions in one call', async (t, catalog) => {
    const partitionCount = 700
    const { topicId } = await createTestTopic(catalog, 'wide', partitionCount)
    const blocks = Array.from({ length: partitionCount }, (_, partition) => {
      return { topicId, partition, batches: [plainBatch(partition + 1)] }
    })
    await commitBlocks(catalog, ...blocks)
    const requests = blocks.map(({ partition }) => {
      return { topicId, partition: partition + 1, offset: partition % 2, bytesMax: 1, extentCountMax: 5 }
    })
    const strange = { topicId: randomUUID(), partition: 0, offset: 0, bytesMax: 1, extentCountMax: 5 }
    const answers = await catalog.findExtents([...requests, strange, requests[0]!])
    t.equal(answers.length, partitionCount + 2)
    t.same(answers[partitionCount - 1], undefined, 'no such partition')
    t.same(answers[partitionCount], undefined, 'no such topic')
    t.same(answers[partitionCount + 1], answers[0], 'asked for twice')
    const right = answers.slice(0, partitionCount - 1).every((answer, index) => {
      const extent = answer?.extents[0]
      return answer?.highWatermark === index + 2 && extent?.partition === index + 1 && extent.endOffset === index + 2
    })
    t.ok(right)
    const timed = await catalog.findExtentsByTimestamp(requests.map((request) => ({ ...request, timestampMs: 5 })))
    t.same(timed.filter((extent) => extent === undefined).length, 1)
    t.same(await catalog.findExtents([]), [])
    t.same(await catalog.partitionOffsets([]), [])
  })

  await onCatalog(t, open, 'extents by timestamp', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    for (const timestampMs of [100, 300, 200, 300, 50, 400]) {
      await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch(1, timestampMs)] })
    }
    const find = async (timestampMs: number, partition = 0) => {
      const [extent] = await catalog.findExtentsByTimestamp([{ topicId, partition, timestampMs }])
      return extent?.baseOffset
    }
    t.equal(await find(0), 0)
    t.equal(await find(100), 0)
    t.equal(await find(101), 1)
    t.equal(await find(300), 1)
    t.equal(await find(301), 5)
    t.equal(await find(400), 5)
    t.equal(await find(401), undefined)
    t.equal(await find(0, 1), undefined, 'an empty partition')
    t.equal(await find(0, 2), undefined, 'no partition')
    t.same(
      (
        await catalog.findExtentsByTimestamp(
          [1, 999, 250].map((timestampMs) => ({ topicId, partition: 0, timestampMs })),
        )
      ).map((extent) => extent?.baseOffset),
      [0, undefined, 1],
    )
  })

  await onCatalog(t, open, 'extents by timestamp in long logs', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    const extentCount = 1200
    // Grows, with a bad clock now and then.
    const timeOf = (index: number) => (index % 97 === 5 ? index * 10 + 700 : index * 10 + ((index * 7) % 5))
    const times = Array.from({ length: extentCount }, (_, index) => timeOf(index))
    const segments = times.map((timestampMs, index) =>
      commitSegment([
        { topicId, partition: 0, batches: [plainBatch(1, timestampMs)] },
        { topicId, partition: 1, batches: [plainBatch(index === 3 ? 5000 : 2, timestampMs)] },
      ]),
    )
    await catalog.commit(segments, LIMITS)
    const wanted = [-1, 0, 51, 699, 751, 1_720, 5_000, 7_003, 11_000, 11_989, 11_996, 12_400, 12_405, 99_999]
    const requests = wanted.flatMap((timestampMs) =>
      [0, 1, 2].map((partition) => ({ topicId, partition, timestampMs })),
    )
    const check = async (logStart: number, what: string) => {
      const answers = await catalog.findExtentsByTimestamp(requests)
      for (const [place, { partition, timestampMs }] of requests.entries()) {
        const index = times.findIndex((time, index) => index >= logStart && time >= timestampMs)
        const endOffset = index < 0 || partition === 2 ? undefined : endOf(partition, index)
        if (answers[place]?.endOffset !== endOffset) {
          t.equal(answers[place]?.endOffset, endOffset, `${what}: partition ${partition} from ${timestampMs} on`)
        }
      }
      const rest = times.slice(logStart)
      const last = logStart + rest.indexOf(Math.max(...rest))
      const greatest = await catalog.findExtentsByMaxTimestamp([0, 1].map((partition) => ({ topicId, partition })))
      t.same(
        greatest.map((extent) => extent?.endOffset),
        [endOf(0, last), endOf(1, last)],
        what,
      )
    }
    const endOf = (partition: number, index: number) =>
      partition === 0 ? index + 1 : 2 * (index + 1) + (index >= 3 ? 4998 : 0)
    await check(0, 'whole')
    for (const logStart of [1, 490, 1172]) {
      const starts = [0, 1].map((partition) => ({ topicId, partition, offset: endOf(partition, logStart - 1) }))
      await catalog.advanceLogStarts(starts)
      await check(logStart, `from extent ${logStart} on, those before still there`)
      const removed = segments
        .slice(0, logStart)
        .flatMap(({ segmentId }, index) =>
          [0, 1].map((partition) => ({ topicId, partition, endOffset: endOf(partition, index), segmentId })),
        )
      await catalog.removeExtents(removed)
      await check(logStart, `from extent ${logStart} on`)
    }
  })

  await onCatalog(t, open, 'the extent with the greatest timestamp, the earliest of equals', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    for (const timestampMs of [100, 300, 200, 300]) {
      await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch(1, timestampMs)] })
    }
    await commitBlocks(catalog, { topicId, partition: 1, batches: [plainBatch(1, -1)] })
    const partitions = [0, 1, 2, 3].map((partition) => ({ topicId, partition }))
    const extents = await catalog.findExtentsByMaxTimestamp(partitions)
    t.same(
      extents.map((extent) => extent?.baseOffset),
      [1, 0, undefined, undefined],
    )
  })

  await onCatalog(t, open, 'offsets and extents are one picture while others commit', async (t, catalog, fixture) => {
    const writer = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders')
    let writing = true
    const writes = (async () => {
      for (let round = 0; round < 60; round++) {
        await commitBlocks(writer, { topicId, partition: 0, batches: [plainBatch(2)] })
      }
      writing = false
    })()
    let pictures = 0
    while (writing) {
      const request = { topicId, partition: 0, offset: 0, bytesMax: 1e9, extentCountMax: 1000 }
      const [answer] = await catalog.findExtents([request])
      const end = answer?.extents.at(-1)?.endOffset ?? 0
      if (end !== answer?.highWatermark) t.fail(`extents end at ${end}, the partition at ${answer?.highWatermark}`)
      pictures++
    }
    await writes
    t.ok(pictures > 0)
  })
}

/** So many extents of three records each. */
async function fill(catalog: Catalog, topicId: string, extentCount: number): Promise<void> {
  const segments = Array.from({ length: extentCount }, () =>
    commitSegment([{ topicId, partition: 0, batches: [plainBatch(2), plainBatch(1)] }]),
  )
  await catalog.commit(segments, LIMITS)
}
