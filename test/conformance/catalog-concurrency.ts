import type { Test } from 'tap'
import type { Catalog, SegmentOutcome } from '../../engine/ports/catalog.js'
import {
  commitSegment,
  createTestTopic,
  LIMITS,
  plainBatch,
  readLog,
  sequencedBatch,
  shortOutcomes,
} from '../support/commit-segments.js'
import { type OpenFixture, onCatalog } from './catalog.js'

const PARTITIONS = 6

export async function concurrencyCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(
    t,
    open,
    'committers at once leave no hole, no overlap, no lost batch',
    async (t, catalog, fixture) => {
      const { topicId } = await createTestTopic(catalog, 'busy', PARTITIONS)
      const agents = [catalog, await fixture.connect(), await fixture.connect()]
      const written = new Array<number>(PARTITIONS).fill(0)
      const seen = new Set<string>()
      const commitSome = async (agent: Catalog, seed: number) => {
        for (let round = 0; round < 15; round++) {
          // Other partitions, in other orders, every time: whoever locks in the order given would meet a deadlock.
          const partitions = [seed, seed + round, seed * 3 + round * 5, round].map((number) => number % PARTITIONS)
          const blocks = partitions.map((partition, index) => {
            return { topicId, partition, batches: [plainBatch(index + 1), plainBatch(1)] }
          })
          const segments = [commitSegment(blocks), commitSegment([...blocks].reverse())]
          for (const [index, outcome] of (await agent.commit(segments, LIMITS)).entries()) {
            const order = index === 0 ? blocks : [...blocks].reverse()
            const placed = order.flatMap(({ partition, batches }) => batches.map((batch) => ({ partition, batch })))
            for (const [place, text] of shortOutcomes(outcome).entries()) {
              const { partition, batch } = placed[place]!
              if (!text.startsWith('accepted@')) throw new Error(`a plain batch was ${text}`)
              seen.add(`${partition} ${text}`)
              written[partition]! += batch.offsetCount
            }
          }
        }
      }
      // Two at a time per agent: several connections of one pool, too.
      await Promise.all([...agents, ...agents].map((agent, index) => commitSome(agent, index)))
      t.equal(seen.size, 6 * 15 * 2 * 4 * 2, 'no offset was given twice')
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const extents = await readLog(catalog, topicId, partition)
        t.equal(extents.at(-1)?.endOffset, written[partition], `partition ${partition} is dense and complete`)
      }
    },
  )

  await onCatalog(t, open, 'the same segment committed by several at once counts once', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const agents = [catalog, await fixture.connect(), await fixture.connect()]
    for (let round = 0; round < 5; round++) {
      const segments = [
        commitSegment([{ topicId, partition: 0, batches: [plainBatch(2)] }]),
        commitSegment([{ topicId, partition: 99, batches: [plainBatch()] }]),
        commitSegment([]),
      ]
      for (const segment of segments) {
        const outcomes = await Promise.all(agents.map((agent) => agent.commit([segment], LIMITS)))
        t.same(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size, 1)
      }
    }
    t.equal((await readLog(catalog, topicId, 0)).at(-1)?.endOffset, 10)
  })

  await onCatalog(t, open, 'a retry that reaches another agent is stored once', async (t, catalog, fixture) => {
    const { topicId } = await createTestTopic(catalog, 'orders')
    const agents = [catalog, await fixture.connect()]
    for (let sequence = 0; sequence < 20; sequence++) {
      const block = { topicId, partition: 0, batches: [sequencedBatch(1, sequence)] }
      const outcomes = await Promise.all(agents.map((agent) => agent.commit([commitSegment([block])], LIMITS)))
      const texts = outcomes.flatMap(([outcome]: SegmentOutcome[]) => shortOutcomes(outcome)).sort()
      t.same(texts, [`accepted@${sequence}`, `duplicate@${sequence}`])
    }
    t.equal((await readLog(catalog, topicId, 0)).length, 20)
  })

  await onCatalog(t, open, 'deleting a topic under commits leaves nothing half done', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const { topicId } = await createTestTopic(catalog, 'orders', 2)
    const results: string[] = []
    const commits = (async () => {
      for (let round = 0; round < 20; round++) {
        const blocks = [0, 1].map((partition) => ({ topicId, partition, batches: [sequencedBatch(1, round)] }))
        const [outcome] = await other.commit([commitSegment(blocks)], LIMITS)
        results.push(shortOutcomes(outcome).join())
        if (round === 5) void catalog.deleteTopic(topicId).catch((error) => t.fail(String(error)))
      }
    })()
    await commits
    const refused = results.filter((text) => text === 'PARTITION_UNKNOWN,PARTITION_UNKNOWN').length
    t.ok(refused > 0)
    t.same(
      results.slice(0, 20 - refused),
      Array.from({ length: 20 - refused }, (_, round) => `accepted@${round},accepted@${round}`),
    )
  })

  await onCatalog(t, open, 'closing is idempotent, and nothing works after it', async (t, catalog) => {
    await Promise.all([catalog.close(), catalog.close()])
    await catalog.close()
    await t.rejects(catalog.ping())
    await t.rejects(catalog.commit([commitSegment([])], LIMITS))
  })
}
