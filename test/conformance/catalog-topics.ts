import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { commitBlocks, createTestTopic, plainBatch, readLog, sequencedBatch } from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

export async function topicCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'the cluster id is the same for all, and stays', async (t, catalog, fixture) => {
    const clusterId = await catalog.clusterId()
    t.match(clusterId, /^[A-Za-z0-9_-]{22}$/)
    const other = await fixture.connect()
    t.equal(await other.clusterId(), clusterId)
    await other.migrate()
    t.equal(await other.clusterId(), clusterId)
    await catalog.ping()
    t.type(catalog.location, 'string')
  })

  await onCatalog(t, open, 'topics are found by name and by id', async (t, catalog, fixture) => {
    const orders = { topicId: randomUUID(), name: 'orders', partitionCount: 3, configs: { 'retention.ms': '1000' } }
    const unusual = { topicId: randomUUID(), name: `${'x'.repeat(240)}._-Az9`, partitionCount: 1, configs: {} }
    t.same(await catalog.createTopic(orders), orders)
    await catalog.createTopic(unusual)
    const other = await fixture.connect()
    t.same(await other.topicsByName(['orders', 'nothing']), [orders])
    t.same(await other.topicsById([unusual.topicId, randomUUID()]), [unusual])
    t.same(await other.listTopics(), [orders, unusual])
    t.same(await other.topicsByName([]), [])
    t.same(await other.topicsById([]), [])
  })

  await onCatalog(t, open, 'names are compared byte by byte', async (t, catalog) => {
    await createTestTopic(catalog, 'Orders')
    await createTestTopic(catalog, 'orders')
    t.same(
      (await catalog.listTopics()).map(({ name }) => name),
      ['Orders', 'orders'],
    )
    const strangers = ['ORDERS', 'orders ', ' orders', 'órders', "o'rders", '\u{1f600}', 'orders\0', '%', 'order_', '']
    t.same(await catalog.topicsByName(strangers), [])
  })

  await onCatalog(t, open, 'a name is taken once', async (t, catalog, fixture) => {
    const first = await createTestTopic(catalog, 'orders')
    await t.rejects(createTestTopic(catalog, 'orders'), { code: 'TOPIC_EXISTS', retry: 'never' })
    t.same(await catalog.createTopic(first), first, 'the same topic again: a repeat after a lost answer')
    const others = await Promise.all([fixture.connect(), fixture.connect(), fixture.connect()])
    const results = await Promise.allSettled(others.map((other) => createTestTopic(other, 'contested', 5)))
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) if (result.status === 'rejected') t.equal(result.reason.code, 'TOPIC_EXISTS')
    const [contested] = await catalog.topicsByName(['contested'])
    const partitions = [0, 4, 5, -1, 2 ** 20].map((partition) => ({ topicId: String(contested?.topicId), partition }))
    const empty = { logStartOffset: 0, highWatermark: 0 }
    t.same(await catalog.partitionOffsets(partitions), [empty, empty, undefined, undefined, undefined])
  })

  await onCatalog(t, open, 'topics created at once do not share partitions', async (t, catalog, fixture) => {
    const agents = await Promise.all([fixture.connect(), fixture.connect()])
    const names = Array.from({ length: 8 }, (_, index) => `topic-${index}`)
    const topics = await Promise.all(names.map((name, index) => createTestTopic(agents[index % 2]!, name, 2)))
    for (const { topicId } of topics) await commitBlocks(catalog, { topicId, partition: 1, batches: [plainBatch(3)] })
    const offsets = await catalog.partitionOffsets(topics.map(({ topicId }) => ({ topicId, partition: 1 })))
    t.ok(offsets.every((offset) => offset?.highWatermark === 3))
  })

  await onCatalog(t, open, 'a deleted topic is gone at once', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const block = { topicId, partition: 0, batches: [plainBatch(), sequencedBatch(5, 100)] }
    await commitBlocks(other, block)
    await catalog.deleteTopic(topicId)
    await t.rejects(catalog.deleteTopic(topicId), { code: 'TOPIC_UNKNOWN' })
    await t.rejects(catalog.deleteTopic(randomUUID()), { code: 'TOPIC_UNKNOWN' })

    t.same(await other.topicsByName(['orders']), [])
    t.same(await other.topicsById([topicId]), [])
    t.same(await other.listTopics(), [])
    const place = { topicId, partition: 0 }
    t.same(await other.partitionOffsets([place]), [undefined])
    t.same(await other.findExtents([{ ...place, offset: 0, bytesMax: 1, extentCountMax: 1 }]), [undefined])
    t.same(await other.findExtentsByTimestamp([{ ...place, timestampMs: 0 }]), [undefined])
    t.same(await other.findExtentsByMaxTimestamp([place]), [undefined])
    t.same(await commitBlocks(other, block), ['PARTITION_UNKNOWN', 'PARTITION_UNKNOWN'])
  })

  await onCatalog(t, open, 'a topic created again starts empty', async (t, catalog) => {
    const first = await createTestTopic(catalog, 'orders')
    const blockOf = (topicId: string) => ({ topicId, partition: 0, batches: [sequencedBatch(5, 100), plainBatch()] })
    await commitBlocks(catalog, blockOf(first.topicId))
    await catalog.deleteTopic(first.topicId)
    const second = await createTestTopic(catalog, 'orders')
    t.same(await readLog(catalog, second.topicId, 0), [])
    t.same(await commitBlocks(catalog, blockOf(second.topicId)), ['accepted@0', 'accepted@1'])
    t.same(await commitBlocks(catalog, blockOf(first.topicId)), ['PARTITION_UNKNOWN', 'PARTITION_UNKNOWN'])
    t.equal((await readLog(catalog, second.topicId, 0)).length, 1)
  })
}
