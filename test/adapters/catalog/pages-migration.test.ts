import t, { type Test } from 'tap'
import type { Database } from '../../../adapters/catalog/database.js'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { migrate } from '../../../adapters/catalog/migrate.js'
import { encodeProducer } from '../../../adapters/catalog/producer-blob.js'
import { MIGRATIONS, type Migration } from '../../../adapters/catalog/schema.js'
import { blob, intOf } from '../../../adapters/catalog/sql-text.js'
import { onBothDatabases, openDatabase } from '../../support/catalog-databases.js'
import { commitBlocks, createTestTopic, plainBatch, sequencedBatch } from '../../support/commit-segments.js'
import { startMariadb } from '../../support/mariadb.js'

/** Catalogs of schema version 8, with a row for each partition and producer, become pages. */
const server = await startMariadb()
t.teardown(() => server.stop())

const TOPIC_ID = '0a8e2a5c-73a5-4b1c-9f3e-000000000001'
const TOPIC_NO = 5
const PARTITION_COUNT = 5000
const FIRST_NO = TOPIC_NO * 2 ** 20

const onBoth = onBothDatabases(t, server)

/** As an agent of version 8 left it: partition p ends at p + 1, and producers 7 and 9 have written to every second and third one. */
async function fillVersion8(database: Database): Promise<void> {
  await migrate(
    database,
    MIGRATIONS.filter(({ version }) => version <= 8),
  )
  const partitions = Array.from({ length: PARTITION_COUNT }, (_, index) => index)
  const state = (index: number) => {
    const batches = [{ baseSequence: 0, lastSequence: 4, baseOffset: index }]
    return blob(encodeProducer({ epoch: 2, sequenceCount: 5, batches }))
  }
  const key = (index: number, producerId: number) => {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64BE(BigInt(FIRST_NO + index))
    bytes.writeBigUInt64BE(BigInt(producerId), 8)
    return blob(bytes)
  }
  await database.change(async (session) => {
    const topic = ['topic_id', 'topic_no', 'live_name', 'name', 'partition_count', 'configs', 'created_at_ms']
    await session.run(
      `INSERT INTO topics (${topic.join(', ')}) VALUES (x'${TOPIC_ID.replaceAll('-', '')}', ${TOPIC_NO}, 'old', 'old', ${PARTITION_COUNT}, '{}', 0)`,
    )
    await session.run('UPDATE cluster_state SET next_topic_no = 6')
    await session.insert(
      'partitions',
      ['partition_no', 'log_start_offset', 'high_watermark', 'max_timestamp_ms'],
      partitions.map((index) => `(${FIRST_NO + index}, ${index % 2}, ${index + 1}, ${index % 3 === 0 ? -2 : 1000})`),
    )
    const now = Date.now()
    const rows = partitions.flatMap((index) => [
      ...(index % 2 === 0 ? [`(${key(index, 7)}, 2, ${state(index)}, ${now}, ${Math.floor(now / 60_000)})`] : []),
      ...(index % 3 === 0 ? [`(${key(index, 9)}, 2, ${state(index)}, ${now - index}, 1)`] : []),
    ])
    await session.insert('producers', ['producer_key', 'epoch', 'batches', 'updated_at_ms', 'updated_minute'], rows)
  })
}

async function checkPages(t: Test, url: string): Promise<void> {
  const catalog = openCatalog(url)
  await catalog.migrate()
  const places = Array.from({ length: PARTITION_COUNT + 1 }, (_, partition) => ({ topicId: TOPIC_ID, partition }))
  const offsets = await catalog.partitionOffsets(places)
  const wrong = offsets.findIndex((found, index) => {
    if (index === PARTITION_COUNT) return found !== undefined
    return found?.logStartOffset !== index % 2 || found.highWatermark !== index + 1
  })
  t.equal(wrong, -1, 'every partition is where it was')
  const producers = await catalog.listProducers(places.slice(0, 4), 10)
  t.same(
    producers.map((list) =>
      list?.map(({ producerId, producerEpoch, lastSequence }) => [producerId, producerEpoch, lastSequence]),
    ),
    [
      [
        [7, 2, 4],
        [9, 2, 4],
      ],
      [],
      [[7, 2, 4]],
      [[9, 2, 4]],
    ],
  )
  const last = PARTITION_COUNT - 2
  t.same(
    await commitBlocks(
      catalog,
      { topicId: TOPIC_ID, partition: last, batches: [sequencedBatch(7, 0, 5, 2), sequencedBatch(7, 5, 1, 2)] },
      { topicId: TOPIC_ID, partition: 1, batches: [sequencedBatch(7, 9, 1, 2), plainBatch()] },
    ),
    [`duplicate@${last}`, `accepted@${last + 1}`, 'accepted@2', 'accepted@3'],
  )
  const { topicId } = await createTestTopic(catalog, 'new')
  t.same(await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch()] }), ['accepted@0'])
  await catalog.close()
}

await onBoth('partitions and producers of version 8', async (t, url) => {
  const database = openDatabase(url)
  await fillVersion8(database)
  await checkPages(t, url)
  await t.rejects(
    database.read((session) => session.rows('SELECT * FROM partitions')),
    'the old tables are gone',
  )
  await database.close()
})

await onBoth('cut off after the pages were written', async (t, url) => {
  const database = openDatabase(url)
  await fillVersion8(database)
  const cutOff = MIGRATIONS.map((migration): Migration => {
    if (migration.version !== 9) return migration
    return {
      ...migration,
      rows: async (session, dialect) => {
        await migration.rows?.(session, dialect)
        throw new Error('cut off')
      },
    }
  })
  await t.rejects(migrate(database, cutOff), { message: 'cut off' })
  const [row] = await database.read((session) => session.rows('SELECT COUNT(*) AS n FROM partitions'))
  t.equal(intOf(row ?? {}, 'n'), PARTITION_COUNT)
  await migrate(
    database,
    MIGRATIONS.filter(({ version }) => version <= 9),
  )
  const [left] = await database.read((session) => session.rows('SELECT COUNT(*) AS n FROM partitions'))
  t.equal(intOf(left ?? {}, 'n'), 0, 'agents of the version before can commit nothing any more')
  await database.close()
  await checkPages(t, url)
})
