import type { LibsqlDatabase, LibsqlStatement } from './libsql-client.js'
import { type BulkInsert, type BulkValue, bindable, inChunks } from './sql-text.js'

/**
 * Bulk inserts with their values bound to statements that are prepared once. SQLite parses literals for longer than it inserts
 * their rows, and a call per row costs more still in the driver; some rows a call cost half of either. More rows than 64 a call
 * gain nothing, and what does not fill such a call goes by smaller ones, so that there are three texts per table and no more.
 */
const ROWS_PER_STATEMENT = [64, 8, 1]

/** By connection and text; gone with the connection. */
const prepared = new WeakMap<LibsqlDatabase, Map<string, LibsqlStatement>>()

export function insertBound(database: LibsqlDatabase, insert: BulkInsert): void {
  let rest = insert.rows
  for (const size of ROWS_PER_STATEMENT) {
    const whole = rest.length - (rest.length % size)
    if (whole === 0) continue
    const statement = statementOf(database, textOf(insert, size))
    for (const chunk of inChunks(rest.slice(0, whole), size)) statement.run(valuesOf(chunk))
    rest = rest.slice(whole)
  }
}

function textOf({ table, columns, suffix }: BulkInsert, rowCount: number): string {
  const row = `(${Array(columns.length).fill('?').join(', ')})`
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(rowCount).fill(row).join(', ')}${suffix}`
}

function valuesOf(rows: readonly (readonly BulkValue[])[]): (number | Uint8Array)[] {
  const values: (number | Uint8Array)[] = []
  for (const row of rows) for (const value of row) values.push(bindable(value))
  return values
}

function statementOf(database: LibsqlDatabase, text: string): LibsqlStatement {
  let statements = prepared.get(database)
  if (!statements) {
    statements = new Map()
    prepared.set(database, statements)
  }
  let statement = statements.get(text)
  if (!statement) {
    statement = database.prepare(text)
    statements.set(text, statement)
  }
  return statement
}
