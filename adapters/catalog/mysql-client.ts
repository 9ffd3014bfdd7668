import { createRequire } from 'node:module'
import type { Knex } from 'knex'

/** knex's mysql2 dialect, for statements of hundreds of kilobytes. */
const require = createRequire(import.meta.url)
const Mysql2Client = require('knex/lib/dialects/mysql2/index.js') as Mysql2ClientConstructor

interface Query {
  readonly sql: string
  readonly bindings?: readonly unknown[]
  response?: unknown
}

type Mysql2ClientConstructor = new (
  config: Knex.Config,
) => {
  query(connection: MysqlConnection, query: Query): Promise<Query>
  _query(connection: MysqlConnection, query: Query): Promise<Query>
  emit(event: 'query', query: Query): void
}

interface MysqlConnection {
  query(sql: string, bindings: null, done: (error: Error | null, rows: unknown, fields: unknown) => void): void
}

export class MysqlClient extends Mysql2Client {
  /** knex prepares every text for its debug log, which is off: it searches bulk statements for percent signs, and copies them. */
  override query(connection: MysqlConnection, query: Query): Promise<Query> {
    if (!query.sql || (query.bindings && query.bindings.length > 0)) return super.query(connection, query)
    this.emit('query', query)
    return this._query(connection, query)
  }

  /**
   * The driver searches a statement that has a list of bindings, if an empty one or none, for places to put them: character by
   * character, outside of quotes and comments. Only null keeps it from that. A commit of 1,000 partitions has 200 kB of literals
   * and nothing to put in.
   */
  override _query(connection: MysqlConnection, query: Query): Promise<Query> {
    if (!query.sql || (query.bindings && query.bindings.length > 0)) return super._query(connection, query)
    return new Promise((resolve, reject) => {
      connection.query(query.sql, null, (error, rows, fields) => {
        if (error) return reject(error)
        query.response = [rows, fields]
        resolve(query)
      })
    })
  }
}
