import type { PartitionRef, SegmentId } from '../../engine/model.js'
import type { LogStartRequest, PartitionOffsets } from '../../engine/ports/catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { RECENT_COLUMNS, recentExtentsOf } from './extent-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf, readPartition, slotOf, writePartition } from './partition-page.js'
import { lockPages, readPartitions, replacePages } from './partition-rows.js'
import { inChunks, int, intOf, uuidOf, within } from './sql-text.js'

/** What admin tools do to logs, and how large they find them. */

const PARTITIONS_PER_STATEMENT = 1000
/** An index range each; a statement over more could outlast its deadline where partitions have many extents. */
const SIZES_PER_STATEMENT = 200

type Offsets = Map<number, PartitionOffsets>

export async function advanceLogStarts(
  database: Database,
  numbers: PartitionNumbers,
  requests: readonly LogStartRequest[],
): Promise<(PartitionOffsets | undefined)[]> {
  const resolved = await database.read((session) => numbers.resolve(session, requests))
  const wanted = [...new Set(resolved.filter((number) => number !== undefined))].sort((a, b) => a - b)
  const offsets: Offsets = new Map()
  // A transaction per chunk: partitions are independent, and commits wait for these locks.
  for (const chunk of inChunks(wanted, PARTITIONS_PER_STATEMENT)) {
    const mine = new Set(chunk)
    const moves = requests.flatMap(({ offset }, index) => {
      const partitionNo = resolved[index]
      return partitionNo !== undefined && mine.has(partitionNo) ? [{ partitionNo, offset }] : []
    })
    const moved = await database.change((session) => advanceLocked(database.dialect, session, chunk, moves))
    for (const [partitionNo, offset] of moved) offsets.set(partitionNo, offset)
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : offsets.get(partitionNo)))
}

async function advanceLocked(
  dialect: Dialect,
  session: Session,
  partitionNos: readonly number[],
  moves: readonly { readonly partitionNo: number; readonly offset: LogStartRequest['offset'] }[],
): Promise<Offsets> {
  const pages = await lockPages(dialect, session, new Set(partitionNos.map(pageNumberOf)))
  const moved = new Map<number, Uint8Array>()
  for (const { partitionNo, offset } of moves) {
    const pageNo = pageNumberOf(partitionNo)
    const page = pages.get(pageNo)
    const partition = page && readPartition(page, slotOf(partitionNo))
    if (page === undefined || partition === undefined) continue
    const target = offset === 'high-watermark' ? partition.highWatermark : offset
    if (target <= partition.logStartOffset || target > partition.highWatermark) continue
    writePartition(page, slotOf(partitionNo), { ...partition, logStartOffset: target })
    moved.set(pageNo, page)
  }
  await replacePages(dialect, session, moved)
  const offsets: Offsets = new Map()
  for (const partitionNo of partitionNos) {
    const page = pages.get(pageNumberOf(partitionNo))
    const partition = page && readPartition(page, slotOf(partitionNo))
    if (partition === undefined) continue
    offsets.set(partitionNo, { logStartOffset: partition.logStartOffset, highWatermark: partition.highWatermark })
  }
  return offsets
}

/**
 * Stored bytes of what can be read. Extents that share blocks, as those of a merged segment do where another segment holds the
 * offsets between them, name the same bytes: a partition's blocks lie side by side in a segment, so together they are no
 * more than from the first to the last of them.
 */
export async function partitionSizes(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(number | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const states = await readPartitions(session, resolved)
  const sizes = new Map([...states.keys()].map((partitionNo) => [partitionNo, 0]))
  for (const chunk of inChunks([...states], SIZES_PER_STATEMENT)) {
    const logStarts = new Map(chunk.map(([partitionNo, { logStartOffset }]) => [partitionNo, logStartOffset]))
    // In this order, what is filed between the two is met twice, and counted once.
    const uses = await recentUses(session, logStarts)
    for (const use of await filedUses(dialect, session, logStarts)) uses.set(keyOf(use), use)
    for (const { partitionNo, bytes, firstPosition, endPosition } of uses.values()) {
      sizes.set(partitionNo, (sizes.get(partitionNo) ?? 0) + Math.min(bytes, endPosition - firstPosition))
    }
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : sizes.get(partitionNo)))
}

/** What extents of one partition point at in one segment. */
interface SegmentUse {
  readonly partitionNo: number
  readonly segmentId: SegmentId
  readonly bytes: number
  readonly firstPosition: number
  readonly endPosition: number
}

function keyOf({ partitionNo, segmentId }: Pick<SegmentUse, 'partitionNo' | 'segmentId'>): string {
  return `${partitionNo}/${segmentId}`
}

async function filedUses(
  dialect: Dialect,
  session: Session,
  logStarts: ReadonlyMap<number, number>,
): Promise<SegmentUse[]> {
  const parts = [...logStarts].map(([partitionNo, logStartOffset]) =>
    dialect.unionPart(
      `SELECT ${int(partitionNo)} AS partition_no, segment_id, SUM(bytes) AS extent_bytes,
       MIN(position) AS first_position, MAX(position + bytes) AS end_position FROM extents
       WHERE partition_no = ${int(partitionNo)} AND end_offset > ${int(logStartOffset)} GROUP BY segment_id`,
    ),
  )
  const rows = await session.rows(parts.join(' UNION ALL '))
  return rows.map((row) => ({
    partitionNo: intOf(row, 'partition_no'),
    segmentId: uuidOf(row, 'segment_id'),
    bytes: intOf(row, 'extent_bytes'),
    firstPosition: intOf(row, 'first_position'),
    endPosition: intOf(row, 'end_position'),
  }))
}

async function recentUses(session: Session, logStarts: ReadonlyMap<number, number>): Promise<Map<string, SegmentUse>> {
  const pageNos = new Set([...logStarts.keys()].map((partitionNo) => int(pageNumberOf(partitionNo))))
  const rows = await session.rows(
    `SELECT ${RECENT_COLUMNS} FROM recent_extents WHERE ${within('page_no', [...pageNos])}`,
  )
  const uses = new Map<string, SegmentUse>()
  for (const { partitionNo, segmentId, endOffset, position, bytes } of rows.flatMap(recentExtentsOf)) {
    if (endOffset <= (logStarts.get(partitionNo) ?? Number.POSITIVE_INFINITY)) continue
    const key = keyOf({ partitionNo, segmentId })
    const use = uses.get(key)
    uses.set(key, {
      partitionNo,
      segmentId,
      bytes: (use?.bytes ?? 0) + bytes,
      firstPosition: Math.min(use?.firstPosition ?? position, position),
      endPosition: Math.max(use?.endPosition ?? 0, position + bytes),
    })
  }
  return uses
}
