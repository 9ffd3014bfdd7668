import { createRequire } from 'node:module'
import t from 'tap'
import type { LibsqlDatabase } from '../../../adapters/catalog/libsql-client.js'
import { insertBound } from '../../../adapters/catalog/libsql-rows.js'

interface Readable extends LibsqlDatabase {
  prepare(sql: string): {
    run(values: readonly unknown[]): unknown
    all(values: readonly unknown[]): Record<string, unknown>[]
  }
}

const Libsql = createRequire(import.meta.url)('libsql') as new (filename: string) => Readable

function openTable(): Readable {
  const database = new Libsql(':memory:')
  database.exec('CREATE TABLE numbers (number BIGINT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID')
  return database
}

function insert(database: Readable, numbers: readonly number[], suffix = ''): void {
  const rows = numbers.map((number) => [number, Uint8Array.of(number % 256)])
  insertBound(database, { table: 'numbers', columns: ['number', 'bytes'], rows, suffix })
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

t.test('every row arrives, whatever their number', async (t) => {
  for (const count of [0, 1, 7, 8, 9, 63, 64, 65, 137, 1000]) {
    const database = openTable()
    insert(database, range(0, count))
    const rows = database.prepare('SELECT number, typeof(number) AS type, hex(bytes) AS hex FROM numbers').all([])
    t.same(
      rows.map(({ number, type, hex }) => [number, type, hex]),
      range(0, count).map((number) => [
        number,
        'integer',
        Buffer.of(number % 256)
          .toString('hex')
          .toUpperCase(),
      ]),
      `${count} rows`,
    )
    database.close()
  }
})

t.test('numbers stay integers as far as they are safe, and others are refused', async (t) => {
  const database = openTable()
  insert(database, [Number.MAX_SAFE_INTEGER, -2, 2 ** 51 + 1])
  const rows = database.prepare('SELECT number, typeof(number) AS type FROM numbers ORDER BY number').all([])
  t.same(
    rows.map(({ number, type }) => [number, type]),
    [-2, 2 ** 51 + 1, Number.MAX_SAFE_INTEGER].map((number) => [number, 'integer']),
  )
  for (const number of [Number.NaN, 1.5, 2 ** 53]) t.throws(() => insert(database, [number]), RangeError)
  database.close()
})

t.test('a statement that failed serves again', async (t) => {
  const database = openTable()
  insert(database, range(0, 64))
  database.exec('BEGIN IMMEDIATE')
  insert(database, range(100, 1))
  t.throws(() => insert(database, range(0, 64)), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
  t.throws(() => insert(database, range(0, 1)), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
  database.exec('ROLLBACK')
  database.exec('BEGIN IMMEDIATE')
  insert(database, range(64, 65))
  insert(database, range(0, 64), ' ON CONFLICT (number) DO UPDATE SET bytes = excluded.bytes')
  database.exec('COMMIT')
  t.equal(database.prepare('SELECT number FROM numbers').all([]).length, 129)
  database.close()
})
