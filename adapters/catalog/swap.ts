import type { PartitionState } from '../../engine/commit/commit-decisions.js'
import { partitionKey } from '../../engine/model.js'
import type { OutputExtent, OutputSegment, SegmentSwap, SwapOutcome } from '../../engine/ports/jobs-catalog.js'
import { segmentTimeMs } from '../../engine/segment-identity.js'
import { SEGMENT_COLUMNS } from './commit-changes.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { fileAmong } from './extent-filing.js'
import { literalsOf, lockSegments, type NumberedExtent, removeCounted } from './extent-removal.js'
import { extentRow, extentsInsert } from './extent-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { readPartitions } from './partition-rows.js'
import { SEGMENT_DEAD, SEGMENT_LIVE } from './schema.js'
import { blob, bytesOf, inChunks, int, intOf, tuple, uuid, uuidHex, within } from './sql-text.js'

/**
 * Compaction's swap. The inputs' extents are filed, then the inputs' rows are locked, so that their extents stand still; then what was planned is held against what
 * is there. Retention may have removed extents meanwhile, and only that; whatever else has changed refuses the swap.
 */
export async function swapSegments(
  database: Database,
  numbers: PartitionNumbers,
  swap: SegmentSwap,
  commitAgeMaxMs: number,
): Promise<SwapOutcome> {
  await fileAmong(database, 'segment_id', literalsOf(swap.inputs))
  return database.change((session) => swapOnce(database.dialect, session, numbers, swap, commitAgeMaxMs))
}

async function swapOnce(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  swap: SegmentSwap,
  commitAgeMaxMs: number,
): Promise<SwapOutcome> {
  const { inputs, output } = swap
  const literals = literalsOf(inputs)
  await lockSegments(dialect, session, literals)
  // Under the locks: an earlier attempt of the same swap, still at work on the server, has ended by now.
  const { nowMs, known } = await readOutput(dialect, session, output)
  if (known) return { swapped: true }
  if (output && nowMs - segmentTimeMs(output.segmentId) > commitAgeMaxMs) {
    return { swapped: false, code: 'SEGMENT_TOO_OLD' }
  }
  const planned = await numberedOutputs(session, numbers, output)
  const present = await readPresent(session, literals)
  const partitionNos = new Set([...present.values(), ...planned].map(({ partitionNo }) => partitionNo))
  const partitions = await readPartitions(session, partitionNos)
  const kept = keptOutputs(planned, present, partitions, swap.partial === true)
  if (kept === undefined) return { swapped: false, code: 'INPUTS_CHANGED' }

  if (swap.partial === true) await removeCounted(dialect, session, replacedOf(planned, present))
  else await removeAll(dialect, session, literals, nowMs)
  if (output) await insertOutput(session, output, kept, nowMs)
  return { swapped: true }
}

/** All extents of the inputs, which are dead with that. */
async function removeAll(
  dialect: Dialect,
  session: Session,
  literals: readonly string[],
  nowMs: number,
): Promise<void> {
  for (const chunk of inChunks(literals, 500)) {
    await session.run(dialect.deleteByIndex('extents', 'extents_segment', within('segment_id', chunk)))
  }
  for (const chunk of inChunks(literals, 500)) {
    await session.run(
      `UPDATE segments SET state = ${SEGMENT_DEAD}, live_extent_count = 0, dead_at_ms = ${int(nowMs)}
       WHERE ${within('segment_id', chunk)} AND state = ${SEGMENT_LIVE}`,
    )
  }
}

/** Those extents that are replaced and still there, each once. */
function replacedOf(
  planned: readonly NumberedOutput[],
  present: ReadonlyMap<string, PresentExtent>,
): readonly NumberedExtent[] {
  const replaced = new Map<string, NumberedExtent>()
  for (const { partitionNo, extent } of planned) {
    for (const { endOffset, segmentId } of extent.replaces) {
      const segmentLiteral = uuid(segmentId)
      const key = presentKey(partitionNo, endOffset, segmentLiteral)
      if (present.has(key)) replaced.set(key, { partitionNo, endOffset, segmentLiteral })
    }
  }
  return [...replaced.values()]
}

async function readOutput(
  dialect: Dialect,
  session: Session,
  output: OutputSegment | undefined,
): Promise<{ readonly nowMs: number; readonly known: boolean }> {
  const condition = output === undefined ? '1 = 0' : `s.segment_id = ${uuid(output.segmentId)}`
  const [row] = await session.rows(
    `SELECT ${dialect.nowMs} AS now_ms, s.segment_id FROM cluster_state c LEFT JOIN segments s ON ${condition}
     WHERE c.singleton = 1`,
  )
  return { nowMs: intOf(row ?? {}, 'now_ms'), known: row?.['segment_id'] != null }
}

/** An extent of the output under its partition's number. */
interface NumberedOutput {
  readonly partitionNo: number
  readonly extent: OutputExtent
}

/** Without those of topics that have been cleared away. */
async function numberedOutputs(
  session: Session,
  numbers: PartitionNumbers,
  output: OutputSegment | undefined,
): Promise<NumberedOutput[]> {
  const extents = output?.extents ?? []
  const resolved = await numbers.resolve(session, extents)
  return extents.flatMap((extent, index) => {
    for (const { topicId, partition } of extent.replaces) {
      if (partitionKey(topicId, partition) !== partitionKey(extent.topicId, extent.partition)) {
        throw new RangeError('an extent cannot replace one of another partition')
      }
    }
    const partitionNo = resolved[index]
    return partitionNo === undefined ? [] : [{ partitionNo, extent }]
  })
}

/** An input's extent as it is now. */
interface PresentExtent {
  readonly partitionNo: number
  readonly endOffset: number
  readonly runningMaxTimestampMs: number
}

async function readPresent(session: Session, literals: readonly string[]): Promise<ReadonlyMap<string, PresentExtent>> {
  const present = new Map<string, PresentExtent>()
  for (const chunk of inChunks(literals, 500)) {
    const rows = await session.rows(
      `SELECT partition_no, end_offset, segment_id, running_max_timestamp_ms FROM extents
       WHERE ${within('segment_id', chunk)}`,
    )
    for (const row of rows) {
      const [partitionNo, endOffset] = [intOf(row, 'partition_no'), intOf(row, 'end_offset')]
      const runningMaxTimestampMs = intOf(row, 'running_max_timestamp_ms')
      const key = presentKey(partitionNo, endOffset, blob(bytesOf(row, 'segment_id')))
      present.set(key, { partitionNo, endOffset, runningMaxTimestampMs })
    }
  }
  return present
}

function presentKey(partitionNo: number, endOffset: number, segmentLiteral: string): string {
  return `${partitionNo}/${endOffset}/${segmentLiteral}`
}

interface KeptOutput extends NumberedOutput {
  readonly runningMaxTimestampMs: number
}

/** The extents to write, or undefined when the inputs are not what the plan saw. */
function keptOutputs(
  planned: readonly NumberedOutput[],
  present: ReadonlyMap<string, PresentExtent>,
  partitions: ReadonlyMap<number, PartitionState>,
  partial: boolean,
): KeptOutput[] | undefined {
  const isWanted = (partitionNo: number, endOffset: number) =>
    endOffset > (partitions.get(partitionNo)?.logStartOffset ?? Number.POSITIVE_INFINITY)
  const covered = new Set<string>()
  const kept: KeptOutput[] = []
  for (const { partitionNo, extent } of planned) {
    let runningMaxTimestampMs = Number.NEGATIVE_INFINITY
    for (const { endOffset, segmentId } of extent.replaces) {
      const key = presentKey(partitionNo, endOffset, uuid(segmentId))
      const found = present.get(key)
      covered.add(key)
      if (!isWanted(partitionNo, endOffset)) continue
      if (!found) return undefined
      runningMaxTimestampMs = Math.max(runningMaxTimestampMs, found.runningMaxTimestampMs)
    }
    if (runningMaxTimestampMs !== Number.NEGATIVE_INFINITY) kept.push({ partitionNo, extent, runningMaxTimestampMs })
  }
  if (partial) return kept
  for (const [key, { partitionNo, endOffset }] of present) {
    if (!covered.has(key) && isWanted(partitionNo, endOffset)) return undefined
  }
  return kept
}

async function insertOutput(
  session: Session,
  output: OutputSegment,
  kept: readonly KeptOutput[],
  nowMs: number,
): Promise<void> {
  const live = kept.length > 0
  const segment = tuple(
    uuid(output.segmentId),
    '?',
    int(output.objectBytes),
    int(output.level),
    int(live ? SEGMENT_LIVE : SEGMENT_DEAD),
    int(kept.length),
    int(nowMs),
    live ? 'NULL' : int(nowMs),
    "x''",
  )
  await session.run(`INSERT INTO segments (${SEGMENT_COLUMNS.join(', ')}) VALUES ${segment}`, [output.objectKey])
  const segmentHex = uuidHex(output.segmentId)
  const rows = kept.map(({ partitionNo, extent, runningMaxTimestampMs }) =>
    extentRow(partitionNo, segmentHex, extent, runningMaxTimestampMs),
  )
  await session.insertRows(extentsInsert(rows))
}
