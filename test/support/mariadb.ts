import { randomBytes } from 'node:crypto'
import mysql from 'mysql2/promise'
import { type MysqlServer, startMysqlServer } from './mysql-server.js'

/** A MySQL-compatible server for a test. */
export interface Mariadb {
  /** A fresh, empty database; the same as the first `freshDatabase()`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** One more fresh database. */
  freshDatabase(): Promise<string>
  /** Drops the databases, and ends the server if the test started it. */
  stop(): Promise<void>
  /** Ends the server as a power cut would. Only for a server that the test started. */
  kill(): Promise<void>
  /** Starts it again, on the same port and data, after `kill`. */
  restart(): Promise<void>
}

/**
 * Uses the server at HEADRACE_TEST_MYSQL (`mysql://user:password@host:port`, with the right to create databases), or starts
 * a private one on a free loopback port with a temporary data directory.
 */
export async function startMariadb(): Promise<Mariadb> {
  const given = process.env['HEADRACE_TEST_MYSQL']
  return given ? onServer(new URL(given), undefined) : startPrivateMariadb()
}

/** A server of the test's own, whatever the environment says: for tests that kill it. */
export async function startPrivateMariadb(): Promise<Mariadb> {
  const server = await startMysqlServer()
  return onServer(new URL(server.url), server)
}

async function onServer(base: URL, server: MysqlServer | undefined): Promise<Mariadb> {
  const databases: string[] = []
  const freshDatabase = async () => {
    const name = `headrace_test_${randomBytes(6).toString('hex')}`
    await runOn(base, `CREATE DATABASE ${name}`)
    databases.push(name)
    const url = new URL(base)
    url.pathname = `/${name}`
    return url.href
  }
  const owned = () => {
    if (server) return server
    throw new Error('HEADRACE_TEST_MYSQL names a server that is not ours to kill; use startPrivateMariadb')
  }
  return {
    url: await freshDatabase(),
    host: base.hostname,
    port: Number(base.port || 3306),
    freshDatabase,
    kill: () => owned().kill(),
    restart: () => owned().restart(),
    stop: async () => {
      if (server) return server.stop()
      for (const name of databases.splice(0)) await runOn(base, `DROP DATABASE IF EXISTS ${name}`)
    },
  }
}

async function runOn(base: URL, sql: string): Promise<void> {
  const url = new URL(base)
  url.pathname = '/'
  const connection = await mysql.createConnection(url.href)
  try {
    await connection.query(sql)
  } finally {
    await connection.end()
  }
}
