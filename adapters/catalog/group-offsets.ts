import type { PartitionRef, TopicId } from '../../engine/model.js'
import type { GroupClaim, GroupOffset } from '../../engine/ports/group-catalog.js'
import type { Database, Session } from './database.js'
import { claimedSince, isClaimed } from './groups.js'
import { type PartitionNumbers, partitionIndexOf, partitionNumber, topicNumberOf } from './partition-numbers.js'
import { int, intOf, type Row, textOrNullOf, tuple, utf8, utf8Of, uuid, uuidOf, within } from './sql-text.js'

const OFFSET_COLUMNS = ['group_no', 'partition_no', 'committed_offset', 'leader_epoch', 'metadata', 'committed_at_ms']

/**
 * The group's row is changed first: that is the fence, and holds off a claim until this is committed. The topics are read
 * without locks: should one be deleted right now, rows of it may stay behind, which no reader shows and expiry removes.
 */
export async function commitGroupOffsets(
  database: Database,
  claim: GroupClaim,
  offsets: readonly GroupOffset[],
): Promise<boolean[]> {
  const { dialect } = database
  const suffix = dialect.onConflictReplace(['group_no', 'partition_no'], OFFSET_COLUMNS.slice(2))
  return database.change(async (session) => {
    const matched = await session.run(
      `UPDATE consumer_groups SET active_at_ms = ${dialect.nowMs} WHERE ${isClaimed(claim)}`,
    )
    if (matched === 0) throw claimedSince()
    if (offsets.length === 0) return []
    const topics = await liveTopics(session, dialect.nowMs, offsets)
    const tuples = new Map<number, string>()
    const exists = offsets.map((committed) => {
      const topic = topics.get(committed.topicId)
      const { partition, offset, leaderEpoch, metadata } = committed
      if (!topic || !(partition >= 0 && partition < topic.partitionCount)) return false
      const partitionNo = partitionNumber(topic.topicNo, partition)
      const values = [claim.groupNo, partitionNo, offset, leaderEpoch].map(int)
      tuples.set(partitionNo, tuple(...values, utf8(metadata), int(topic.nowMs)))
      return true
    })
    if (tuples.size > 0) await session.insert('group_offsets', OFFSET_COLUMNS, [...tuples.values()], suffix)
    return exists
  })
}

interface LiveTopic {
  readonly topicNo: number
  readonly partitionCount: number
  readonly nowMs: number
}

async function liveTopics(
  session: Session,
  nowMs: string,
  partitions: readonly PartitionRef[],
): Promise<ReadonlyMap<TopicId, LiveTopic>> {
  const topicIds = [...new Set(partitions.map(({ topicId }) => topicId))]
  const rows = await session.rows(
    `SELECT topic_id, topic_no, partition_count, ${nowMs} AS now_ms FROM topics
     WHERE ${within('topic_id', topicIds.map(uuid))} AND live_name IS NOT NULL`,
  )
  return new Map(
    rows.map((row) => {
      const [topicNo, partitionCount] = [intOf(row, 'topic_no'), intOf(row, 'partition_count')]
      return [uuidOf(row, 'topic_id'), { topicNo, partitionCount, nowMs: intOf(row, 'now_ms') }]
    }),
  )
}

export async function readGroupOffsets(
  session: Session,
  numbers: PartitionNumbers,
  groupId: string,
  partitions?: readonly PartitionRef[],
): Promise<GroupOffset[]> {
  const wanted = partitions && (await numbers.resolve(session, partitions)).filter((number) => number !== undefined)
  if (wanted?.length === 0) return []
  const condition = wanted ? ` AND ${within('o.partition_no', wanted.map(int))}` : ''
  const rows = await session.rows(
    `SELECT o.partition_no, o.committed_offset, o.leader_epoch, o.metadata
     FROM consumer_groups g JOIN group_offsets o ON o.group_no = g.group_no
     WHERE g.group_id = ${utf8(groupId)}${condition}`,
  )
  if (rows.length === 0) return []
  const topics = await topicsByNumber(session, rows)
  return rows.flatMap((row) => {
    const partitionNo = intOf(row, 'partition_no')
    const topic = topics.get(topicNumberOf(partitionNo))
    if (!topic) return []
    return {
      topicId: topic.topicId,
      partition: partitionIndexOf(partitionNo),
      offset: intOf(row, 'committed_offset'),
      leaderEpoch: intOf(row, 'leader_epoch'),
      metadata: utf8Of(row, 'metadata'),
    }
  })
}

/** Live topics that the rows' partitions belong to, by number. */
async function topicsByNumber(
  session: Session,
  rows: readonly Row[],
): Promise<ReadonlyMap<number, { readonly topicId: TopicId; readonly name: string | null }>> {
  const topicNos = new Set(rows.map((row) => topicNumberOf(intOf(row, 'partition_no'))))
  const topics = await session.rows(
    `SELECT topic_no, topic_id, live_name FROM topics
     WHERE ${within('topic_no', [...topicNos].map(int))} AND live_name IS NOT NULL`,
  )
  return new Map(
    topics.map((row) => [
      intOf(row, 'topic_no'),
      { topicId: uuidOf(row, 'topic_id'), name: textOrNullOf(row, 'live_name') },
    ]),
  )
}

export async function deleteGroupOffsets(
  database: Database,
  numbers: PartitionNumbers,
  claim: GroupClaim,
  partitions: readonly PartitionRef[],
): Promise<void> {
  await database.change(async (session) => {
    await lockClaimed(database, session, claim)
    const partitionNos = (await numbers.resolve(session, partitions)).filter((number) => number !== undefined)
    await deleteRows(session, claim, partitionNos)
  })
}

export async function expireGroupOffsets(
  database: Database,
  claim: GroupClaim,
  retentionMs: number,
  topicNames: ReadonlySet<string>,
): Promise<number> {
  const { nowMs } = database.dialect
  return database.change(async (session) => {
    await lockClaimed(database, session, claim)
    const rows = await session.rows(
      `SELECT partition_no, ${nowMs} - committed_at_ms AS age_ms FROM group_offsets WHERE group_no = ${int(claim.groupNo)}`,
    )
    if (rows.length === 0) return 0
    const topics = await topicsByNumber(session, rows)
    const expired = rows.filter((row) => {
      const topic = topics.get(topicNumberOf(intOf(row, 'partition_no')))
      return !topic || (intOf(row, 'age_ms') > retentionMs && !topicNames.has(topic.name ?? ''))
    })
    return deleteRows(
      session,
      claim,
      expired.map((row) => intOf(row, 'partition_no')),
    )
  })
}

async function lockClaimed(database: Database, session: Session, claim: GroupClaim): Promise<void> {
  const sql = `SELECT group_no FROM consumer_groups WHERE ${isClaimed(claim)}${database.dialect.lockRows}`
  if ((await session.rows(sql)).length === 0) throw claimedSince()
}

async function deleteRows(session: Session, { groupNo }: GroupClaim, partitionNos: readonly number[]): Promise<number> {
  if (partitionNos.length === 0) return 0
  const condition = within('partition_no', partitionNos.map(int))
  return session.run(`DELETE FROM group_offsets WHERE group_no = ${int(groupNo)} AND ${condition}`)
}
