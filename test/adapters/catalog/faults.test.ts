import t, { type Test } from 'tap'
import { openCatalog } from '../../../adapters/catalog/index.js'
import type { SqlCatalog } from '../../../adapters/catalog/sql-catalog.js'
import type { HeadraceError } from '../../../engine/errors.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import {
  commitSegment,
  createTestTopic,
  LIMITS,
  plainBatch,
  readLog,
  sequencedBatch,
  shortOutcomes,
} from '../../support/commit-segments.js'
import { startMariadb } from '../../support/mariadb.js'
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js'

const server = await startMariadb()
t.teardown(() => server.stop())

interface World {
  readonly proxy: TcpProxy
  /** Through the proxy. */
  readonly catalog: SqlCatalog
  /** Past it. */
  readonly witness: Catalog
  readonly topicId: string
}

async function inWorld(
  test: string,
  body: (t: Test, world: World) => Promise<void>,
  options = { statementTimeoutMs: 20_000 },
): Promise<void> {
  await t.test(test, async (t) => {
    const proxy = await startTcpProxy({ targetPort: server.port, targetHost: server.host })
    const url = new URL(await server.freshDatabase())
    const witness = openCatalog(url.href)
    url.host = `127.0.0.1:${proxy.port}`
    const catalog = openCatalog(url.href, options)
    try {
      // Past the proxy, and with all the time that changes of tables take on a busy machine.
      await witness.migrate()
      const { topicId } = await createTestTopic(witness, 'orders', 3)
      await body(t, { proxy, catalog, witness, topicId })
    } finally {
      proxy.accept()
      proxy.resume()
      await Promise.all([catalog.close(), witness.close()])
      await proxy.stop()
    }
  })
}

for (const [name, lose] of [
  ['the answer of a COMMIT', (proxy: TcpProxy) => proxy.loseNextCommitAnswer()],
  ['a COMMIT', (proxy: TcpProxy) => proxy.loseNextCommit()],
] as const) {
  await inWorld(
    `${name} is lost: the outcome is unknown, and the repeat tells it`,
    async (t, { proxy, catalog, witness, topicId }) => {
      for (let round = 0; round < 5; round++) {
        const group = [
          commitSegment([{ topicId, partition: round % 3, batches: [plainBatch(2), sequencedBatch(1, 0)] }]),
          commitSegment([{ topicId, partition: 0, batches: [plainBatch(3)] }]),
        ]
        // It commits, too.
        await catalog.filingSettled()
        lose(proxy)
        await t.rejects(catalog.commit(group, LIMITS), { code: 'CATALOG_OUTCOME_UNKNOWN', retry: 'unknown' })
        t.equal(proxy.lostCount, round + 1)
        const outcomes = await catalog.commit(group, LIMITS)
        t.ok(outcomes.every(({ committed }) => committed))
        t.same(await witness.commit(group, LIMITS), outcomes, 'the first outcome stands')
        await readLog(witness, topicId, round % 3)
      }
      const extents = await readLog(witness, topicId, 0)
      const batchCount = extents.reduce((count, extent) => count + extent.batchCount, 0)
      t.equal(batchCount, 5 + 2 + 1, 'every batch once, the repeated sequence not at all')
    },
  )

  await inWorld(`${name} is lost: other changes say so, too`, async (t, { proxy, catalog, witness, topicId }) => {
    const unknown = { code: 'CATALOG_OUTCOME_UNKNOWN', retry: 'unknown' }
    const topic = { topicId: '0b5d4c3a-9e57-4a4f-8d2c-3b4a6f1c9a2e', name: 'late', partitionCount: 1, configs: {} }
    lose(proxy)
    await t.rejects(catalog.createTopic(topic), unknown)
    t.same(await catalog.createTopic(topic), topic, 'creating the same topic again is safe')
    lose(proxy)
    await t.rejects(catalog.allocateProducerIds(10), unknown)
    t.type(await catalog.allocateProducerIds(10), 'number')
    const listeners = [{ name: 'default', host: 'h', port: 1 }]
    const agent = { instanceId: 'an-agent', host: 'h', port: 1, listeners, zone: null, expiryMs: 60_000 }
    lose(proxy)
    await t.rejects(catalog.registerAgent(agent), unknown)
    const nodeId = await catalog.registerAgent(agent)
    t.match(await witness.listAgents(60_000), [{ nodeId, instanceId: 'an-agent' }])
    lose(proxy)
    await t.rejects(catalog.deleteTopic(topicId), unknown)
  })

  await inWorld(
    `${name} is lost: what groups write can be repeated`,
    async (t, { proxy, catalog, witness, topicId }) => {
      const unknown = { code: 'CATALOG_OUTCOME_UNKNOWN', retry: 'unknown' }
      lose(proxy)
      await t.rejects(catalog.claimGroup('readers', { create: true }), unknown)
      const claimed = await catalog.claimGroup('readers', { create: true })
      const { claim } = claimed!
      const group = { protocolType: 'consumer', state: 'Stable', record: Uint8Array.of(1, 2, 3) }
      lose(proxy)
      await t.rejects(catalog.saveGroup(claim, group), unknown)
      await catalog.saveGroup(claim, group)
      const committed = { topicId, partition: 1, offset: 7, leaderEpoch: -1, metadata: 'm' }
      lose(proxy)
      await t.rejects(catalog.commitGroupOffsets(claim, [committed]), unknown)
      t.same(await catalog.commitGroupOffsets(claim, [committed]), [true])
      t.same(await witness.readGroupOffsets('readers'), [committed])
      const taken = await witness.claimGroup('readers', { create: false })
      t.same(taken?.group, group)
      await t.rejects(catalog.commitGroupOffsets(claim, [committed]), { code: 'NOT_COORDINATOR' })
      lose(proxy)
      await t.rejects(catalog.deleteGroup(taken!.claim), unknown)
      await catalog.deleteGroup(taken!.claim)
      t.same(await witness.listGroups(), [])
    },
  )
}

await inWorld(
  'a connection that is lost before the COMMIT has surely had no effect',
  async (t, { proxy, catalog, witness, topicId }) => {
    const unavailable = { code: 'CATALOG_UNAVAILABLE', retry: 'safe' }
    const segment = commitSegment([{ topicId, partition: 0, batches: [plainBatch()] }])
    proxy.refuse()
    proxy.cut()
    await t.rejects(catalog.commit([segment], LIMITS), unavailable)
    await t.rejects(catalog.ping(), unavailable)
    await t.rejects(
      catalog.findExtents([{ topicId, partition: 0, offset: 0, bytesMax: 1, extentCountMax: 1 }]),
      unavailable,
    )
    proxy.accept()
    t.same(shortOutcomes((await catalog.commit([segment], LIMITS))[0]), ['accepted@0'], 'and it comes back by itself')

    // Cut in the middle of a transaction, while it waits for a row that another one holds.
    const results: Promise<unknown>[] = []
    for (let round = 0; round < 20; round++) {
      const next = commitSegment([{ topicId, partition: 1, batches: [plainBatch()] }])
      results.push(
        catalog.commit([next], LIMITS).then(
          () => undefined,
          (error: HeadraceError) => ({ error, next }),
        ),
      )
      if (round === 10) setTimeout(() => proxy.cut(), 1)
    }
    for (const failed of (await Promise.all(results)) as (
      | { error: HeadraceError; next: ReturnType<typeof commitSegment> }
      | undefined
    )[]) {
      if (!failed) continue
      t.ok(['CATALOG_UNAVAILABLE', 'CATALOG_OUTCOME_UNKNOWN'].includes(failed.error.code), failed.error.message)
      const [outcome] = await witness.commit([failed.next], LIMITS)
      t.ok(outcome?.committed)
    }
    const extents = await readLog(witness, topicId, 1)
    t.equal(extents.at(-1)?.endOffset, 20, 'each of them once')
  },
)

await inWorld(
  'a server that does not answer counts as lost after the statement timeout',
  async (t, { proxy, catalog, witness, topicId }) => {
    proxy.pause()
    const segment = commitSegment([{ topicId, partition: 0, batches: [plainBatch()] }])
    await t.rejects(catalog.commit([segment], LIMITS), { code: 'CATALOG_UNAVAILABLE', retry: 'safe' })
    await t.rejects(catalog.ping(), { code: 'CATALOG_UNAVAILABLE' })
    proxy.resume()
    t.same(shortOutcomes((await catalog.commit([segment], LIMITS))[0]), ['accepted@0'])
    t.equal((await readLog(witness, topicId, 0)).length, 1)
  },
  { statementTimeoutMs: 2_000 },
)

t.test('errors name the place, and neither user nor password', async (t) => {
  const url = new URL(server.url)
  url.username = 'some-user'
  url.password = 'some-secret'
  const wrong = [url.href, url.href.replace(`:${url.port}/`, ':1/')]
  for (const href of wrong) {
    const catalog = openCatalog(href)
    t.notMatch(catalog.location, /some-user|some-secret/)
    const error = await catalog.migrate().then(
      () => undefined,
      (error: HeadraceError) => error,
    )
    t.equal(error?.code, 'CATALOG_UNAVAILABLE')
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      t.notMatch(`${cause.message} ${JSON.stringify(cause)} ${cause.stack}`, /some-user|some-secret/)
    }
    await catalog.close()
  }
})
