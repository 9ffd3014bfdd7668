import t from 'tap'
import { parseCatalogUrl } from '../../../adapters/catalog/catalog-url.js'
import { Database } from '../../../adapters/catalog/database.js'
import { fileWhere } from '../../../adapters/catalog/extent-filing.js'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { SqliteDialect } from '../../../adapters/catalog/sqlite-dialect.js'
import { sqliteFileFixture } from '../../support/catalog-fixtures.js'
import { commitBlocks, createTestTopic, plainBatch } from '../../support/commit-segments.js'

/** What the reads answer once retention has moved the log start, before and after it removes the extents below. */
t.test('logs that no longer start at 0', async (t) => {
  const fixture = await sqliteFileFixture()
  const place = parseCatalogUrl(fixture.url)
  if (place.kind !== 'sqlite') throw new Error('not SQLite')
  const database = new Database(new SqliteDialect(place), {
    location: place.location,
    conflictRetryMs: 5000,
    statementTimeoutMs: 5000,
  })
  const catalog = openCatalog(fixture.url)
  t.teardown(async () => {
    await Promise.all([catalog.close(), database.close()])
    await fixture.close()
  })
  await catalog.migrate()
  const { topicId } = await createTestTopic(catalog, 'orders')
  // A producer with a bad clock comes first: its timestamp is the running maximum of all that follows.
  for (const timestampMs of [9000, 100, 300, 200, 300]) {
    await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch(10, timestampMs)] })
  }
  const find = async (offset: number) => {
    const request = { topicId, partition: 0, offset, bytesMax: 1e9, extentCountMax: 100 }
    const [answer] = await catalog.findExtents([request])
    t.match(answer, { logStartOffset: 10, highWatermark: 50 })
    return answer?.extents.map(({ baseOffset }) => baseOffset)
  }
  const byTimestamp = async (timestampMs: number) =>
    (await catalog.findExtentsByTimestamp([{ topicId, partition: 0, timestampMs }]))[0]?.baseOffset
  const byMax = async () => (await catalog.findExtentsByMaxTimestamp([{ topicId, partition: 0 }]))[0]?.baseOffset

  t.equal(await byTimestamp(200), 0)
  t.equal(await byMax(), 0)
  const checkAll = async () => {
    t.same(await find(0), [], 'below the log start')
    t.same(await find(10), [10, 20, 30, 40])
    t.same(await find(15), [10, 20, 30, 40])
    t.equal(await byTimestamp(0), 10)
    t.equal(await byTimestamp(200), 20)
    t.equal(await byTimestamp(300), 20)
    t.equal(await byTimestamp(301), undefined)
    t.equal(await byTimestamp(9000), undefined)
    t.equal(await byMax(), 20, 'the earliest of the greatest that are left')
  }
  await catalog.advanceLogStarts([{ topicId, partition: 0, offset: 10 }])
  await checkAll()
  await fileWhere(database, '1 = 1')
  await checkAll()
  await database.change((session) => session.run('DELETE FROM extents WHERE end_offset <= 10'))
  await checkAll()
  await database.change((session) => session.run('DELETE FROM extents'))
  t.equal(await byTimestamp(0), undefined)
  t.equal(await byMax(), undefined)
})
