import type { PartitionRef } from '../../engine/model.js'
import type { LogStartRequest, PartitionOffsets, PartitionProducer } from '../../engine/ports/catalog.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { decodeProducer } from './producer-blob.js'
import { producerKeyLiteral } from './producers.js'
import { bytesOf, inChunks, int, intOf, type Row, tuple, within } from './sql-text.js'

/** What admin tools do to logs, and ask of them. */

const PARTITIONS_PER_STATEMENT = 1000
/** An index range each; a statement over more could outlast its deadline where partitions have many extents. */
const SIZES_PER_STATEMENT = 200
const PRODUCER_LISTS_PER_STATEMENT = 200

type Offsets = Map<number, { logStartOffset: number; readonly highWatermark: number }>

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
  const rows = await session.rows(
    `SELECT partition_no, log_start_offset, high_watermark FROM partitions${dialect.onPrimaryKey}
     WHERE ${within('partition_no', partitionNos.map(int))} ORDER BY partition_no${dialect.lockRows}`,
  )
  const offsets: Offsets = new Map(rows.map((row) => [intOf(row, 'partition_no'), offsetsOf(row)]))
  const moved = new Set<number>()
  for (const { partitionNo, offset } of moves) {
    const partition = offsets.get(partitionNo)
    if (partition === undefined) continue
    const target = offset === 'high-watermark' ? partition.highWatermark : offset
    if (target <= partition.logStartOffset || target > partition.highWatermark) continue
    partition.logStartOffset = target
    moved.add(partitionNo)
  }
  // The rows are there and locked, so the insert always ends in its update.
  const tuples = [...moved].map((partitionNo) =>
    tuple(int(partitionNo), int(offsets.get(partitionNo)?.logStartOffset ?? 0), '0', '0'),
  )
  const columns = ['partition_no', 'log_start_offset', 'high_watermark', 'max_timestamp_ms']
  const suffix = dialect.onConflictReplace(['partition_no'], ['log_start_offset'])
  if (tuples.length > 0) await session.insert('partitions', columns, tuples, suffix)
  return offsets
}

function offsetsOf(row: Row): { logStartOffset: number; readonly highWatermark: number } {
  return { logStartOffset: intOf(row, 'log_start_offset'), highWatermark: intOf(row, 'high_watermark') }
}

/**
 * Stored bytes of what can be read. Extents that share blocks, as those of a merged segment do where another segment holds the
 * offsets between them, name the same bytes: a partition's blocks lie side by side in a segment, so together they are no
 * more than from the first to the last of them.
 */
export async function partitionSizes(
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(number | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const wanted = [...new Set(resolved.filter((number) => number !== undefined))]
  const sizes = new Map<number, number>()
  for (const chunk of inChunks(wanted, SIZES_PER_STATEMENT)) {
    const rows = await session.rows(
      `SELECT s.partition_no, SUM(CASE WHEN s.extent_bytes < s.span_bytes THEN s.extent_bytes ELSE s.span_bytes END) AS stored_bytes
       FROM (
         SELECT p.partition_no AS partition_no, e.segment_id AS segment_id, COALESCE(SUM(e.bytes), 0) AS extent_bytes,
           COALESCE(MAX(e.position + e.bytes) - MIN(e.position), 0) AS span_bytes
         FROM partitions p
         LEFT JOIN extents e ON e.partition_no = p.partition_no AND e.end_offset > p.log_start_offset
         WHERE ${within('p.partition_no', chunk.map(int))} GROUP BY p.partition_no, e.segment_id
       ) s GROUP BY s.partition_no`,
    )
    for (const row of rows) sizes.set(intOf(row, 'partition_no'), intOf(row, 'stored_bytes'))
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : sizes.get(partitionNo)))
}

export async function listProducers(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
  limit: number,
): Promise<(PartitionProducer[] | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const wanted = [...new Set(resolved.filter((number) => number !== undefined))]
  const found = new Map<number, PartitionProducer[]>()
  for (const chunk of inChunks(wanted, PRODUCER_LISTS_PER_STATEMENT)) {
    const there = await session.rows(
      `SELECT partition_no FROM partitions WHERE ${within('partition_no', chunk.map(int))}`,
    )
    for (const row of there) found.set(intOf(row, 'partition_no'), [])
    const parts = chunk.map((partitionNo) =>
      dialect.unionPart(
        `SELECT ${int(partitionNo)} AS partition_no, producer_key, epoch, batches, updated_at_ms FROM producers
         WHERE producer_key BETWEEN ${producerKeyLiteral(partitionNo, 0)}
         AND ${producerKeyLiteral(partitionNo, Number.MAX_SAFE_INTEGER)} ORDER BY producer_key LIMIT ${int(limit)}`,
      ),
    )
    for (const row of await session.rows(parts.join(' UNION ALL '))) {
      found.get(intOf(row, 'partition_no'))?.push(producerOf(row))
    }
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : found.get(partitionNo)))
}

function producerOf(row: Row): PartitionProducer {
  const key = bytesOf(row, 'producer_key')
  const { epoch, batches } = decodeProducer(intOf(row, 'epoch'), bytesOf(row, 'batches'))
  return {
    producerId: Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(PRODUCER_ID_AT)),
    producerEpoch: epoch,
    lastSequence: batches.at(-1)?.lastSequence ?? -1,
    usedAtMs: intOf(row, 'updated_at_ms'),
  }
}

/** In `producers.producer_key`, after the partition's number. */
const PRODUCER_ID_AT = 8
