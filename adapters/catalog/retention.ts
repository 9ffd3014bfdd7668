import { HeadraceError } from '../../engine/errors.js'
import type { TopicId } from '../../engine/model.js'
import {
  type LogHead,
  NOTHING_REMOVED,
  type OldestExtentsRequest,
  type Removal,
} from '../../engine/ports/jobs-catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { fileWhere } from './extent-filing.js'
import { removeNumbered } from './extent-removal.js'
import { extentOf, readLogs } from './log-rows.js'
import { type PartitionNumbers, partitionsOfTopic } from './partition-numbers.js'
import { PARTITIONS_PER_PAGE } from './partition-page.js'
import { pagesOfTopic } from './partition-rows.js'
import { blob, bytesOf, int, intOf, uuid, uuidOf } from './sql-text.js'

/** What retention asks, and how deleted topics are cleared away. Decisions are made on plain reads; no partition is locked here. */
export async function oldestExtents(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly OldestExtentsRequest[],
): Promise<(LogHead | undefined)[]> {
  const resolved = await numbers.resolve(session, requests)
  const known = requests.flatMap((request, index) => {
    const partitionNo = resolved[index]
    return partitionNo === undefined ? [] : [{ request, index, partitionNo }]
  })
  const logs = await readLogs(
    dialect,
    session,
    known.map(({ request, partitionNo }) => {
      return { partitionNo, after: 0, order: 'offset', limit: request.extentCountMax }
    }),
  )
  const answers: (LogHead | undefined)[] = new Array(requests.length).fill(undefined)
  for (const [place, { request, index }] of known.entries()) {
    const log = logs[place]
    if (!log) continue
    const { logStartOffset, highWatermark } = log
    const extents = log.extents.map((extent) => extentOf(request, extent))
    answers[index] = { logStartOffset, highWatermark, extents }
  }
  return answers
}

// ---- deleted topics

export async function deletedTopics(session: Session, limit: number): Promise<TopicId[]> {
  const rows = await session.rows(
    `SELECT topic_id FROM topics WHERE deleted_at_ms IS NOT NULL ORDER BY deleted_at_ms LIMIT ${int(limit)}`,
  )
  return rows.map((row) => uuidOf(row, 'topic_id'))
}

/** Once no extent is left none can come: commits find no partitions, and swaps only replace what is there. */
export async function clearDeletedTopic(
  database: Database,
  topicId: TopicId,
  extentCountMax: number,
): Promise<Removal & { readonly done: boolean }> {
  const topicNo = await database.read((session) => topicNumber(session, topicId))
  if (topicNo === undefined) return { ...NOTHING_REMOVED, done: true }
  await fileWhere(database, pagesOfTopic(topicNo), Math.ceil(extentCountMax / PARTITIONS_PER_PAGE))
  return database.change(async (session) => {
    const condition = `topic_id = ${uuid(topicId)} AND live_name IS NULL`
    const [topic] = await session.rows(`SELECT topic_no FROM topics WHERE ${condition}`)
    if (!topic) {
      if ((await topicNumber(session, topicId)) === undefined) return { ...NOTHING_REMOVED, done: true }
      throw new HeadraceError('TOPIC_EXISTS', 'never', `topic ${topicId} is not deleted; delete it first`)
    }
    const rows = await session.rows(
      `SELECT partition_no, end_offset, segment_id FROM extents WHERE ${partitionsOfTopic(topicNo)}
       ORDER BY partition_no, end_offset LIMIT ${int(extentCountMax)}`,
    )
    const extents = rows.map((row) => ({
      partitionNo: intOf(row, 'partition_no'),
      endOffset: intOf(row, 'end_offset'),
      segmentLiteral: blob(bytesOf(row, 'segment_id')),
    }))
    if (extents.length > 0) return { ...(await removeNumbered(database.dialect, session, extents)), done: false }
    const [unfiled] = await session.rows(
      `SELECT page_no FROM recent_extents WHERE ${pagesOfTopic(topicNo)} LIMIT 1${database.dialect.lockRows}`,
    )
    if (unfiled) return { ...NOTHING_REMOVED, done: false }
    await session.run(`DELETE FROM topics WHERE ${condition}`)
    return { ...NOTHING_REMOVED, done: true }
  })
}

async function topicNumber(session: Session, topicId: TopicId): Promise<number | undefined> {
  const [row] = await session.rows(`SELECT topic_no FROM topics WHERE topic_id = ${uuid(topicId)}`)
  return row && intOf(row, 'topic_no')
}
