import type { Knex } from 'knex'
import { HeadraceError } from '../../engine/errors.js'
import type { Dialect } from './dialect.js'
import { type BulkInsert, inChunks, type Row, tuplesOf } from './sql-text.js'
import { outcomeUnknown, StatementError, withoutEffect } from './statement-errors.js'

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
  /** Queries without bindings, one after the other; where the database allows it they travel together. */
  rowsOfEach(queries: readonly string[]): Promise<readonly (readonly Row[])[]>
  /** Likewise changes: statements, and bulk inserts. */
  runEach(changes: readonly (string | BulkInsert)[]): Promise<void>
}

export interface DatabaseOptions {
  readonly location: string
  /** How long conflicts with other transactions are retried. */
  readonly conflictRetryMs: number
  /** After this long without an answer a connection counts as lost. */
  readonly statementTimeoutMs: number
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
        if (error.kind !== 'conflict' || performance.now() >= deadlineMs)
          throw withoutEffect(this.#options.location, error)
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
    const { begin, joinsStatements } = this.#dialect
    const session = this.#session(connection, joinsStatements ? begin : undefined)
    let committing = false
    if (!joinsStatements) await session.run(begin)
    try {
      const result = await work(session)
      committing = true
      await session.run('COMMIT')
      return result
    } catch (error) {
      await this.#rollback(connection, session)
      // A conflict is the server's word that it has rolled back; anything else at COMMIT may have happened after it.
      if (committing && error instanceof StatementError && error.kind !== 'conflict')
        throw outcomeUnknown(this.#options.location, error)
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

  /** `begin` goes with the first statement. */
  #session(connection: unknown, begin?: string): Session {
    const { rowsOf, matchedOf } = this.#dialect
    let before = begin === undefined ? [] : [begin]
    const send = async (statements: readonly string[], bindings?: readonly (string | null)[]): Promise<unknown[]> => {
      const all = [...before, ...statements]
      const beforeCount = before.length
      before = []
      return (await this.#statements(connection, all, bindings)).slice(beforeCount)
    }
    const bound = (insert: BulkInsert) => {
      this.#insertBound(connection, insert)
    }
    const isBound = this.#dialect.insertRows !== undefined
    return {
      rows: async (sql, bindings) => rowsOf((await send([sql], bindings))[0]),
      run: async (sql, bindings) => matchedOf((await send([sql], bindings))[0]),
      insert: async (table, columns, tuples, suffix = '') => {
        for (const statement of this.#insertsOf(table, columns, tuples, suffix)) await send([statement])
      },
      insertRows: async (insert) => {
        if (isBound) bound(insert)
        else for (const statement of this.#bulkInsertsOf(insert)) await send([statement])
      },
      rowsOfEach: async (queries) => (await send(queries)).map(rowsOf),
      runEach: async (changes) => {
        if (!isBound) {
          await send(changes.flatMap((change) => (typeof change === 'string' ? [change] : this.#bulkInsertsOf(change))))
          return
        }
        for (const change of changes) {
          if (typeof change === 'string') await send([change])
          else bound(change)
        }
      },
    }
  }

  #bulkInsertsOf({ table, columns, rows, suffix }: BulkInsert): string[] {
    return this.#insertsOf(table, columns, tuplesOf(rows), suffix)
  }

  #insertsOf(table: string, columns: readonly string[], tuples: readonly string[], suffix: string): string[] {
    const longest = tuples.reduce((length, tuple) => Math.max(length, tuple.length + 2), 1)
    return inChunks(tuples, Math.max(1, Math.floor(this.#dialect.statementBytesMax / longest))).map(
      (chunk) => `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${chunk.join(', ')}${suffix}`,
    )
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

  /** Each one's answer. The first error ends the list. Bindings are the last one's. */
  async #statements(
    connection: unknown,
    statements: readonly string[],
    bindings?: readonly (string | null)[],
  ): Promise<unknown[]> {
    const { joinsStatements, statementBytesMax, answersOf } = this.#dialect
    const answers: unknown[] = []
    for (let start = 0; start < statements.length; ) {
      let end = start + 1
      let length = statements[start]?.length ?? 0
      while (joinsStatements && end < statements.length) {
        length += statements[end]?.length ?? 0
        if (length > statementBytesMax) break
        end++
      }
      const message = statements.slice(start, end)
      const boundHere = end === statements.length ? bindings : undefined
      const answer = await this.#statement(connection, message.join(';\n'), boundHere)
      if (message.length === 1) answers.push(answer)
      else answers.push(...answersOf(answer))
      start = end
    }
    return answers
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
}
