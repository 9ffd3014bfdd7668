import type { PartitionRef } from '../../engine/model.js'
import type { LogStartRequest, PartitionOffsets } from '../../engine/ports/catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf, readPartition, slotOf, writePartition } from './partition-page.js'
import { lockPages, readPartitions, replacePages } from './partition-rows.js'
import { inChunks, int, intOf } from './sql-text.js'

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
    const parts = chunk.map(([partitionNo, { logStartOffset }]) =>
      dialect.unionPart(
        `SELECT ${int(partitionNo)} AS partition_no, SUM(bytes) AS extent_bytes,
         MAX(position + bytes) - MIN(position) AS span_bytes FROM extents
         WHERE partition_no = ${int(partitionNo)} AND end_offset > ${int(logStartOffset)} GROUP BY segment_id`,
      ),
    )
    const rows = await session.rows(parts.join(' UNION ALL '))
    for (const row of rows) {
      const partitionNo = intOf(row, 'partition_no')
      const bytes = Math.min(intOf(row, 'extent_bytes'), intOf(row, 'span_bytes'))
      sizes.set(partitionNo, (sizes.get(partitionNo) ?? 0) + bytes)
    }
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : sizes.get(partitionNo)))
}
