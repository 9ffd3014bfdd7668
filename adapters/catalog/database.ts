import type { Knex } from 'knex'
import { HeadraceError, isHeadraceError } from '../../engine/errors.js'
import type { Dialect, FailureKind } from './dialect.js'
import { type BulkInsert, inChunks, type Row, tuplesOf } from './sql-text.js'

/**
 * Statements on one connection. Those of a `change` are one transaction; those of a `read` each stand for themselves and
 * see what is committed when they begin.
 */
export interface Session {
  rows(sql: string, bindings?: readonly string[]): Promise<readonly Row[]>
  /** Answers how many rows matched. */
  run(sql: string, bindings?: readonly (string | null)[]): Promise<number>
  /** `INSERT INTO table (columns) VALUES tuples suffix`, in as few statements as their length allows. */
  insert(table: string, columns: readonly string[], tuples: readonly string[], suffix?: string): Promise<void>
  /** The same of values, as literals or bound: whatever the database takes faster. For those of thousands of rows. */
  insertRows(insert: BulkInsert): Promise<void>
}

export interface DatabaseOptions {
  readonly location: string
  /** How long conflicts with other transactions are retried. */
  readonly conflictRetryMs: number
  /** After this long without an answer a connection counts as lost. */
  readonly statementTimeoutMs: number
}

/** A driver's error, told apart. Never leaves this folder. */
export class StatementError extends Error {
  constructor(
    readonly kind: FailureKind,
    text: string,
  ) {
    super(text)
  }
}

const RETRY_DELAY_MIN_MS = 2
const RETRY_DELAY_MAX_MS = 60

/**
 * A pool of connections, and the three things that must never go wrong around it: a transaction is ended before its connection
 * serves another, conflicts are retried whole and bounded, and every error says whether there may have been an effect.
 */
export class Database {
  readonly #knex: Knex
  readonly #dialect: Dialect
  readonly #options: DatabaseOptions
  #closed: Promise<void> | undefined

  constructor(dialect: Dialect, options: DatabaseOptions) {
    this.#dialect = dialect
    this.#options = options
    this.#knex = dialect.openKnex()
  }

  get dialect(): Dialect {
    return this.#dialect
  }

  /** Statements that change nothing. */
  read<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#retryConflicts(() => this.#onConnection((connection) => work(this.#session(connection))))
  }

  /** One transaction. `work` may run several times and must have no effect but its statements. */
  change<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#retryConflicts(() => this.#onConnection((connection) => this.#transact(connection, work)))
  }

  /** Statements outside any transaction of ours that may be repeated without harm: CREATE TABLE IF NOT EXISTS. */
  repeatable(work: (session: Session) => Promise<void>): Promise<void> {
    return this.read(work)
  }

  close(): Promise<void> {
    this.#closed ??= this.#knex.destroy()
    return this.#closed
  }

  async #retryConflicts<Result>(attempt: () => Promise<Result>): Promise<Result> {
    const deadlineMs = performance.now() + this.#options.conflictRetryMs
    for (let delayMs = RETRY_DELAY_MIN_MS; ; delayMs = Math.min(delayMs * 2, RETRY_DELAY_MAX_MS)) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof StatementError)) throw error
        if (error.kind !== 'conflict' || performance.now() >= deadlineMs) throw this.#withoutEffect(error)
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs * (0.5 + Math.random())))
    }
  }

  async #onConnection<Result>(work: (connection: unknown) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new HeadraceError('AGENT_CLOSING', 'never', 'the catalog is closed')
    let connection: unknown
    try {
      connection = await this.#knex.client.acquireConnection()
    } catch (error) {
      throw this.#statementError(error)
    }
    try {
      return await work(connection)
    } finally {
      await this.#knex.client.releaseConnection(connection)
    }
  }

  async #transact<Result>(connection: unknown, work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = this.#session(connection)
    let committing = false
    await session.run(this.#dialect.begin)
    try {
      const result = await work(session)
      committing = true
      await session.run('COMMIT')
      return result
    } catch (error) {
      await this.#rollback(connection, session)
      // A conflict is the server's word that it has rolled back; anything else at COMMIT may have happened after it.
      if (committing && error instanceof StatementError && error.kind !== 'conflict') throw this.#outcomeUnknown(error)
      throw error
    }
  }

  async #rollback(connection: unknown, session: Session): Promise<void> {
    try {
      await session.run('ROLLBACK')
    } catch {
      this.#dialect.discard(connection)
    }
  }

  #session(connection: unknown): Session {
    const { statementBytesMax, rowsOf, matchedOf } = this.#dialect
    const run = (sql: string, bindings?: readonly (string | null)[]) => this.#statement(connection, sql, bindings)
    const insert: Session['insert'] = async (table, columns, tuples, suffix = '') => {
      const longest = tuples.reduce((length, tuple) => Math.max(length, tuple.length + 2), 1)
      for (const chunk of inChunks(tuples, Math.max(1, Math.floor(statementBytesMax / longest)))) {
        await run(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${chunk.join(', ')}${suffix}`)
      }
    }
    return {
      rows: async (sql, bindings) => rowsOf(await run(sql, bindings)),
      run: async (sql, bindings) => matchedOf(await run(sql, bindings)),
      insert,
      insertRows: async (bulk) => {
        if (this.#dialect.insertRows) this.#insertBound(connection, bulk)
        else await insert(bulk.table, bulk.columns, tuplesOf(bulk.rows), bulk.suffix)
      },
    }
  }

  /** What listens to statements hears of it as of one. */
  #insertBound(connection: unknown, insert: BulkInsert): void {
    if (insert.rows.length === 0) return
    this.#knex.client.emit('query', { sql: `INSERT INTO ${insert.table} (${insert.columns.join(', ')})`, insert })
    try {
      this.#dialect.insertRows?.(connection, insert)
    } catch (error) {
      throw this.#statementError(error)
    }
  }

  async #statement(connection: unknown, sql: string, bindings?: readonly (string | null)[]): Promise<unknown> {
    const { statementTimeoutMs } = this.#options
    const statement = bindings ? this.#knex.raw(sql, [...bindings] as string[]) : this.#knex.raw(sql)
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#dialect.discard(connection)
        reject(new StatementError('unavailable', `no answer for ${statementTimeoutMs} ms`))
      }, statementTimeoutMs)
    })
    try {
      return await Promise.race([statement.connection(connection as never), deadline])
    } catch (error) {
      throw this.#statementError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  #statementError(error: unknown): StatementError {
    if (error instanceof StatementError) return error
    if (error instanceof Error && error.name === 'TimeoutError') {
      return new StatementError('unavailable', 'all connections are busy')
    }
    const { kind, text } = this.#dialect.failureOf(error)
    return new StatementError(kind, text)
  }

  #outcomeUnknown(error: StatementError): HeadraceError {
    return new HeadraceError(
      'CATALOG_OUTCOME_UNKNOWN',
      'unknown',
      `the connection to the catalog ${this.#options.location} was lost while it committed a change (${error.message}); the change may be there or not`,
      { cause: error },
    )
  }

  /** The transaction was rolled back, or its connection is gone and the database has done it. */
  #withoutEffect(error: StatementError): HeadraceError {
    const { location } = this.#options
    const because = `(${error.message})`
    const options = { cause: error }
    switch (error.kind) {
      case 'conflict':
        return new HeadraceError(
          'CATALOG_CONFLICT',
          'safe',
          `the catalog ${location} was too busy with other changes ${because}; try again`,
          options,
        )
      case 'unavailable':
        return new HeadraceError(
          'CATALOG_UNAVAILABLE',
          'safe',
          `the catalog ${location} cannot be used now ${because}; check that it runs and is reachable`,
          options,
        )
      case 'denied':
        return new HeadraceError(
          'CATALOG_UNAVAILABLE',
          'safe',
          `the catalog ${location} denies access ${because}; check user, password, database and rights`,
          options,
        )
      case 'table-missing':
        return new HeadraceError(
          'CATALOG_SCHEMA_MISMATCH',
          'never',
          `the catalog ${location} lacks a table; its schema has not been created, or something has removed it`,
          options,
        )
      case 'duplicate-key':
      case 'refused':
        return new HeadraceError(
          'CATALOG_UNAVAILABLE',
          'never',
          `the catalog ${location} refused a statement ${because}; this is a bug or an unsupported database`,
          options,
        )
    }
  }
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof StatementError && error.kind === 'duplicate-key'
}

export function isTableMissing(error: unknown): boolean {
  return isHeadraceError(error, 'CATALOG_SCHEMA_MISMATCH')
}
