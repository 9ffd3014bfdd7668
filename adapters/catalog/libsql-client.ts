import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Knex } from 'knex'
import { makeDirectory } from '../make-directory.js'
import { SQLITE_MEMORY } from './catalog-url.js'

/**
 * knex's better-sqlite3 dialect on the `libsql` package, which has the same interface and comes prebuilt for every
 * platform, so that installing needs no compiler.
 */
const require = createRequire(import.meta.url)
const BetterSqliteClient = require('knex/lib/dialects/better-sqlite3/index.js') as BetterSqliteClientConstructor

/**
 * How long a call may stand still for another process' lock. The driver waits synchronously, so it is kept short;
 * who still finds the lock taken waits in `Database`, where the event loop goes on.
 */
const BUSY_WAIT_MS = 2
const OPEN_ATTEMPTS = 200
/**
 * Of new files; one that exists keeps its own. A commit writes each page that it changes to the log, and waits for that: where
 * the ends of many partitions' extents share pages, these are half as many.
 */
const PAGE_BYTES = 8192
const TRANSACTION_CONTROL = /^(BEGIN|COMMIT|ROLLBACK)\b/

export interface LibsqlDatabase {
  readonly inTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): LibsqlStatement
  close(): void
  /** knex does not hand out a connection that has this. */
  __knex__disposed?: unknown
}

export interface LibsqlStatement {
  run(values: readonly unknown[]): unknown
}

type LibsqlConstructor = new (filename: string, options: { readonly timeout: number }) => LibsqlDatabase

interface Query {
  readonly sql: string
  readonly bindings?: readonly unknown[]
  response?: unknown
}

interface BetterSqliteClient {
  query(connection: LibsqlDatabase, query: Query): Promise<Query>
  _query(connection: LibsqlDatabase, query: Query): Promise<Query>
  emit(event: 'query', query: Query): void
  readonly driver: LibsqlConstructor
  readonly connectionSettings: { readonly filename: string }
}

type BetterSqliteClientConstructor = new (config: Knex.Config) => BetterSqliteClient

export class LibsqlClient extends BetterSqliteClient {
  _driver(): LibsqlConstructor {
    return require('libsql') as LibsqlConstructor
  }

  async acquireRawConnection(): Promise<LibsqlDatabase> {
    const { filename } = this.connectionSettings
    if (filename !== SQLITE_MEMORY) makeDirectory(dirname(filename))
    const database = openFile(this.driver, filename)
    try {
      await prepare(database)
    } catch (error) {
      database.close()
      throw error
    }
    return database
  }

  /** knex prepares every text for its debug log, which is off: it searches bulk statements for percent signs, and copies them. */
  override query(connection: LibsqlDatabase, query: Query): Promise<Query> {
    if (query.bindings && query.bindings.length > 0) return super.query(connection, query)
    this.emit('query', query)
    return this._query(connection, query)
  }

  /**
   * A statement that met SQLITE_BUSY stays "in progress" until the garbage collector finds it, and no COMMIT succeeds beside it.
   * What begins and ends transactions therefore goes through `exec`, which leaves no statement behind; should any other
   * statement meet the lock, which needs a rare moment such as recovery, its connection is replaced.
   */
  override async _query(connection: LibsqlDatabase, query: Query): Promise<Query> {
    if (TRANSACTION_CONTROL.test(query.sql)) {
      connection.exec(query.sql)
      query.response = { changes: 0 }
      return query
    }
    try {
      return await super._query(connection, query)
    } catch (error) {
      replaceIfBusy(connection, error)
      throw error
    }
  }
}

/** The driver gives no code for a file that cannot be opened. */
function openFile(driver: LibsqlConstructor, filename: string): LibsqlDatabase {
  try {
    return new driver(filename, { timeout: BUSY_WAIT_MS })
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string }
    if (code !== '') throw error
    throw Object.assign(new Error(`${filename} cannot be opened: ${message}`, { cause: error }), {
      code: 'SQLITE_CANTOPEN',
    })
  }
}

export function replaceIfBusy(connection: LibsqlDatabase, error: unknown): void {
  if (isBusy(error)) connection.__knex__disposed = error
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test((error as { code?: string }).code ?? '')
}

/** Switching to WAL needs the file for itself for a moment; several agents may start at once. */
async function prepare(database: LibsqlDatabase): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
      database.exec('PRAGMA journal_mode = WAL')
      // The default of WAL mode, NORMAL, may lose the last commits when the machine loses power: they were acknowledged.
      database.exec('PRAGMA synchronous = FULL')
      return
    } catch (error) {
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
