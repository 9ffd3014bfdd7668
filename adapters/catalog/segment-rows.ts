import type { SegmentId } from '../../engine/model.js'
import type { LiveUse, SegmentInfo, SegmentState, SegmentTotal } from '../../engine/ports/jobs-catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { literalsOf } from './extent-removal.js'
import { readExtentsOfSegments } from './extent-rows.js'
import { SEGMENT_DEAD, SEGMENT_DELETED, SEGMENT_LIVE } from './schema.js'
import { inChunks, int, intOf, type Row, textOf, uuid, uuidOf, within } from './sql-text.js'

/** The end of a segment's life: dead, its object deleted, its row forgotten; and what tools show of segments. */
const SEGMENTS_PER_STATEMENT = 1000

export const SEGMENT_INFO_COLUMNS = 'segment_id, object_key, object_bytes, level, live_extent_count, committed_at_ms'

export function segmentInfoOf(row: Row): SegmentInfo {
  return {
    segmentId: uuidOf(row, 'segment_id'),
    objectKey: textOf(row, 'object_key'),
    objectBytes: intOf(row, 'object_bytes'),
    level: intOf(row, 'level'),
    liveExtentCount: intOf(row, 'live_extent_count'),
    committedAtMs: intOf(row, 'committed_at_ms'),
  }
}

export async function databaseTimeMs(dialect: Dialect, session: Session): Promise<number> {
  const [row] = await session.rows(`SELECT ${dialect.nowMs} AS now_ms`)
  return intOf(row ?? {}, 'now_ms')
}

/** By level and id, which is the order of the index that knows the state: about the oldest first. */
export async function deadSegments(
  dialect: Dialect,
  session: Session,
  graceMs: number,
  limit: number,
): Promise<SegmentInfo[]> {
  const rows = await session.rows(
    `SELECT ${SEGMENT_INFO_COLUMNS} FROM segments
     WHERE state = ${SEGMENT_DEAD} AND dead_at_ms <= ${dialect.nowMs} - ${int(graceMs)}
     ORDER BY level, segment_id LIMIT ${int(limit)}`,
  )
  return rows.map(segmentInfoOf)
}

export async function markObjectsDeleted(database: Database, segmentIds: readonly SegmentId[]): Promise<void> {
  for (const chunk of inChunks(literalsOf(segmentIds), SEGMENTS_PER_STATEMENT)) {
    await database.change((session) =>
      session.run(
        `UPDATE segments SET state = ${SEGMENT_DELETED}
         WHERE ${within('segment_id', chunk)} AND state = ${SEGMENT_DEAD}`,
      ),
    )
  }
}

/** A row outlives its object: while its segment could still be committed, a repeat must find the first outcome. */
export function forgetSegments(database: Database, ageMinMs: number, limit: number): Promise<number> {
  return database.change(async (session) => {
    const beforeMs = (await databaseTimeMs(database.dialect, session)) - ageMinMs
    const where = `state = ${SEGMENT_DELETED} AND segment_id < ${uuid(firstIdOf(beforeMs))}`
    return session.run(database.dialect.deleteSome('segments', 'segment_id', where, 'level, segment_id', int(limit)))
  })
}

/** The smallest id that a segment sealed at `timeMs` can have. */
function firstIdOf(timeMs: number): SegmentId {
  const hex = Math.max(0, timeMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

export async function orphansAmong(
  dialect: Dialect,
  session: Session,
  segmentIds: readonly SegmentId[],
  ageMinMs: number,
): Promise<SegmentId[]> {
  if (segmentIds.length === 0) return []
  const first = firstIdOf((await databaseTimeMs(dialect, session)) - ageMinMs)
  const old = segmentIds.filter((segmentId) => segmentId < first)
  const claimed = new Set<SegmentId>()
  for (const chunk of inChunks(literalsOf(old), SEGMENTS_PER_STATEMENT)) {
    const rows = await session.rows(
      `SELECT segment_id FROM segments
       WHERE ${within('segment_id', chunk)} AND state IN (${SEGMENT_LIVE}, ${SEGMENT_DEAD})`,
    )
    for (const row of rows) claimed.add(uuidOf(row, 'segment_id'))
  }
  return old.filter((segmentId) => !claimed.has(segmentId))
}

export async function newestSegmentId(session: Session): Promise<SegmentId | undefined> {
  const [row] = await session.rows('SELECT segment_id FROM segments ORDER BY segment_id DESC LIMIT 1')
  return row && uuidOf(row, 'segment_id')
}

const STATE_NAMES: ReadonlyMap<number, SegmentState> = new Map([
  [SEGMENT_LIVE, 'live'],
  [SEGMENT_DEAD, 'dead'],
  [SEGMENT_DELETED, 'deleted'],
])

export async function segmentTotals(dialect: Dialect, session: Session): Promise<SegmentTotal[]> {
  const rows = await session.rows(
    `SELECT state, level, COUNT(*) AS segment_count, SUM(object_bytes) AS object_bytes,
     ${dialect.nowMs} - MIN(COALESCE(dead_at_ms, ${dialect.nowMs})) AS dead_for_ms
     FROM segments GROUP BY state, level ORDER BY state, level`,
  )
  return rows.map((row) => ({
    state: STATE_NAMES.get(intOf(row, 'state')) ?? 'deleted',
    level: intOf(row, 'level'),
    segmentCount: intOf(row, 'segment_count'),
    objectBytes: intOf(row, 'object_bytes'),
    deadForMs: Math.max(0, intOf(row, 'dead_for_ms')),
  }))
}

export async function liveUseOf(
  dialect: Dialect,
  session: Session,
  segmentIds: readonly SegmentId[],
): Promise<LiveUse[]> {
  const uses = new Map<SegmentId, LiveUse>()
  for (const chunk of inChunks(literalsOf(segmentIds), SEGMENTS_PER_STATEMENT)) {
    for (const extent of await readExtentsOfSegments(dialect, session, within('segment_id', chunk))) {
      const { extentCount, bytes, batchCount } = uses.get(extent.segmentId) ?? NO_USE
      uses.set(extent.segmentId, {
        extentCount: extentCount + 1,
        bytes: bytes + extent.bytes,
        batchCount: batchCount + extent.batchCount,
      })
    }
  }
  return segmentIds.map((segmentId) => uses.get(segmentId) ?? NO_USE)
}

const NO_USE: LiveUse = { extentCount: 0, bytes: 0, batchCount: 0 }
