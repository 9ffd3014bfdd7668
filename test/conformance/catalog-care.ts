import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { HeadraceError } from '../../engine/errors.js'
import {
  BLOCK_BYTES,
  commitBlocks,
  createTestTopic,
  plainBatch,
  readLog,
  sequencedBatch,
} from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

export async function careCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'configs are updated one change after the other', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders')
    const add = (from: typeof catalog, name: string) =>
      from.updateTopicConfigs(topicId, (configs) => ({ ...configs, [name]: `'${name}"` }))
    t.match(await add(catalog, 'first'), { topicId, name: 'orders', configs: { first: `'first"` } })
    const names = Array.from({ length: 10 }, (_, number) => `c${number}`)
    await Promise.all(names.map((name, number) => add(number % 2 === 0 ? catalog : other, name)))
    const [topic] = await other.topicsById([topicId])
    t.same(Object.keys(topic?.configs ?? {}).sort(), [...names, 'first'])

    const refusal = new HeadraceError('CONFIG_INVALID', 'never', 'no')
    const refuse = () => {
      throw refusal
    }
    await t.rejects(catalog.updateTopicConfigs(topicId, refuse), refusal)
    t.same(await catalog.topicsById([topicId]), [topic], 'as it was')
    t.same((await catalog.updateTopicConfigs(topicId, () => ({}))).configs, {})
    await t.rejects(
      catalog.updateTopicConfigs(randomUUID(), (configs) => configs),
      { code: 'TOPIC_UNKNOWN' },
    )
  })

  await onCatalog(t, open, 'partitions are added, never removed', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    await commitBlocks(catalog, { topicId, partition: 1, batches: [plainBatch(3)] })
    t.same(await commitBlocks(other, { topicId, partition: 4, batches: [plainBatch()] }), ['PARTITION_UNKNOWN'])
    t.match(await catalog.addPartitions(topicId, 5), { topicId, name: 'orders', partitionCount: 5 })
    t.match(await other.topicsById([topicId]), [{ partitionCount: 5 }])
    t.same(await commitBlocks(other, { topicId, partition: 4, batches: [plainBatch()] }), ['accepted@0'])
    t.equal((await readLog(other, topicId, 1)).length, 1)
    for (const count of [5, 4, 1]) {
      await t.rejects(catalog.addPartitions(topicId, count), { code: 'PARTITION_COUNT_INVALID' })
    }
    const results = await Promise.allSettled([catalog.addPartitions(topicId, 7), other.addPartitions(topicId, 7)])
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    const assigned = await catalog.addPartitions(topicId, 9, [[3, 1], [2]])
    t.same(assigned.assignment, [[], [], [], [], [], [], [], [3, 1], [2]], 'nodes of the new ones alone are known')
    t.same((await catalog.addPartitions(topicId, 10)).assignment, assigned.assignment)
    t.same(await other.topicsById([topicId]), [{ ...assigned, partitionCount: 10 }])
    await catalog.deleteTopic(topicId)
    const shaped = { topicId: randomUUID(), name: 'shaped', partitionCount: 2, configs: {}, assignment: [[1, 2], [5]] }
    t.same(await catalog.createTopic(shaped), shaped)
    t.same(await other.topicsByName(['shaped']), [shaped])
    t.same(await other.updateTopicConfigs(shaped.topicId, (configs) => configs), shaped)
    await t.rejects(catalog.addPartitions(topicId, 11), { code: 'TOPIC_UNKNOWN' })
  })

  await onCatalog(t, open, 'log starts move forward, to the high watermark at most', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    for (const timestampMs of [100, 400, 200]) {
      await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch(3, timestampMs)] })
    }
    const place = { topicId, partition: 0 }
    const move = async (offset: number | 'high-watermark') =>
      (await catalog.advanceLogStarts([{ ...place, offset }]))[0]
    t.same(await move(10), { logStartOffset: 0, highWatermark: 9 }, 'beyond the end')
    t.same(await move(-1), { logStartOffset: 0, highWatermark: 9 })
    t.same(await move(4), { logStartOffset: 4, highWatermark: 9 }, 'inside an extent')
    t.same(await move(3), { logStartOffset: 4, highWatermark: 9 }, 'never back')

    const find = async (offset: number) => {
      const [answer] = await other.findExtents([{ ...place, offset, bytesMax: 1e9, extentCountMax: 10 }])
      return [answer?.logStartOffset, answer?.extents.map(({ baseOffset }) => baseOffset)]
    }
    t.same(await find(0), [4, []], 'extents below it are not there any more, whether removed or not')
    t.same(await find(3), [4, []])
    t.same(await find(4), [4, [3, 6]])
    t.same(await other.partitionOffsets([place]), [{ logStartOffset: 4, highWatermark: 9 }])
    const byTime = async (timestampMs: number) =>
      (await other.findExtentsByTimestamp([{ ...place, timestampMs }]))[0]?.baseOffset
    t.same([await byTime(0), await byTime(300)], [3, 3])
    t.same(await catalog.partitionSizes([place]), [2 * BLOCK_BYTES])

    t.same(await move('high-watermark'), { logStartOffset: 9, highWatermark: 9 })
    t.same(await find(9), [9, []])
    t.same([await byTime(0), await byTime(200)], [undefined, undefined])
    t.same(await other.findExtentsByMaxTimestamp([place]), [undefined])
    t.same(await commitBlocks(other, { ...place, batches: [plainBatch(2)] }), ['accepted@9'], 'offsets go on')
    t.same(await find(9), [9, [9]])

    const many = [
      { ...place, offset: 10 },
      { topicId, partition: 1, offset: 'high-watermark' as const },
    ]
    const strange = [
      { topicId, partition: 2, offset: 0 },
      { topicId: randomUUID(), partition: 0, offset: 0 },
    ]
    t.same(await catalog.advanceLogStarts([...many, ...strange]), [
      { logStartOffset: 10, highWatermark: 11 },
      { logStartOffset: 0, highWatermark: 0 },
      undefined,
      undefined,
    ])
  })

  await onCatalog(t, open, 'a log start and commits at the same time', async (t, catalog, fixture) => {
    const writer = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders')
    const place = { topicId, partition: 0 }
    const writes = (async () => {
      for (let round = 0; round < 30; round++) await commitBlocks(writer, { ...place, batches: [plainBatch(2)] })
    })()
    let last = 0
    for (let round = 0; round < 30; round++) {
      const [now] = await catalog.advanceLogStarts([{ ...place, offset: 'high-watermark' }])
      if (now === undefined || now.logStartOffset < last || now.logStartOffset !== now.highWatermark)
        t.fail('moved back')
      last = now?.logStartOffset ?? 0
    }
    await writes
    t.match(await catalog.partitionOffsets([place]), [{ highWatermark: 60, logStartOffset: last }])
  })

  await onCatalog(t, open, 'sizes and producers', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    const blocks = [0, 1].map((partition) => ({
      topicId,
      partition,
      batches: [sequencedBatch(5 + partition, 0, 4, 2)],
    }))
    await commitBlocks(catalog, ...blocks)
    await commitBlocks(catalog, { topicId, partition: 0, batches: [sequencedBatch(5, 4, 1, 2), sequencedBatch(9, 7)] })
    const places = [0, 1, 2, 3].map((partition) => ({ topicId, partition }))
    const elsewhere = { topicId: randomUUID(), partition: 0 }
    t.same(await catalog.partitionSizes([...places, elsewhere, places[0]!]), [
      2 * BLOCK_BYTES,
      BLOCK_BYTES,
      0,
      undefined,
      undefined,
      2 * BLOCK_BYTES,
    ])
    // A refused batch between two accepted ones: two extents in one block.
    const split = [sequencedBatch(30, 0), sequencedBatch(30, 7), sequencedBatch(30, 1)]
    await commitBlocks(catalog, { topicId, partition: 2, batches: split })
    t.equal(
      (await catalog.findExtents([{ topicId, partition: 2, offset: 0, bytesMax: 1e6, extentCountMax: 9 }]))[0]?.extents
        .length,
      2,
    )
    t.same(await catalog.partitionSizes([places[2]!]), [BLOCK_BYTES], 'a shared block counts once')
    const [first, second, ...others] = await catalog.listProducers([...places, elsewhere], 10)
    t.match(first, [
      { producerId: 5, producerEpoch: 2, lastSequence: 4, usedAtMs: Number },
      { producerId: 9, producerEpoch: 0, lastSequence: 7 },
    ])
    t.match(second, [{ producerId: 6, producerEpoch: 2, lastSequence: 3 }])
    t.match(others, [[{ producerId: 30 }], undefined, undefined])
    t.equal((await catalog.listProducers(places, 1))[0]?.length, 1)
    t.same(await catalog.partitionSizes([]), [])
    t.same(await catalog.listProducers([], 1), [])
    t.same(await catalog.advanceLogStarts([]), [])
  })
}
