import type { PartitionState } from '../../engine/commit/commit-decisions.js'
import type { Session } from './database.js'
import { inChunks, int, intOf, within } from './sql-text.js'

const PARTITIONS_PER_STATEMENT = 5000

/** Those partitions that exist, by number, as they are committed. Locks nothing. */
export async function readPartitions(
  session: Session,
  partitionNos: Iterable<number | undefined>,
): Promise<ReadonlyMap<number, PartitionState>> {
  const states = new Map<number, PartitionState>()
  const wanted = [...new Set(partitionNos)].filter((number) => number !== undefined)
  for (const chunk of inChunks(wanted, PARTITIONS_PER_STATEMENT)) {
    const rows = await session.rows(
      `SELECT partition_no, log_start_offset, high_watermark, max_timestamp_ms FROM partitions
       WHERE ${within('partition_no', chunk.map(int))}`,
    )
    for (const row of rows) {
      states.set(intOf(row, 'partition_no'), {
        logStartOffset: intOf(row, 'log_start_offset'),
        highWatermark: intOf(row, 'high_watermark'),
        maxTimestampMs: intOf(row, 'max_timestamp_ms'),
      })
    }
  }
  return states
}
