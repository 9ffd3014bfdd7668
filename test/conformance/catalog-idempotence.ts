import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { commitBlocks, createTestTopic, sequencedBatch } from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

const SEQUENCE_MAX = 2 ** 31 - 1

export async function idempotenceCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'producer ids are handed out once', async (t, catalog, fixture) => {
    const agents = await Promise.all([fixture.connect(), fixture.connect(), catalog])
    const counts = Array.from({ length: 24 }, (_, index) => 1 + (index % 5))
    const firsts = await Promise.all(counts.map((count, index) => agents[index % 3]!.allocateProducerIds(count)))
    const ids = firsts.flatMap((first, index) => Array.from({ length: counts[index]! }, (_, next) => first + next))
    t.equal(new Set(ids).size, ids.length)
    t.ok(ids.every((id) => Number.isSafeInteger(id) && id >= 0))
  })

  await onCatalog(t, open, 'sequences are judged across commits and agents', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const agents = [catalog, await fixture.connect()]
    let turn = 0
    const send = async (...batches: ReturnType<typeof sequencedBatch>[]) =>
      (await commitBlocks(agents[turn++ % 2]!, { topicId, partition: 0, batches })).join()

    t.equal(await send(sequencedBatch(1, 0, 10)), 'accepted@0')
    t.equal(await send(sequencedBatch(1, 0, 10)), 'duplicate@0')
    t.equal(await send(sequencedBatch(1, 11, 10)), 'SEQUENCE_GAP')
    for (let index = 1; index < 7; index++)
      t.equal(await send(sequencedBatch(1, index * 10, 10)), `accepted@${index * 10}`)
    t.equal(await send(sequencedBatch(1, 20, 10)), 'duplicate@20', 'the fifth from the end')
    t.equal(await send(sequencedBatch(1, 10, 10)), 'SEQUENCE_DUPLICATE', 'older than the window')
    t.equal(await send(sequencedBatch(1, 70, 1, 1)), 'SEQUENCE_GAP', 'a new epoch starts at 0')
    t.equal(await send(sequencedBatch(1, 0, 1, 1)), 'accepted@70')
    t.equal(await send(sequencedBatch(1, 60, 10, 0)), 'PRODUCER_EPOCH_FENCED')
    t.equal(await send(sequencedBatch(1, 0, 1, 1), sequencedBatch(1, 1, 1, 1)), 'duplicate@70,accepted@71')
  })

  await onCatalog(t, open, 'sequences wrap', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const send = (...batches: ReturnType<typeof sequencedBatch>[]) =>
      commitBlocks(catalog, { topicId, partition: 0, batches })
    t.same(await send(sequencedBatch(1, SEQUENCE_MAX - 5, 5)), ['accepted@0'])
    t.same(await send(sequencedBatch(1, SEQUENCE_MAX, 4)), ['accepted@5'])
    t.same(await send(sequencedBatch(1, SEQUENCE_MAX, 4), sequencedBatch(1, 3)), ['duplicate@5', 'accepted@9'])
    t.same(await send(sequencedBatch(1, SEQUENCE_MAX - 5, 5)), ['duplicate@0'])
    t.same(await send(sequencedBatch(1, 5)), ['SEQUENCE_GAP'])
  })

  await onCatalog(t, open, 'producers are forgotten when they have been silent', async (t, catalog) => {
    const { topicId } = await createTestTopic(catalog, 'orders', 3)
    const blocks = [0, 1, 2].map((partition) => ({ topicId, partition, batches: [sequencedBatch(1, 0, 10)] }))
    await commitBlocks(catalog, ...blocks)
    t.equal(await catalog.expireProducers(60_000, 100), 0)
    await sleep(300)
    const usedAtMs = performance.now()
    await commitBlocks(catalog, { topicId, partition: 2, batches: [sequencedBatch(1, 10, 10)] })
    // Between the two ages, however slow the machine is.
    const olderThanMs = () => Math.round(performance.now() - usedAtMs) + 150
    t.equal(await catalog.expireProducers(olderThanMs(), 1), 1, 'no more than asked for')
    t.equal(await catalog.expireProducers(olderThanMs(), 100), 1, 'but not the one that was used')
    const [, , kept] = await commitBlocks(catalog, ...blocks)
    t.equal(kept, 'duplicate@0')
    await sleep(20)
    t.equal(await catalog.expireProducers(10, 100), 3)
    t.same(
      await commitBlocks(catalog, { topicId, partition: 2, batches: [sequencedBatch(1, 500)] }),
      ['accepted@20'],
      'any sequence is welcome then',
    )
  })
}
