import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openThreadedCatalog } from '../../../adapters/catalog/threaded-catalog.js'
import { HeadraceError } from '../../../engine/errors.js'
import { catalogSuite } from '../../conformance/catalog.js'
import { threadedMemoryFixture } from '../../support/catalog-fixtures.js'

// Each case starts a thread, which takes a second: bytes, sets, functions and errors are in these.
t.test('SQLite in memory, in a thread of its own', (t) =>
  catalogSuite(t, threadedMemoryFixture, ['commitCases', 'careCases', 'groupCases']),
)

t.test('errors keep code, retry and cause between the threads', async (t) => {
  // A file where a directory should be.
  const catalog = openThreadedCatalog('sqlite:///dev/null/catalog.db')
  t.teardown(() => catalog.close())
  const error = await catalog.migrate().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof HeadraceError, String(error))
  t.match(error, { code: 'CATALOG_UNAVAILABLE', retry: 'safe', message: /dev.null/ })
  t.ok((error as Error).cause instanceof Error)
})

t.test('what refuses a change of configs reaches the caller as it was thrown', async (t) => {
  const catalog = openThreadedCatalog('sqlite::memory:')
  t.teardown(() => catalog.close())
  await catalog.migrate()
  const topic = await catalog.createTopic({ topicId: randomUUID(), name: 'orders', partitionCount: 1, configs: {} })
  const refusal = new HeadraceError('CONFIG_INVALID', 'never', 'no such config')
  const refused = catalog.updateTopicConfigs(topic.topicId, () => {
    throw refusal
  })
  t.equal(await refused.catch((error: unknown) => error), refusal)
  t.same((await catalog.updateTopicConfigs(topic.topicId, () => ({ 'retention.ms': '1' }))).configs, {
    'retention.ms': '1',
  })
})

t.test('a wrong address is refused at once, a closed catalog from then on', async (t) => {
  t.throws(() => openThreadedCatalog('oracle://nowhere'), { code: 'CONFIG_INVALID' })
  const catalog = openThreadedCatalog('sqlite::memory:')
  t.equal(catalog.location, 'sqlite::memory:')
  await catalog.migrate()
  await Promise.all([catalog.close(), catalog.close()])
  await t.rejects(catalog.ping(), { code: 'CATALOG_UNAVAILABLE' })
})
