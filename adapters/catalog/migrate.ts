import { HeadraceError } from '../../engine/errors.js'
import type { Database, Session } from './database.js'
import { MIGRATIONS, type Migration, SCHEMA_TABLE } from './schema.js'
import { int, intOf } from './sql-text.js'
import { isTableMissing } from './statement-errors.js'

/**
 * Brings the schema to this version. Several agents may do so at once: the row of `schema_version` is locked while one of them
 * works. It is a row and no named lock, because not every database that speaks MySQL has those; and because CREATE TABLE
 * ends the transaction it runs in on MySQL, tables are changed on a second connection while the first holds the row.
 * Should the holder lose its connection meanwhile, another one begins beside it: every step can be repeated.
 */
export async function migrate(database: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const newest = migrations.reduce((version, migration) => Math.max(version, migration.version), 0)
  // An agent that finds the schema ready needs no right to change it.
  if (checked(await currentVersion(database), newest) === newest) return
  const { dialect } = database
  await database.repeatable(async (session) => {
    for (const statement of dialect.createTable(SCHEMA_TABLE)) await session.run(statement)
    await session.run(dialect.insertIgnore(SCHEMA_TABLE.name, ['singleton', 'version'], ['(1, 0)']))
  })
  while (!(await takeStep(database, migrations, newest)));
}

/**
 * One transaction for each version: what it changed is there, and nothing of it is locked any more, when the next one
 * changes tables. Answers whether there was none left.
 */
function takeStep(database: Database, migrations: readonly Migration[], newest: number): Promise<boolean> {
  return database.change(async (session) => {
    const version = checked(await readVersion(session, database.dialect.lockRows), newest)
    const next = migrations.find((migration) => migration.version > version)
    if (next === undefined) return true
    await apply(database, session, next)
    return false
  })
}

async function apply(database: Database, session: Session, migration: Migration): Promise<void> {
  const { dialect } = database
  const change = async (target: Session) => {
    for (const table of migration.tables?.(dialect) ?? []) {
      for (const statement of dialect.createTable(table)) await target.run(statement)
    }
    await migration.structure?.(target, dialect)
  }
  if (dialect.transactionalDdl) await change(session)
  else await database.repeatable(change)
  await migration.rows?.(session, dialect)
  await session.run(`UPDATE schema_version SET version = ${int(migration.version)} WHERE singleton = 1`)
}

async function currentVersion(database: Database): Promise<number> {
  try {
    return await database.read((session) => readVersion(session, ''))
  } catch (error) {
    if (isTableMissing(error)) return 0
    throw error
  }
}

async function readVersion(session: Session, lockRows: string): Promise<number> {
  const [row] = await session.rows(`SELECT version FROM schema_version WHERE singleton = 1${lockRows}`)
  return row ? intOf(row, 'version') : 0
}

function checked(version: number, newest: number): number {
  if (version <= newest) return version
  throw new HeadraceError(
    'CATALOG_SCHEMA_MISMATCH',
    'never',
    `the catalog's schema has version ${version}, this agent knows ${newest}: upgrade the agent`,
  )
}
