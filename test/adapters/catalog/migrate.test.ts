import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { migrate } from '../../../adapters/catalog/migrate.js'
import { MIGRATIONS, type Migration } from '../../../adapters/catalog/schema.js'
import { intOf } from '../../../adapters/catalog/sql-text.js'
import { onBothDatabases, openDatabase } from '../../support/catalog-databases.js'
import { commitBlocks, createTestTopic, plainBatch } from '../../support/commit-segments.js'
import { startMariadb } from '../../support/mariadb.js'

const server = await startMariadb()
t.teardown(() => server.stop())

const onBoth = onBothDatabases(t, server)

const PROCESS = fileURLToPath(new URL('./migrate-process.js', import.meta.url))

/** Answers the cluster id that the process printed. */
function migrateInProcess(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROCESS], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MIGRATE_URL: url },
    })
    let [output, errors] = ['', '']
    child.stdout.on('data', (text) => {
      output += text
    })
    child.stderr.on('data', (text) => {
      errors += text
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve(output.trim()) : reject(new Error(`exit ${code}: ${errors}`))))
  })
}

await onBoth('five processes migrate at once', async (t, url) => {
  const clusterIds = await Promise.all([1, 2, 3, 4, 5].map(() => migrateInProcess(url)))
  t.equal(new Set(clusterIds).size, 1, 'all see one cluster')
  const catalog = openCatalog(url)
  t.equal(await catalog.clusterId(), clusterIds[0])
  const { topicId } = await createTestTopic(catalog, 'orders')
  t.same(await commitBlocks(catalog, { topicId, partition: 0, batches: [plainBatch()] }), ['accepted@0'])
  await catalog.close()
})

await onBoth('five instances migrate at once, from every earlier version', async (t, url) => {
  const runs: number[] = []
  const later: Migration[] = [
    ...MIGRATIONS,
    {
      version: 1001,
      tables: () => [{ name: 'later_table', columns: ['id INT NOT NULL'], primaryKey: 'id' }],
      rows: async (session) => {
        runs.push(1001)
        await session.run('INSERT INTO later_table (id) VALUES (1)')
      },
    },
    { version: 1002, rows: async () => void runs.push(1002) },
  ]
  const databases = [1, 2, 3, 4, 5].map(() => openDatabase(url))
  await Promise.all(databases.map((database) => migrate(database)))
  await Promise.all(databases.map((database) => migrate(database, later)))
  await Promise.all(databases.map((database) => migrate(database, later)))
  t.same(runs, [1001, 1002], 'each step once, in order')
  const rows = await databases[0]!.read((session) => session.rows('SELECT id FROM later_table'))
  t.same(
    rows.map((row) => intOf(row, 'id')),
    [1],
  )
  await Promise.all(databases.map((database) => database.close()))

  const old = openCatalog(url)
  await t.rejects(old.migrate(), { code: 'CATALOG_SCHEMA_MISMATCH', retry: 'never', message: /upgrade the agent/ })
  await old.close()
})

await onBoth('a migration that was cut off is finished by the next one', async (t, url) => {
  const database = openDatabase(url)
  let broken = true
  const breaking = MIGRATIONS.map((migration): Migration => {
    const rows: Migration['rows'] = async (session, dialect) => {
      await migration.rows?.(session, dialect)
      if (broken) throw new Error('cut off')
    }
    return { ...migration, rows }
  })
  await t.rejects(migrate(database, breaking), { message: 'cut off' })
  broken = false
  await migrate(database, breaking)
  const [row] = await database.read((session) => session.rows('SELECT COUNT(*) AS clusters FROM cluster_state'))
  t.equal(intOf(row ?? {}, 'clusters'), 1)
  await database.close()
})

await onBoth('using a catalog without its schema says so', async (t, url) => {
  const catalog = openCatalog(url)
  await t.rejects(catalog.clusterId(), { code: 'CATALOG_SCHEMA_MISMATCH' })
  await t.rejects(catalog.listTopics(), { code: 'CATALOG_SCHEMA_MISMATCH' })
  await catalog.close()
})
