import knexModule, { type Knex } from 'knex'
import type { SqlitePlace } from './catalog-url.js'
import type { Dialect, Failure, TableDefinition } from './dialect.js'
import { LibsqlClient, type LibsqlDatabase, replaceIfBusy } from './libsql-client.js'
import { insertBound } from './libsql-rows.js'
import type { BulkInsert } from './sql-text.js'

const { knex } = knexModule

/** SQLite in a file that agents of one machine may share, or in memory for one process. */
export class SqliteDialect implements Dialect {
  readonly name = 'sqlite'
  readonly nowMs = "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"
  /** Takes the write lock at once: a transaction that reads first and writes later could not be saved from a conflict. */
  readonly begin = 'BEGIN IMMEDIATE'
  /** The write lock covers all rows. */
  readonly lockRows = ''
  readonly onPrimaryKey = ''
  readonly statementBytesMax = 1024 * 1024
  readonly joinsStatements = false
  readonly transactionalDdl = true
  readonly types = {
    uuid: 'BLOB',
    blob: 'BLOB',
    shortBlob: 'BLOB',
    pageBlob: 'BLOB',
    text: 'TEXT',
    name: 'TEXT',
    utf8: 'BLOB',
  }
  readonly #place: SqlitePlace

  constructor(place: SqlitePlace) {
    this.#place = place
  }

  textOfHex(hex: string): string {
    return `CAST(x'${hex}' AS TEXT)`
  }

  createTable({ name, columns, primaryKey, uniques = [], indexes = {} }: TableDefinition): string[] {
    const parts = [...columns, `PRIMARY KEY (${primaryKey})`, ...uniques.map((unique) => `UNIQUE (${unique})`)]
    return [
      `CREATE TABLE IF NOT EXISTS ${name} (${parts.join(', ')}) WITHOUT ROWID`,
      ...Object.entries(indexes).map(
        ([index, indexColumns]) => `CREATE INDEX IF NOT EXISTS ${index} ON ${name} (${indexColumns})`,
      ),
    ]
  }

  findIndex(table: string, index: string): string {
    return `SELECT 1 AS found FROM sqlite_master WHERE type = 'index' AND tbl_name = '${table}' AND name = '${index}'`
  }

  dropIndex(_table: string, index: string): string {
    return `DROP INDEX ${index}`
  }

  findColumn(table: string, column: string): string {
    return `SELECT 1 AS found FROM pragma_table_info('${table}') WHERE name = '${column}'`
  }

  insertIgnore(table: string, columns: readonly string[], tuples: readonly string[]): string {
    return `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES ${tuples.join(', ')}`
  }

  onConflictReplace(keys: readonly string[], columns: readonly string[]): string {
    const assignments = columns.map((column) => `${column} = excluded.${column}`)
    return ` ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${assignments.join(', ')}`
  }

  insertRows(connection: unknown, insert: BulkInsert): void {
    try {
      insertBound(connection as LibsqlDatabase, insert)
    } catch (error) {
      replaceIfBusy(connection as LibsqlDatabase, error)
      throw error
    }
  }

  unionPart(select: string): string {
    return `SELECT * FROM (${select})`
  }

  /** DELETE knows no LIMIT here. */
  deleteSome(table: string, key: string, where: string, orderBy: string, limit: string): string {
    const chosen = `SELECT ${key} FROM ${table} WHERE ${where} ORDER BY ${orderBy} LIMIT ${limit}`
    return `DELETE FROM ${table} WHERE ${key} IN (${chosen})`
  }

  deleteByIndex(table: string, _index: string, where: string): string {
    return `DELETE FROM ${table} WHERE ${where}`
  }

  answersOf(answer: unknown): readonly unknown[] {
    return [answer]
  }

  rowsOf(answer: unknown): readonly Record<string, unknown>[] {
    return answer as Record<string, unknown>[]
  }

  matchedOf(answer: unknown): number {
    return (answer as { changes: number }).changes
  }

  failureOf(error: unknown): Failure {
    const { code = 'no code', message = '' } = error as { code?: string; message?: string }
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return { kind: 'conflict', text: code }
    if (/^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)/.test(code)) return { kind: 'duplicate-key', text: code }
    if (/no such table/.test(message)) return { kind: 'table-missing', text: 'a table is missing' }
    if (/^SQLITE_(AUTH|PERM|READONLY|NOTADB)/.test(code)) return { kind: 'denied', text: code }
    if (/^SQLITE_(IOERR|FULL|CANTOPEN|CORRUPT|NOMEM|PROTOCOL)/.test(code)) return { kind: 'unavailable', text: code }
    if (code.startsWith('E') && /^E[A-Z]+$/.test(code)) return { kind: 'unavailable', text: code }
    return { kind: 'refused', text: code }
  }

  /** A transaction that could not be rolled back has been ended by SQLite itself; a connection cannot get lost. */
  discard(connection: unknown): void {
    const database = connection as LibsqlDatabase
    if (database.inTransaction) database.exec('ROLLBACK')
  }

  openKnex(): Knex {
    return knex({
      client: LibsqlClient as unknown as typeof Knex.Client,
      compileSqlOnError: false,
      useNullAsDefault: true,
      log: { warn() {}, error() {}, debug() {}, deprecate() {} },
      connection: { filename: this.#place.filename },
      // One: the driver is synchronous, and a database in memory lives and dies with its connection.
      pool: { min: 1, max: 1, acquireTimeoutMillis: 60_000 },
    })
  }
}
