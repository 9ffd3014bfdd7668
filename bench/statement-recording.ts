import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import mysql from 'mysql2/promise'
import { parseCatalogUrl } from '../adapters/catalog/catalog-url.js'
import { Database } from '../adapters/catalog/database.js'
import type { LibsqlDatabase } from '../adapters/catalog/libsql-client.js'
import { insertBound } from '../adapters/catalog/libsql-rows.js'
import { MysqlDialect } from '../adapters/catalog/mysql-dialect.js'
import { SqlCatalog } from '../adapters/catalog/sql-catalog.js'
import type { BulkInsert } from '../adapters/catalog/sql-text.js'
import { SqliteDialect } from '../adapters/catalog/sqlite-dialect.js'

/**
 * What a catalog sends to its database, and the same sent again to a second database by the bare driver. Statements carry all
 * their values, so a second database that began the same goes through the same states: what the driver and the
 * database need for them is the limit of a catalog that sends them.
 */
export interface Statement {
  readonly sql: string
  readonly bindings?: readonly unknown[]
  /** Of a bulk insert with values bound; `sql` is its beginning. */
  readonly insert?: BulkInsert
}

export interface RecordedCatalog {
  readonly catalog: SqlCatalog
  /** What was sent since the last call. */
  take(): readonly Statement[]
}

export function openRecorded(url: string): RecordedCatalog {
  let statements: Statement[] = []
  const recorded = (knex: Knex) => knex.on('query', (query: Statement) => statements.push(copyOf(query)))
  class RecordedSqlite extends SqliteDialect {
    override openKnex(): Knex {
      return recorded(super.openKnex())
    }
  }
  class RecordedMysql extends MysqlDialect {
    override openKnex(): Knex {
      return recorded(super.openKnex())
    }
  }
  const place = parseCatalogUrl(url)
  const dialect = place.kind === 'sqlite' ? new RecordedSqlite(place) : new RecordedMysql(place, 8)
  const options = { location: place.location, conflictRetryMs: 15_000, statementTimeoutMs: 60_000 }
  const take = () => {
    const taken = statements
    statements = []
    return taken
  }
  return { catalog: new SqlCatalog(new Database(dialect, options), place.location), take }
}

function copyOf({ sql, bindings, insert }: Statement): Statement {
  if (insert) return { sql, insert }
  return bindings && bindings.length > 0 ? { sql, bindings: [...bindings] } : { sql }
}

export interface BareDriver {
  replay(statements: readonly Statement[]): Promise<void>
  close(): Promise<void>
}

export function openBareDriver(url: string): Promise<BareDriver> {
  const place = parseCatalogUrl(url)
  return place.kind === 'sqlite' ? Promise.resolve(bareSqlite(place.filename)) : bareMysql(url)
}

interface Libsql {
  exec(sql: string): void
  prepare(sql: string): {
    readonly reader: boolean
    all(values: readonly unknown[]): unknown
    run(values: readonly unknown[]): unknown
  }
  close(): void
}

function bareSqlite(filename: string): BareDriver {
  const Libsql = createRequire(import.meta.url)('libsql') as new (filename: string) => Libsql
  const database = new Libsql(filename)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  return {
    replay: async (statements) => {
      for (const { sql, bindings = [], insert } of statements) {
        if (insert) {
          insertBound(database as unknown as LibsqlDatabase, insert)
          continue
        }
        if (/^(BEGIN|COMMIT|ROLLBACK)\b/.test(sql)) {
          database.exec(sql)
          continue
        }
        const statement = database.prepare(sql)
        if (statement.reader) statement.all(bindings)
        else statement.run(bindings)
      }
    },
    close: async () => database.close(),
  }
}

async function bareMysql(url: string): Promise<BareDriver> {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true })
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')
  return {
    replay: async (statements) => {
      for (const { sql, bindings } of statements) {
        // With null the driver does not search the text for places.
        await connection.query(sql, (bindings ?? null) as unknown[])
      }
    },
    close: () => connection.end(),
  }
}
