import type { CommitDecision, SegmentDecision } from '../../engine/commit/commit-decisions.js'
import { encodeOutcome, offsetCountsOf } from '../../engine/commit/commit-outcome.js'
import type { PartitionMap } from '../../engine/commit/partition-map.js'
import type { PartitionRef } from '../../engine/model.js'
import type { CommitSegment } from '../../engine/ports/catalog.js'
import type { Dialect } from './dialect.js'
import { RecentExtents } from './extent-rows.js'
import { pageNumberOf, slotOf, writePartition } from './partition-page.js'
import type { PartitionPages } from './partition-rows.js'
import { ProducerPage } from './producer-page.js'
import { ProducerPages } from './producer-rows.js'
import { SEGMENT_DEAD, SEGMENT_LIVE } from './schema.js'
import { type BulkValue, blob, int, tuple, utf8Hex, uuid, uuidHex } from './sql-text.js'

/** What a commit writes: from what was decided to rows. */
export const SEGMENT_COLUMNS = [
  'segment_id',
  'object_key',
  'object_bytes',
  'level',
  'state',
  'live_extent_count',
  'committed_at_ms',
  'dead_at_ms',
  'outcome',
]

/** Also a segment of which nothing was accepted gets its row, dead from the start: a repeat must find its outcome. */
export function segmentsInsert(
  dialect: Dialect,
  segments: readonly CommitSegment[],
  decisions: readonly SegmentDecision[],
  nowMs: number,
): string {
  const tuples = segments.map((segment, index) => {
    const { batches, extents } = decisions[index] as SegmentDecision
    const live = extents.length > 0
    return tuple(
      uuid(segment.segmentId),
      dialect.textOfHex(utf8Hex(segment.objectKey)),
      int(segment.objectBytes),
      '0',
      int(live ? SEGMENT_LIVE : SEGMENT_DEAD),
      int(extents.length),
      int(nowMs),
      live ? 'NULL' : int(nowMs),
      blob(encodeOutcome(batches, offsetCountsOf(segment))),
    )
  })
  return `INSERT INTO segments (${SEGMENT_COLUMNS.join(', ')}) VALUES ${tuples.join(', ')}`
}

/** Rows of `recent_extents`. */
export function acceptedRows(decision: CommitDecision, numberOf: PartitionMap<number>): BulkValue[][] {
  return decision.segments.flatMap(({ segmentId, extents }) => {
    const recent = new RecentExtents()
    for (const extent of extents) {
      recent.add(partitionNumberOf(numberOf, extent), extent, extent.runningMaxTimestampMs)
    }
    return recent.rows(uuidHex(segmentId))
  })
}

/** Changes them in place. */
export function changedPages(
  decision: CommitDecision,
  numberOf: PartitionMap<number>,
  pages: PartitionPages,
): PartitionPages {
  const changed = new Map<number, Uint8Array>()
  for (const change of decision.partitions) {
    const number = partitionNumberOf(numberOf, change)
    const pageNo = pageNumberOf(number)
    const page = pages.get(pageNo)
    if (page === undefined) throw new RangeError(`partition ${number} is not locked`)
    writePartition(page, slotOf(number), change)
    changed.set(pageNo, page)
  }
  return changed
}

/** Likewise. */
export function changedProducers(
  decision: CommitDecision,
  numberOf: PartitionMap<number>,
  known: ProducerPages,
  nowMs: number,
): ProducerPages {
  const changed = new ProducerPages()
  for (const change of decision.producers) {
    const number = partitionNumberOf(numberOf, change)
    const [pageNo, { producerId }] = [pageNumberOf(number), change]
    const page = changed.get(pageNo, producerId) ?? known.get(pageNo, producerId) ?? new ProducerPage()
    page.set(slotOf(number), change, nowMs)
    changed.set(pageNo, producerId, page)
  }
  return changed
}

function partitionNumberOf(numberOf: PartitionMap<number>, { topicId, partition }: PartitionRef): number {
  return numberOf.get(topicId, partition) ?? Number.NaN
}
