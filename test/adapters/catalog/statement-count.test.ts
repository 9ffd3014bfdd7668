import type { Knex } from 'knex'
import t, { type Test } from 'tap'
import { type MysqlPlace, parseCatalogUrl, type SqlitePlace } from '../../../adapters/catalog/catalog-url.js'
import { Database } from '../../../adapters/catalog/database.js'
import { MysqlDialect } from '../../../adapters/catalog/mysql-dialect.js'
import { SqlCatalog } from '../../../adapters/catalog/sql-catalog.js'
import { SqliteDialect } from '../../../adapters/catalog/sqlite-dialect.js'
import { commitSegment, createTestTopic, LIMITS, plainBatch, sequencedBatch } from '../../support/commit-segments.js'
import { startMariadb } from '../../support/mariadb.js'

/** Messages with statements that a dialect's connections were sent. */
let statements: string[] = []

function counted(knex: Knex): Knex {
  return knex.on('query', ({ sql }: { readonly sql: string }) => statements.push(sql))
}

class CountedSqlite extends SqliteDialect {
  override openKnex(): Knex {
    return counted(super.openKnex())
  }
}

class CountedMysql extends MysqlDialect {
  override openKnex(): Knex {
    return counted(super.openKnex())
  }
}

function kindsOf(message: string): string {
  return message
    .split(';\n')
    .map((sql) => /^\w+( INTO \w+)?/.exec(sql.trim())?.[0])
    .join('; ')
}

const timeouts = { conflictRetryMs: 5000, statementTimeoutMs: 20_000 }

async function checkCounts(t: Test, database: Database): Promise<void> {
  const catalog = new SqlCatalog(database, 'counted')
  t.teardown(() => catalog.close())
  await catalog.migrate()
  const { topicId } = await createTestTopic(catalog, 'orders', 1500)
  const commit = async (partitionCount: number, sequence: number) => {
    const blocks = Array.from({ length: partitionCount }, (_, partition) => {
      return { topicId, partition, batches: [plainBatch(), sequencedBatch(partition % 9, sequence)] }
    })
    const segment = commitSegment(blocks)
    statements = []
    await catalog.commit([segment], LIMITS)
    const kinds = statements.map(kindsOf)
    await catalog.filingSettled()
    statements = []
    await catalog.commit([segment], LIMITS)
    return { kinds, repeatKinds: statements.map(kindsOf) }
  }
  const begin = database.dialect.begin.split(' ')[0] ?? ''
  const reads = ['SELECT', 'SELECT', 'SELECT']
  const writes = ['segments', 'recent_extents', 'partition_pages', 'producer_pages'].map(
    (table) => `INSERT INTO ${table}`,
  )
  const messages = (...parts: string[][]) =>
    database.dialect.joinsStatements ? parts.map((part) => part.join('; ')) : parts.flat()
  for (const [sequence, partitionCount] of [1, 20, 1500].entries()) {
    const { kinds, repeatKinds } = await commit(partitionCount, sequence)
    t.same(kinds, messages([begin, ...reads], writes, ['COMMIT']), `a commit to ${partitionCount} partitions`)
    t.same(repeatKinds, messages([begin, ...reads], ['COMMIT']), 'its repeat')
  }
  statements = []
  const requests = Array.from({ length: 150 }, (_, partition) => {
    return { topicId, partition, offset: 0, bytesMax: 1, extentCountMax: 10 }
  })
  await catalog.findExtents(requests)
  t.equal(statements.length, 2, 'extents of 150 partitions')

  const claimed = await catalog.claimGroup('readers', { create: true })
  for (const partitionCount of [1, 20, 1500]) {
    const offsets = Array.from({ length: partitionCount }, (_, partition) => {
      return { topicId, partition, offset: 1, leaderEpoch: -1, metadata: '' }
    })
    statements = []
    await catalog.commitGroupOffsets(claimed!.claim, offsets)
    t.equal(
      statements.length,
      database.dialect.joinsStatements ? 4 : 5,
      `offsets of ${partitionCount} partitions committed`,
    )
    statements = []
    await catalog.readGroupOffsets('readers', offsets)
    t.equal(statements.length, 2, `offsets of ${partitionCount} partitions read`)
  }
}

t.test('the number of statements does not grow with the partitions: SQLite', async (t) => {
  const place = parseCatalogUrl('sqlite::memory:') as SqlitePlace
  await checkCounts(t, new Database(new CountedSqlite(place), { location: place.location, ...timeouts }))
})

t.test('the number of statements does not grow with the partitions: MySQL', async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  const place = parseCatalogUrl(server.url) as MysqlPlace
  await checkCounts(t, new Database(new CountedMysql(place, 2), { location: place.location, ...timeouts }))
})
