import type { SegmentId } from '../../engine/model.js'
import { type ExtentRef, NOTHING_REMOVED, type Removal } from '../../engine/ports/jobs-catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { fileAmong } from './extent-filing.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf } from './partition-page.js'
import { readPartitions } from './partition-rows.js'
import { SEGMENT_DEAD, SEGMENT_LIVE } from './schema.js'
import { blob, bytesOf, inChunks, int, intOf, pairsWithin, type Row, uuid, within } from './sql-text.js'

/**
 * Removing extents, which are filed first. Their segments' rows are locked first, in the order of their ids, and with them the extents: so two
 * removals, or one and a swap, that share a segment wait for each other and count its extents right. Partitions are not
 * locked: below the log start, or without a partition, an extent is invisible to readers and out of the way of commits.
 */
export async function removeExtents(
  database: Database,
  numbers: PartitionNumbers,
  extents: readonly ExtentRef[],
): Promise<Removal> {
  if (extents.length === 0) return NOTHING_REMOVED
  const resolved = await database.read((session) => numbers.resolve(session, extents))
  const numbered = extents.flatMap(({ endOffset, segmentId }, index): NumberedExtent[] => {
    const partitionNo = resolved[index]
    return partitionNo === undefined ? [] : [{ partitionNo, endOffset, segmentLiteral: uuid(segmentId) }]
  })
  const pageNos = new Set(numbered.map(({ partitionNo }) => int(pageNumberOf(partitionNo))))
  await fileAmong(database, 'page_no', [...pageNos])
  return database.change((session) => removeNumbered(database.dialect, session, numbered))
}

export interface NumberedExtent {
  readonly partitionNo: number
  readonly endOffset: number
  /** The segment's id as a literal. */
  readonly segmentLiteral: string
}

export async function removeNumbered(
  dialect: Dialect,
  session: Session,
  extents: readonly NumberedExtent[],
): Promise<Removal> {
  if (extents.length === 0) return NOTHING_REMOVED
  await lockSegments(dialect, session, [...new Set(extents.map(({ segmentLiteral }) => segmentLiteral))])
  const partitions = await readPartitions(
    session,
    extents.map(({ partitionNo }) => partitionNo),
  )
  const going: NumberedExtent[] = []
  let bytes = 0
  for (const { extent, row } of await readExtents(dialect, session, extents)) {
    if (blob(bytesOf(row, 'segment_id')) !== extent.segmentLiteral) continue
    const partition = partitions.get(extent.partitionNo)
    if (partition && extent.endOffset > partition.logStartOffset) continue
    going.push(extent)
    bytes += intOf(row, 'bytes')
  }
  const deadSegmentCount = await removeCounted(dialect, session, going)
  return { extentCount: going.length, bytes, deadSegmentCount }
}

/** Removes extents that are there, under the locks of their segments. Answers how many of these are dead now. */
export async function removeCounted(
  dialect: Dialect,
  session: Session,
  going: readonly NumberedExtent[],
): Promise<number> {
  if (going.length === 0) return 0
  const countOf = new Map<string, number>()
  for (const { segmentLiteral } of going) countOf.set(segmentLiteral, (countOf.get(segmentLiteral) ?? 0) + 1)
  for (const condition of conditionsOf(going)) {
    await session.run(dialect.deleteByIndex('extents', 'PRIMARY', condition))
  }
  return countDown(dialect, session, countOf)
}

/** In the order of the ids. The literals order as the ids do. */
export async function lockSegments(dialect: Dialect, session: Session, literals: readonly string[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const chunk of inChunks([...literals].sort(), 500)) {
    rows.push(
      ...(await session.rows(
        `SELECT segment_id, state, live_extent_count FROM segments${dialect.onPrimaryKey}
         WHERE ${within('segment_id', chunk)} ORDER BY segment_id${dialect.lockRows}`,
      )),
    )
  }
  return rows
}

async function readExtents(
  dialect: Dialect,
  session: Session,
  extents: readonly NumberedExtent[],
): Promise<{ readonly extent: NumberedExtent; readonly row: Row }[]> {
  const wanted = new Map(extents.map((extent) => [`${extent.partitionNo}/${extent.endOffset}`, extent]))
  const found: { readonly extent: NumberedExtent; readonly row: Row }[] = []
  for (const condition of conditionsOf(extents)) {
    const rows = await session.rows(
      `SELECT partition_no, end_offset, segment_id, bytes FROM extents${dialect.onPrimaryKey} WHERE ${condition}`,
    )
    for (const row of rows) {
      const extent = wanted.get(`${intOf(row, 'partition_no')}/${intOf(row, 'end_offset')}`)
      if (extent) found.push({ extent, row })
    }
  }
  return found
}

function conditionsOf(extents: readonly NumberedExtent[]): string[] {
  const keys = extents.map(({ partitionNo, endOffset }) => [int(partitionNo), int(endOffset)] as const)
  return pairsWithin('partition_no', 'end_offset', keys)
}

/** Takes so many extents off each segment's count, and marks those dead that have none left; answers how many. */
async function countDown(dialect: Dialect, session: Session, countOf: ReadonlyMap<string, number>): Promise<number> {
  let dead = 0
  for (const chunk of inChunks([...countOf], 400)) {
    const condition = within(
      'segment_id',
      chunk.map(([literal]) => literal),
    )
    const cases = chunk.map(([literal, count]) => `WHEN ${literal} THEN ${int(count)}`).join(' ')
    await session.run(
      `UPDATE segments SET live_extent_count = live_extent_count - (CASE segment_id ${cases} ELSE 0 END) WHERE ${condition}`,
    )
    dead += await session.run(
      `UPDATE segments SET state = ${SEGMENT_DEAD}, dead_at_ms = ${dialect.nowMs}
       WHERE ${condition} AND live_extent_count <= 0 AND state = ${SEGMENT_LIVE}`,
    )
  }
  return dead
}

export function literalsOf(segmentIds: readonly SegmentId[]): string[] {
  return segmentIds.map(uuid)
}
