import t, { type Test } from 'tap'
import type { Database } from '../../../adapters/catalog/database.js'
import { fileWhere } from '../../../adapters/catalog/extent-filing.js'
import { extentRow, extentsInsert } from '../../../adapters/catalog/extent-rows.js'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { migrate } from '../../../adapters/catalog/migrate.js'
import { partitionNumber } from '../../../adapters/catalog/partition-numbers.js'
import { pageNumberOf, slotOf, withPartitions, writePartition } from '../../../adapters/catalog/partition-page.js'
import { replacePages } from '../../../adapters/catalog/partition-rows.js'
import { MIGRATIONS } from '../../../adapters/catalog/schema.js'
import { SqlCatalog } from '../../../adapters/catalog/sql-catalog.js'
import { intOf, uuid, uuidHex } from '../../../adapters/catalog/sql-text.js'
import type { SegmentId } from '../../../engine/model.js'
import { onBothDatabases, openDatabase } from '../../support/catalog-databases.js'
import {
  type BlockSpec,
  commitSegment,
  createTestTopic,
  LIMITS,
  plainBatch,
  readLog,
  sequencedBatch,
} from '../../support/commit-segments.js'
import { startMariadb } from '../../support/mariadb.js'
import { SeededRandom } from '../../support/virtual-clock.js'

const server = await startMariadb()
t.teardown(() => server.stop())

interface World {
  readonly url: string
  readonly catalog: SqlCatalog
  readonly database: Database
}

const onBothUrls = onBothDatabases(t, server)

function onBoth(name: string, body: (t: Test, world: World) => Promise<void>): Promise<void> {
  return onBothUrls(name, async (t, url) => {
    const [catalog, database] = [openCatalog(url), openDatabase(url)]
    await catalog.migrate()
    await body(t, { url, catalog, database }).finally(() => Promise.all([catalog.close(), database.close()]))
  })
}

async function rowCounts(database: Database): Promise<{ readonly recent: number; readonly filed: number }> {
  const count = async (table: string) => {
    const rows = await database.read((session) => session.rows(`SELECT COUNT(*) AS row_count FROM ${table}`))
    return intOf(rows[0] ?? {}, 'row_count')
  }
  return { recent: await count('recent_extents'), filed: await count('extents') }
}

const PARTITION_COUNT = 40

await onBoth('where an extent lies makes no difference to who reads', async (t, { catalog, database }) => {
  const random = new SeededRandom(11)
  const below = (count: number) => Math.floor(random.fraction() * count)
  const topics = [await createTestTopic(catalog, 'a', PARTITION_COUNT), await createTestTopic(catalog, 'b', 1)]
  const partitions = topics.flatMap(({ topicId, partitionCount }) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topicId, partition })),
  )
  const segmentIds: SegmentId[] = []
  const sequences = new Map<number, number>()
  const blocks = (): BlockSpec[] =>
    partitions
      .filter(() => below(5) === 0)
      .map((partition, index) => {
        const number = partitions.indexOf(partition)
        const sequence = sequences.get(number) ?? 0
        sequences.set(number, sequence + 1)
        // The second one is refused, so that a block has two extents.
        const batches = [sequencedBatch(number, sequence), sequencedBatch(number, sequence + 5)]
        return { ...partition, batches: [...batches, plainBatch(1 + below(3), below(1000) + index)] }
      })
  const readAll = async () => {
    const heads = await catalog.partitionOffsets(partitions)
    const everywhere = partitions.flatMap((partition, index) => {
      const { logStartOffset = 0, highWatermark = 0 } = heads[index] ?? {}
      const offsets = [logStartOffset, logStartOffset + below(Math.max(1, highWatermark - logStartOffset))]
      return offsets.map((offset) => ({
        ...partition,
        offset,
        bytesMax: 1 + below(2000),
        extentCountMax: 1 + below(50),
      }))
    })
    const times = partitions.map((partition) => ({ ...partition, timestampMs: below(1100) }))
    const oldest = partitions.map((partition) => ({ ...partition, extentCountMax: 1 + below(30) }))
    return async () => ({
      found: await catalog.findExtents(everywhere),
      byTimestamp: await catalog.findExtentsByTimestamp(times),
      byMaxTimestamp: await catalog.findExtentsByMaxTimestamp(partitions),
      oldest: await catalog.oldestExtents(oldest),
      sizes: await catalog.partitionSizes(partitions),
      uses: await catalog.liveUseOf(segmentIds),
      ofSegments: (await catalog.extentsOfSegments(segmentIds)).sort(
        (a, b) => a.topicId.localeCompare(b.topicId) || a.partition - b.partition || a.endOffset - b.endOffset,
      ),
    })
  }
  for (let round = 0; round < 6; round++) {
    for (let commits = 1 + below(6); commits > 0; commits--) {
      const segments = Array.from({ length: 1 + below(2) }, () => commitSegment(blocks()))
      await catalog.commit(segments, LIMITS)
      segmentIds.push(...segments.map(({ segmentId }) => segmentId))
    }
    await catalog.advanceLogStarts([{ ...partitions[below(partitions.length)]!, offset: 1 + below(10) }])
    await catalog.filingSettled()
    const read = await readAll()
    const { recent } = await rowCounts(database)
    const before = await read()
    await fileWhere(database, '1 = 1', below(4) === 0 ? 1 : 100)
    const after = await read()
    t.same(after, before, `round ${round}, ${recent} rows of recent extents`)
  }
  const { recent, filed } = await rowCounts(database)
  t.ok(filed > 100 && recent < 20, `${filed} rows filed, ${recent} left`)
})

await onBoth('a page is filed again and again, and its readers never miss an extent', async (t, world) => {
  const { url, catalog, database } = world
  const { topicId } = await createTestTopic(catalog, 'orders', 20)
  const reader = openCatalog(url)
  let writing = true
  let readCount = 0
  const reading = (async () => {
    // `readLog` throws where the extents are not adjacent.
    for (; writing; readCount++) {
      for (const partition of [0, 7, 19]) await readLog(reader, topicId, partition)
      // The driver of SQLite is synchronous: without a turn of the event loop nobody else would have one.
      await new Promise(setImmediate)
    }
  })()
  let mostRecent = 0
  for (let commit = 0; commit < 100; commit++) {
    const written = Array.from({ length: 20 }, (_, partition) => ({ topicId, partition, batches: [plainBatch()] }))
    await catalog.commit([commitSegment(written)], LIMITS)
    if (commit % 10 === 0) mostRecent = Math.max(mostRecent, (await rowCounts(database)).recent)
  }
  writing = false
  await reading.finally(() => reader.close())
  await catalog.filingSettled()
  const { recent, filed } = await rowCounts(database)
  t.ok(mostRecent <= 2 * 66, `at most ${mostRecent} rows of two pages were recent at a time`)
  t.ok(recent < 64 && filed >= 100 * 20 - 64 * 16, `${recent} recent, ${filed} filed after ${readCount} readings`)
  for (let partition = 0; partition < 20; partition++) {
    t.equal((await readLog(catalog, topicId, partition)).length, 100)
  }
})

await onBoth('what an agent leaves unfiled, the next one files', async (t, { url, catalog, database }) => {
  const { topicId } = await createTestTopic(catalog, 'orders')
  for (let agent = 0; agent < 5; agent++) {
    const started = openCatalog(url)
    for (let commit = 0; commit < 3; commit++)
      await started.commit([commitSegment([{ topicId, partition: 0, batches: [plainBatch()] }])], LIMITS)
    await started.filingSettled()
    await started.close()
    const { recent } = await rowCounts(database)
    t.ok(recent <= 3, `${recent} rows are left`)
  }
  t.equal((await readLog(catalog, topicId, 0)).length, 15)
})

await onBoth('many file the same pages at once', async (t, { url, catalog, database }) => {
  const { topicId } = await createTestTopic(catalog, 'orders', 64)
  const agents = Array.from({ length: 3 }, () => openCatalog(url))
  const commits = agents.map(async (agent) => {
    for (let commit = 0; commit < 20; commit++) {
      const written = Array.from({ length: 64 }, (_, partition) => ({ topicId, partition, batches: [plainBatch()] }))
      await agent.commit([commitSegment(written)], LIMITS)
    }
  })
  const filers = [1, 2, 3].map(async () => {
    for (let pass = 0; pass < 10; pass++) await fileWhere(database, '1 = 1')
  })
  await Promise.all([...commits, ...filers])
  await Promise.all(agents.map((agent) => agent.close()))
  await fileWhere(database, '1 = 1')
  t.same(await rowCounts(database), { recent: 0, filed: 3 * 20 * 64 })
  for (const partition of [0, 40, 63]) t.equal((await readLog(catalog, topicId, partition)).length, 60)
})

await onBothUrls(
  'a catalog from before recent extents is read on, and agents from then change nothing',
  async (t, url) => {
    const database = openDatabase(url)
    await migrate(
      database,
      MIGRATIONS.filter(({ version }) => version <= 10),
    )
    const catalog = new SqlCatalog(database, 'before')
    const { topicId } = await createTestTopic(catalog, 'orders')
    const [topic] = await database.read((session) => session.rows('SELECT topic_no FROM topics'))
    const partitionNo = partitionNumber(intOf(topic ?? {}, 'topic_no'), 0)
    const { segmentId } = commitSegment([])
    const insertAsBefore = (id: SegmentId) =>
      database.change((session) =>
        session.run(
          `INSERT INTO segments (segment_id, object_key, object_bytes, level, state, live_extents, committed_at_ms, outcome)
         VALUES (${uuid(id)}, 'key', 100, 0, 1, 1, 0, x'')`,
        ),
      )
    await insertAsBefore(segmentId)
    const page = withPartitions(undefined, 1)
    writePartition(page, slotOf(partitionNo), { logStartOffset: 0, highWatermark: 7, maxTimestampMs: 1 })
    const range = { baseOffset: 0, endOffset: 7 }
    const place = { ...range, position: 32, bytes: 100, batchSkipCount: 0, batchCount: 1, maxTimestampMs: 1 }
    await database.change(async (session) => {
      await replacePages(database.dialect, session, new Map([[pageNumberOf(partitionNo), page]]))
      await session.insertRows(extentsInsert([extentRow(partitionNo, uuidHex(segmentId), place, 1)]))
    })

    await catalog.migrate()
    await catalog.commit([commitSegment([{ topicId, partition: 0, batches: [plainBatch(3)] }])], LIMITS)
    t.match(await readLog(catalog, topicId, 0), [place, { baseOffset: 7, endOffset: 10 }])
    t.equal((await catalog.liveSegments({ level: 0, limit: 10 })).length, 2)
    await t.rejects(insertAsBefore(commitSegment([]).segmentId), { message: /refused a statement/ })
    await catalog.close()
  },
)
