import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { inChunks, int, intOf } from './sql-text.js'

/**
 * Narrows down where a partition first reaches a timestamp, by probing the running maximum, which grows with the offsets, at places
 * between log start and high watermark. An index on it would answer at once, and would cost every commit a page for each
 * partition, where a search by time is rare (docs/adr/0008-time-is-searched-by-offset.md).
 *
 * Only a bound comes out: no extent that ends at it or before reaches the timestamp. That holds whatever happens
 * meanwhile: commits add extents behind, retention removes them in front, and a merged extent that takes the place of a
 * probed one ends later than it did. So whoever reads on from the bound finds what is right then, however near it is.
 */
export interface TimestampSearch {
  readonly partitionNo: number
  readonly timestampMs: number
  readonly logStartOffset: number
  readonly highWatermark: number
}

/** Between `from`, which is known not to reach the timestamp, and `to`, which is. */
interface Gap {
  readonly search: TimestampSearch
  from: number
  to: number
  /** Offsets per extent, as far as seen; none yet: 1. */
  extentOffsets: number
}

interface Probe {
  readonly gap: Gap
  readonly offset: number
}

/** So many extents are sooner read through than narrowed down. */
const EXTENTS_LEFT = 256
const PROBES_PER_STATEMENT = 200
/** Of each partition in a round: many take fewer rounds, few take less in all. */
const PROBES_MAX = 15
const PROBES_MIN = 3
/** Enough for 2^32 extents by the least probes. */
const ROUNDS_MAX = 16

/** For each search, in order: an offset that its extent ends after. */
export async function narrowByTimestamp(
  dialect: Dialect,
  session: Session,
  searches: readonly TimestampSearch[],
): Promise<number[]> {
  const gaps = searches.map((search): Gap => {
    return { search, from: search.logStartOffset, to: search.highWatermark, extentOffsets: 1 }
  })
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const wide = gaps.filter(({ from, to, extentOffsets }) => to - from > EXTENTS_LEFT * extentOffsets)
    if (wide.length === 0) break
    const count = Math.max(PROBES_MIN, Math.min(PROBES_MAX, Math.floor(PROBES_PER_STATEMENT / wide.length)))
    const probes = wide.flatMap((gap) => probesOf(gap, count))
    for (const chunk of inChunks(probes, PROBES_PER_STATEMENT)) await probe(dialect, session, chunk)
  }
  return gaps.map(({ from }) => from)
}

function probesOf(gap: Gap, count: number): Probe[] {
  const step = (gap.to - gap.from) / (count + 1)
  return Array.from({ length: count }, (_, index) => ({ gap, offset: Math.floor(gap.from + step * (index + 1)) }))
}

/** Each finds the extent that contains its offset, or else the first one after it. */
async function probe(dialect: Dialect, session: Session, probes: readonly Probe[]): Promise<void> {
  const parts = probes.map(({ gap, offset }, index) =>
    dialect.unionPart(
      `SELECT ${int(index)} AS probe, end_offset, base_offset, running_max_timestamp_ms FROM extents
       WHERE partition_no = ${int(gap.search.partitionNo)} AND end_offset > ${int(offset)}
       ORDER BY end_offset LIMIT 1`,
    ),
  )
  const found = new Set<number>()
  for (const row of await session.rows(parts.join(' UNION ALL '))) {
    const index = intOf(row, 'probe')
    const { gap, offset } = probes[index] as Probe
    const endOffset = intOf(row, 'end_offset')
    found.add(index)
    gap.extentOffsets = Math.max(gap.extentOffsets, endOffset - intOf(row, 'base_offset'))
    if (intOf(row, 'running_max_timestamp_ms') < gap.search.timestampMs) gap.from = Math.max(gap.from, endOffset)
    else gap.to = Math.min(gap.to, offset)
  }
  // Nothing ends after the offset: removed meanwhile, so what is left to find lies before it.
  for (const [index, { gap, offset }] of probes.entries()) if (!found.has(index)) gap.to = Math.min(gap.to, offset)
}
