import { parseCatalogUrl } from './catalog-url.js'
import { Database } from './database.js'
import { MysqlDialect } from './mysql-dialect.js'
import { SqlCatalog } from './sql-catalog.js'
import { SqliteDialect } from './sqlite-dialect.js'

export interface CatalogOptions {
  /** Connections to a MySQL-compatible server. SQLite has one. */
  readonly connectionCountMax?: number
  /** How long a change that conflicts with others is tried again before CATALOG_CONFLICT. */
  readonly conflictRetryMs?: number
  /** After this long without an answer the connection counts as lost. */
  readonly statementTimeoutMs?: number
}

/**
 * The catalog at `sqlite:///path/to/file`, `sqlite::memory:` or `mysql://user:password@host:3306/database`; MySQL URLs may
 * end in `?tls=true` and `&tls-ca=/path/to/ca.pem`. Connects with the first call; `migrate` comes first.
 *
 * @throws CONFIG_INVALID
 */
export function openCatalog(url: string, options: CatalogOptions = {}): SqlCatalog {
  const place = parseCatalogUrl(url)
  const dialect =
    place.kind === 'sqlite' ? new SqliteDialect(place) : new MysqlDialect(place, options.connectionCountMax ?? 8)
  const database = new Database(dialect, {
    location: place.location,
    conflictRetryMs: options.conflictRetryMs ?? 15_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 20_000,
  })
  return new SqlCatalog(database, place.location)
}
