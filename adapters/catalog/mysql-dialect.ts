import knexModule, { type Knex } from 'knex'
import type { Connection, ResultSetHeader } from 'mysql2'
import type { MysqlPlace } from './catalog-url.js'
import type { Dialect, Failure, FailureKind, TableDefinition } from './dialect.js'
import { MysqlClient } from './mysql-client.js'

const { knex } = knexModule

/** MySQL 8, MariaDB 10.6 and what speaks like them (Aurora, Vitess, TiDB): only what all of them support. */
export class MysqlDialect implements Dialect {
  readonly name = 'mysql'
  readonly nowMs = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000)"
  readonly begin = 'START TRANSACTION'
  readonly lockRows = ' FOR UPDATE'
  readonly onPrimaryKey = ' FORCE INDEX (PRIMARY)'
  /** Servers accept 16 MiB at least. */
  readonly statementBytesMax = 4 * 1024 * 1024
  /** A commit's nine statements in three messages: of a small one, most is waiting for answers and writing to the socket. */
  readonly joinsStatements = true
  readonly transactionalDdl = false
  readonly types = {
    uuid: 'BINARY(16)',
    blob: 'MEDIUMBLOB',
    shortBlob: 'VARBINARY(255)',
    pageBlob: 'VARBINARY(4096)',
    text: 'MEDIUMTEXT',
    name: 'VARCHAR(249) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    utf8: 'VARBINARY(1020)',
  }
  readonly #place: MysqlPlace
  readonly #connectionCountMax: number

  constructor(place: MysqlPlace, connectionCountMax: number) {
    this.#place = place
    this.#connectionCountMax = connectionCountMax
  }

  textOfHex(hex: string): string {
    return `_utf8mb4 x'${hex}'`
  }

  createTable({ name, columns, primaryKey, uniques = [], indexes = {} }: TableDefinition): string[] {
    const parts = [
      ...columns,
      `PRIMARY KEY (${primaryKey})`,
      ...uniques.map((unique) => `UNIQUE (${unique})`),
      ...Object.entries(indexes).map(([index, indexColumns]) => `KEY ${index} (${indexColumns})`),
    ]
    const options = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'
    return [`CREATE TABLE IF NOT EXISTS ${name} (${parts.join(', ')}) ${options}`]
  }

  findIndex(table: string, index: string): string {
    return `SELECT 1 AS found FROM information_schema.statistics
      WHERE table_schema = DATABASE() AND table_name = '${table}' AND index_name = '${index}' LIMIT 1`
  }

  dropIndex(table: string, index: string): string {
    return `ALTER TABLE ${table} DROP INDEX ${index}`
  }

  findColumn(table: string, column: string): string {
    return `SELECT 1 AS found FROM information_schema.columns
      WHERE table_schema = DATABASE() AND table_name = '${table}' AND column_name = '${column}' LIMIT 1`
  }

  insertIgnore(table: string, columns: readonly string[], tuples: readonly string[]): string {
    return `INSERT IGNORE INTO ${table} (${columns.join(', ')}) VALUES ${tuples.join(', ')}`
  }

  /** `VALUES(column)` and not MySQL 8's row alias, which MariaDB lacks. */
  onConflictReplace(_keys: readonly string[], columns: readonly string[]): string {
    return ` ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`
  }

  unionPart(select: string): string {
    return `(${select})`
  }

  deleteSome(table: string, _key: string, where: string, orderBy: string, limit: string): string {
    return `DELETE FROM ${table} WHERE ${where} ORDER BY ${orderBy} LIMIT ${limit}`
  }

  /** Only the form for several tables takes a hint. */
  deleteByIndex(table: string, index: string, where: string): string {
    return `DELETE ${table} FROM ${table} FORCE INDEX (${index}) WHERE ${where}`
  }

  answersOf(answer: unknown): readonly unknown[] {
    return (answer as [readonly unknown[]])[0].map((result) => [result])
  }

  rowsOf(answer: unknown): readonly Record<string, unknown>[] {
    return (answer as [Record<string, unknown>[]])[0]
  }

  /** mysql2 asks the server for matched rows, not for changed ones. */
  matchedOf(answer: unknown): number {
    return (answer as [ResultSetHeader])[0].affectedRows
  }

  failureOf(error: unknown): Failure {
    const { errno, code, sqlState } = error as { errno?: number; code?: string; sqlState?: string }
    const kind = KIND_OF_ERRNO.get(errno ?? 0)
    if (kind) return { kind, text: code ?? `error ${errno}` }
    if (sqlState === '40001') return { kind: 'conflict', text: code ?? sqlState }
    // The server answers with an errno above 1000 and a state; everything else is the connection's trouble.
    if (sqlState !== undefined && errno !== undefined && errno >= 1000 && !sqlState.startsWith('08')) {
      return { kind: 'refused', text: code ?? `error ${errno}` }
    }
    return { kind: 'unavailable', text: code ?? 'the connection failed' }
  }

  discard(connection: unknown): void {
    ;(connection as Connection).destroy()
  }

  openKnex(): Knex {
    const { host, port, user, password, database, tls } = this.#place
    return knex({
      client: MysqlClient as unknown as typeof Knex.Client,
      compileSqlOnError: false,
      log: SILENT,
      connection: {
        host,
        port,
        user,
        password,
        database,
        charset: 'utf8mb4',
        // What the texts of several statements contain is digits and hex digits; text from outside is bound, here as elsewhere.
        multipleStatements: true,
        connectTimeout: 5000,
        enableKeepAlive: true,
        ...(tls ? { ssl: { ...tls, minVersion: 'TLSv1.2' } } : {}),
      },
      pool: {
        min: 0,
        max: this.#connectionCountMax,
        acquireTimeoutMillis: 15_000,
        idleTimeoutMillis: 60_000,
        afterCreate: (connection: Connection, done: (error?: Error | null) => void) => prepare(connection, done),
      },
    })
  }
}

/**
 * READ COMMITTED: every statement sees what is committed, and a locked range does not hold the gaps around it. Strict
 * mode: a value that does not fit is an error. The lock wait is ours to bound, well below the statement deadline; servers
 * that do not know the variable keep their own.
 */
function prepare(connection: Connection, done: (error?: Error | null) => void): void {
  connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (error) => {
    if (error) return done(error)
    connection.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", (error) => {
      if (error) return done(error)
      connection.query('SET SESSION innodb_lock_wait_timeout = 5', () => done())
    })
  })
}

const SILENT = { warn() {}, error() {}, debug() {}, deprecate() {} }

const KIND_OF_ERRNO: ReadonlyMap<number, FailureKind> = new Map<number, FailureKind>([
  // Lock wait timeout, deadlock, record changed since last read.
  [1205, 'conflict'],
  [1213, 'conflict'],
  [1020, 'conflict'],
  // TiDB: write conflict, retryable transaction, schema changed meanwhile.
  [9007, 'conflict'],
  [8002, 'conflict'],
  [8022, 'conflict'],
  [8028, 'conflict'],
  [1062, 'duplicate-key'],
  [1044, 'denied'],
  [1045, 'denied'],
  [1049, 'denied'],
  [1142, 'denied'],
  [1698, 'denied'],
  [1146, 'table-missing'],
  // Too many connections, host blocked, shutting down, killed, read-only after a failover, disk full, out of memory.
  [1040, 'unavailable'],
  [1203, 'unavailable'],
  [1226, 'unavailable'],
  [1129, 'unavailable'],
  [1053, 'unavailable'],
  [1077, 'unavailable'],
  [1079, 'unavailable'],
  [1317, 'unavailable'],
  [1927, 'unavailable'],
  [1969, 'unavailable'],
  [3024, 'unavailable'],
  [4031, 'unavailable'],
  [1290, 'unavailable'],
  [1792, 'unavailable'],
  [1836, 'unavailable'],
  [1021, 'unavailable'],
  [1037, 'unavailable'],
  [1038, 'unavailable'],
  [1041, 'unavailable'],
  [1114, 'unavailable'],
])
