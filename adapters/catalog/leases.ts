import type { Lease, LeaseRest } from '../../engine/ports/jobs-catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { int, intOf, textOf } from './sql-text.js'

/**
 * A lease is a row that stays: its token only ever grows, so that a holder that slept through its expiry cannot be taken for the
 * next one. All times are the database's.
 */
export function acquireLease(
  database: Database,
  name: string,
  holder: string,
  durationMs: number,
): Promise<Lease | undefined> {
  const { dialect } = database
  return database.change(async (session) => {
    await ensureRow(dialect, session, name)
    const [row] = await session.rows(
      `SELECT holder, token, note, expires_at_ms - ${dialect.nowMs} AS left_ms, rests_until_ms - ${dialect.nowMs} AS rest_ms
       FROM leases WHERE name = ?${dialect.lockRows}`,
      [name],
    )
    if (!row) throw new RangeError(`the lease ${name} has no row`)
    const held = row['holder'] !== null && intOf(row, 'left_ms') > 0
    const own = held && row['holder'] === holder
    if (!own && (held || intOf(row, 'rest_ms') > 0)) return undefined
    const token = intOf(row, 'token') + (own ? 0 : 1)
    await session.run(
      `UPDATE leases SET holder = ?, token = ${int(token)}, expires_at_ms = ${dialect.nowMs} + ${int(durationMs)} WHERE name = ?`,
      [holder, name],
    )
    return { name, holder, token, note: textOf(row, 'note') }
  })
}

/** An expired lease that nobody took meanwhile is still its holder's. */
export async function renewLease(database: Database, lease: Lease, durationMs: number): Promise<boolean> {
  const expiry = `${database.dialect.nowMs} + ${int(durationMs)}`
  const matched = await database.change((session) =>
    session.run(
      `UPDATE leases SET expires_at_ms = ${expiry} WHERE name = ? AND holder = ? AND token = ${int(lease.token)}`,
      [lease.name, lease.holder],
    ),
  )
  return matched > 0
}

export async function releaseLease(database: Database, lease: Lease, rest: LeaseRest = { restMs: 0 }): Promise<void> {
  const restsUntil = `${database.dialect.nowMs} + ${int(rest.restMs)}`
  const [noted, note] = rest.note === undefined ? ['', []] : [', note = ?', [rest.note]]
  await database.change((session) =>
    session.run(
      `UPDATE leases SET holder = NULL, expires_at_ms = 0, rests_until_ms = ${restsUntil}${noted}
       WHERE name = ? AND holder = ? AND token = ${int(lease.token)}`,
      [...note, lease.name, lease.holder],
    ),
  )
}

export async function noteLease(database: Database, name: string, note: string): Promise<void> {
  await database.change(async (session) => {
    await ensureRow(database.dialect, session, name)
    await session.run('UPDATE leases SET note = ? WHERE name = ?', [note, name])
  })
}

async function ensureRow(dialect: Dialect, session: Session, name: string): Promise<void> {
  const columns = ['name', 'holder', 'token', 'expires_at_ms', 'rests_until_ms', 'note']
  await session.run(dialect.insertIgnore('leases', columns, ["(?, NULL, 0, 0, 0, '')"]), [name])
}
