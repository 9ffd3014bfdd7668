import type { Knex } from 'knex'
import type { BulkInsert } from './sql-text.js'

/**
 * Everything in which the databases differ. What is not here is the same SQL on all of them.
 */
export interface Dialect {
  readonly name: 'sqlite' | 'mysql'

  /** SQL expression: milliseconds since the Unix epoch by the database's clock, whatever the session's time zone. */
  readonly nowMs: string
  /** Begins a transaction that may write. */
  readonly begin: string
  /** UTF-8 bytes as hex digits, as a literal of text: beside literals of many kilobytes, where binding would search them. */
  textOfHex(hex: string): string
  /** Ends a SELECT whose rows are to stay locked until the transaction ends. */
  readonly lockRows: string
  /** Follows a table name to keep the optimizer on the primary key. */
  readonly onPrimaryKey: string
  /** Longest statement we send; bulk statements are cut below it. */
  readonly statementBytesMax: number
  /** Whether statements can travel together, so that they cost one round trip. */
  readonly joinsStatements: boolean
  /** Whether a transaction can contain CREATE TABLE. Where not, each such statement commits by itself. */
  readonly transactionalDdl: boolean

  readonly types: {
    readonly uuid: string
    readonly blob: string
    /** At most 255 bytes, stored with the row. */
    readonly shortBlob: string
    /** At most 4096 bytes, stored with the row. */
    readonly pageBlob: string
    readonly text: string
    /** Compared byte by byte. */
    readonly name: string
    /** UTF-8 text of at most 255 characters as bytes, so that case and trailing spaces count everywhere. */
    readonly utf8: string
  }

  /** One statement or several, each of which may be repeated. */
  createTable(table: TableDefinition): readonly string[]
  /** A query that answers a row if the index is there. */
  findIndex(table: string, index: string): string
  dropIndex(table: string, index: string): string
  /** A query that answers a row if the column is there. */
  findColumn(table: string, column: string): string
  /** `tuples` go into the table, except where their key is there already. */
  insertIgnore(table: string, columns: readonly string[], tuples: readonly string[]): string
  /** Ends an INSERT: where the key exists, `columns` take the new values. */
  onConflictReplace(keys: readonly string[], columns: readonly string[]): string
  /** Inserts at once and with values bound, where that is faster than sending literals; where not, it is absent. */
  insertRows?(connection: unknown, insert: BulkInsert): void
  /** A SELECT with ORDER BY and LIMIT of its own, as a part of a UNION ALL. */
  unionPart(select: string): string
  /** Deletes at most `limit` rows. */
  deleteSome(table: string, key: string, where: string, orderBy: string, limit: string): string

  /** Deletes what matches, found by the named index ('PRIMARY': the key), so that no other rows are locked. */
  deleteByIndex(table: string, index: string, where: string): string

  /** The raw answers to statements that travelled together. */
  answersOf(answer: unknown): readonly unknown[]
  /** Rows of a query's raw answer; the number of rows matched by a change's. */
  rowsOf(answer: unknown): readonly Record<string, unknown>[]
  matchedOf(answer: unknown): number

  failureOf(error: unknown): Failure
  /** Makes sure that the connection serves nobody any more. */
  discard(connection: unknown): void
  openKnex(): Knex
}

export interface TableDefinition {
  readonly name: string
  readonly columns: readonly string[]
  readonly primaryKey: string
  readonly uniques?: readonly string[]
  readonly indexes?: Readonly<Record<string, string>>
}

/** What a driver's error means to the catalog. */
export type FailureKind =
  /** Lost against another transaction, which the database has ended or which we end: repeat it whole. */
  | 'conflict'
  | 'duplicate-key'
  /** The database is not there, or does not let us work now. */
  | 'unavailable'
  | 'denied'
  | 'table-missing'
  /** The database understood and refused: nothing that repeating could change. */
  | 'refused'

export interface Failure {
  readonly kind: FailureKind
  /** Short and without SQL text, names of users, or values. */
  readonly text: string
}
