import type { Test } from 'tap'
import { parseCatalogUrl } from '../../adapters/catalog/catalog-url.js'
import { Database } from '../../adapters/catalog/database.js'
import { MysqlDialect } from '../../adapters/catalog/mysql-dialect.js'
import { SqliteDialect } from '../../adapters/catalog/sqlite-dialect.js'
import { sqliteFileFixture } from './catalog-fixtures.js'

/** The database of a catalog, for tests of what lies in its tables. */
export function openDatabase(url: string): Database {
  const place = parseCatalogUrl(url)
  const dialect = place.kind === 'sqlite' ? new SqliteDialect(place) : new MysqlDialect(place, 4)
  return new Database(dialect, { location: place.location, conflictRetryMs: 15_000, statementTimeoutMs: 20_000 })
}

export type OnBoth = (name: string, body: (t: Test, url: string) => Promise<void>) => Promise<void>

/** Runs a test on an empty file of SQLite, and in an empty database of the server. */
export function onBothDatabases(t: Test, server: { freshDatabase(): Promise<string> }): OnBoth {
  return async (name, body) => {
    await t.test(`${name}: SQLite`, async (t) => {
      const fixture = await sqliteFileFixture()
      await body(t, fixture.url).finally(() => fixture.close())
    })
    await t.test(`${name}: MySQL`, async (t) => body(t, await server.freshDatabase()))
  }
}
