import { HeadraceError } from '../../engine/errors.js'
import {
  type ClaimedGroup,
  GROUP_STATE_EMPTY,
  type GroupClaim,
  type GroupExpiry,
  type GroupRow,
  type StoredGroup,
} from '../../engine/ports/group-catalog.js'
import type { Database, Session } from './database.js'
import { blob, bytesOf, int, intOf, textOf, tuple, utf8, utf8Of, within } from './sql-text.js'
import { isDuplicateKey, StatementError } from './statement-errors.js'

export async function claimGroup(
  database: Database,
  groupId: string,
  create: boolean,
): Promise<ClaimedGroup | undefined> {
  const { lockRows } = database.dialect
  return database.change(async (session) => {
    const [row] = await session.rows(
      `SELECT group_no, coordinator_epoch, protocol_type, state, record FROM consumer_groups
       WHERE group_id = ${utf8(groupId)}${lockRows}`,
    )
    if (!row) return create ? createGroup(database, session, groupId) : undefined
    const claim = { groupNo: intOf(row, 'group_no'), coordinatorEpoch: intOf(row, 'coordinator_epoch') + 1 }
    await session.run(
      `UPDATE consumer_groups SET coordinator_epoch = ${int(claim.coordinatorEpoch)} WHERE group_no = ${int(claim.groupNo)}`,
    )
    const group = {
      protocolType: utf8Of(row, 'protocol_type'),
      state: textOf(row, 'state'),
      record: bytesOf(row, 'record').slice(),
    }
    return { claim, group }
  })
}

async function createGroup(database: Database, session: Session, groupId: string): Promise<ClaimedGroup> {
  await session.run('UPDATE group_numbers SET next_group_no = next_group_no + 1 WHERE singleton = 1')
  const [row] = await session.rows('SELECT next_group_no - 1 AS group_no FROM group_numbers WHERE singleton = 1')
  const claim = { groupNo: intOf(row ?? {}, 'group_no'), coordinatorEpoch: 1 }
  const columns = ['group_no', 'group_id', 'coordinator_epoch', 'protocol_type', 'state', 'record', 'active_at_ms']
  const values = [int(claim.groupNo), utf8(groupId), '1', "x''", `'${GROUP_STATE_EMPTY}'`, "x''"]
  try {
    await session.insert('consumer_groups', columns, [tuple(...values, database.dialect.nowMs)])
  } catch (error) {
    // Another agent made it meanwhile: the repeat finds its row.
    throw isDuplicateKey(error) ? new StatementError('conflict', 'the group was created by another agent') : error
  }
  return { claim, group: { protocolType: '', state: GROUP_STATE_EMPTY, record: new Uint8Array() } }
}

export async function saveGroup(database: Database, claim: GroupClaim, group: StoredGroup): Promise<void> {
  const { protocolType, state, record } = group
  const matched = await database.change((session) =>
    session.run(
      `UPDATE consumer_groups SET protocol_type = ${utf8(protocolType)}, state = ?, record = ${blob(record)},
       active_at_ms = ${database.dialect.nowMs} WHERE ${isClaimed(claim)}`,
      [state],
    ),
  )
  if (matched === 0) throw claimedSince()
}

export async function deleteGroup(database: Database, claim: GroupClaim): Promise<void> {
  const where = `group_no = ${int(claim.groupNo)}`
  await database.change(async (session) => {
    const [row] = await session.rows(
      `SELECT coordinator_epoch FROM consumer_groups WHERE ${where}${database.dialect.lockRows}`,
    )
    if (!row) return
    if (intOf(row, 'coordinator_epoch') !== claim.coordinatorEpoch) throw claimedSince()
    await session.run(`DELETE FROM group_offsets WHERE ${where}`)
    await session.run(`DELETE FROM consumer_groups WHERE ${where}`)
  })
}

export async function listGroups(session: Session): Promise<GroupRow[]> {
  const rows = await session.rows('SELECT group_id, protocol_type, state FROM consumer_groups')
  return rows.map((row) => ({
    groupId: utf8Of(row, 'group_id'),
    protocolType: utf8Of(row, 'protocol_type'),
    state: textOf(row, 'state'),
  }))
}

/** Chosen without locks, because nothing may scan under them, and looked at again once they are locked. */
export async function expireGroups(database: Database, limits: GroupExpiry): Promise<number> {
  const { nowMs, lockRows } = database.dialect
  const isUnused = 'NOT EXISTS (SELECT 1 FROM group_offsets o WHERE o.group_no = g.group_no)'
  const find = async (session: Session, condition: string, limit: number, suffix = '') => {
    const rows = await session.rows(
      `SELECT g.group_no FROM consumer_groups g WHERE g.state = '${GROUP_STATE_EMPTY}' AND ${condition}
       ORDER BY g.group_no LIMIT ${int(limit)}${suffix}`,
    )
    return rows.map((row) => int(intOf(row, 'group_no')))
  }
  return database.change(async (session) => {
    const [row] = await session.rows(`SELECT ${nowMs} AS now_ms`)
    const now = intOf(row ?? {}, 'now_ms')
    const isOld = `g.active_at_ms < ${int(now - limits.retentionMs)}`
    const isQuiet = `g.active_at_ms < ${int(now - limits.unusedMs)} AND ${isUnused}`
    const old = await find(session, isOld, limits.limit)
    const unused = await find(session, isQuiet, limits.limit)
    const chosen = [...new Set([...old, ...unused])].slice(0, limits.limit)
    if (chosen.length === 0) return 0
    const stillThere = `${within('g.group_no', chosen)} AND (${isOld} OR (${isQuiet}))`
    const groupNos = await find(session, stillThere, chosen.length, lockRows)
    if (groupNos.length === 0) return 0
    await session.run(`DELETE FROM group_offsets WHERE ${within('group_no', groupNos)}`)
    return session.run(`DELETE FROM consumer_groups WHERE ${within('group_no', groupNos)}`)
  })
}

/** Condition on `consumer_groups`: nobody claimed it since. */
export function isClaimed({ groupNo, coordinatorEpoch }: GroupClaim): string {
  return `group_no = ${int(groupNo)} AND coordinator_epoch = ${int(coordinatorEpoch)}`
}

export function claimedSince(): HeadraceError {
  return new HeadraceError(
    'NOT_COORDINATOR',
    'never',
    'another agent coordinates this group now, or the group was deleted: ask again which agent it is',
  )
}
