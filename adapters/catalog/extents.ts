import type { PartitionRef } from '../../engine/model.js'
import type {
  Extent,
  ExtentAnswer,
  ExtentRequest,
  PartitionOffsets,
  TimestampRequest,
} from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { inChunks, int, intOf, type Row, textOf, uuidOf, within } from './sql-text.js'

/**
 * Reading the logs. Each request is one branch of a UNION ALL: an index range of its partition with a limit of its own, so
 * the cost is that of the rows it answers. One branch reads offsets and extents together, which makes them one picture.
 */
const BRANCHES_PER_STATEMENT = 200
/** Enough for most byte budgets; a request that needs more is asked again with its own maximum. */
const FIRST_ROUND_EXTENTS = 16
const PARTITIONS_PER_STATEMENT = 5000

const COLUMNS = `p.log_start_offset, p.high_watermark, e.end_offset, e.base_offset, e.segment_id, e.position, e.bytes,
 e.batch_skip_count, e.batch_count, e.max_timestamp_ms, s.object_key, s.object_bytes, s.level`

export async function partitionOffsets(
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(PartitionOffsets | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const wanted = new Set(resolved.filter((number) => number !== undefined))
  const found = new Map<number, PartitionOffsets>()
  for (const chunk of inChunks([...wanted], PARTITIONS_PER_STATEMENT)) {
    const condition = within('partition_no', chunk.map(int))
    const rows = await session.rows(
      `SELECT partition_no, log_start_offset, high_watermark FROM partitions WHERE ${condition}`,
    )
    for (const row of rows) found.set(intOf(row, 'partition_no'), offsetsOf(row))
  }
  return resolved.map((number) => (number === undefined ? undefined : found.get(number)))
}

export async function findExtents(
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly ExtentRequest[],
): Promise<(ExtentAnswer | undefined)[]> {
  const resolved = await numbers.resolve(session, requests)
  const answers: (ExtentAnswer | undefined)[] = new Array(requests.length).fill(undefined)
  const ask = async (indexes: readonly number[], countMax: (request: ExtentRequest) => number) => {
    const again: number[] = []
    await branches(
      session,
      indexes,
      (index) => extentsBranch(at(requests, index), resolved[index], countMax),
      (index, rows) => {
        const request = at(requests, index)
        const { answer, cutShort } = extentAnswer(request, rows, countMax(request))
        answers[index] = answer
        if (cutShort) again.push(index)
      },
    )
    return again
  }
  const all = [...requests.keys()]
  const again = await ask(all, (request) => Math.min(request.extentCountMax, FIRST_ROUND_EXTENTS))
  await ask(again, (request) => request.extentCountMax)
  return answers
}

function extentsBranch(
  request: ExtentRequest,
  number: number | undefined,
  countMax: (request: ExtentRequest) => number,
): string | undefined {
  if (number === undefined) return undefined
  const offset = int(request.offset)
  return `FROM partitions p
   LEFT JOIN extents e ON e.partition_no = ${int(number)} AND e.end_offset > ${offset} AND p.log_start_offset <= ${offset}
   LEFT JOIN segments s ON s.segment_id = e.segment_id
   WHERE p.partition_no = ${int(number)} ORDER BY e.end_offset LIMIT ${int(Math.max(1, countMax(request)))}`
}

/** `cutShort`: the rows ended at their limit, not at the request's. */
function extentAnswer(
  request: ExtentRequest,
  rows: readonly Row[],
  countMax: number,
): { readonly answer: ExtentAnswer; readonly cutShort: boolean } {
  const offsets = offsetsOf(at(rows, 0))
  const extents: Extent[] = []
  let bytes = 0
  for (const row of rows) {
    if (row['end_offset'] === null || extents.length >= request.extentCountMax) break
    // After the first extent a hole is the end: what lies behind it is not adjacent.
    const before = extents.at(-1)
    const extent = extentOf(request, row)
    if (before && before.endOffset !== extent.baseOffset) break
    extents.push(extent)
    bytes += extent.bytes
    if (bytes >= request.bytesMax) break
  }
  const cutShort = extents.length === countMax && countMax < request.extentCountMax && bytes < request.bytesMax
  return { answer: { ...offsets, extents }, cutShort }
}

/** First extent of each partition with a timestamp that late. */
export function findExtentsByTimestamp(
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly TimestampRequest[],
): Promise<(Extent | undefined)[]> {
  return findFirstReaching(session, numbers, requests, (request) => int(request.timestampMs))
}

/** The extent that brought the partition to its greatest timestamp is the first one that reaches it. */
export async function findExtentsByMaxTimestamp(
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(Extent | undefined)[]> {
  return findFirstReaching(session, numbers, partitions, undefined)
}

/**
 * The running maximum leads to the first extent that reaches the timestamp in one index step. It may have inherited the
 * maximum from an extent that retention has removed since; only then a second, longer look is needed.
 */
async function findFirstReaching<Request extends PartitionRef>(
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly Request[],
  timestampOf: ((request: Request) => string) | undefined,
): Promise<(Extent | undefined)[]> {
  const resolved = await numbers.resolve(session, requests)
  const extents: (Extent | undefined)[] = new Array(requests.length).fill(undefined)
  const inherited: number[] = []
  const timestamp = (index: number) => timestampOf?.(at(requests, index)) ?? 'p.max_timestamp_ms'
  const byRunningMax = (index: number) =>
    reachingBranch(resolved[index], `e.running_max_timestamp_ms >= ${timestamp(index)}`, TIMESTAMP_ORDER)
  await branches(session, [...requests.keys()], byRunningMax, (index, rows) => {
    const row = at(rows, 0)
    const wantedMs = timestampOf ? Number(timestamp(index)) : intOf(row, 'partition_max_ms')
    if (intOf(row, 'max_timestamp_ms') >= wantedMs) extents[index] = extentOf(at(requests, index), row)
    else inherited.push(index)
  })
  const byOwnMax = (index: number) =>
    timestampOf
      ? reachingBranch(resolved[index], `e.max_timestamp_ms >= ${timestamp(index)}`, 'e.end_offset')
      : reachingBranch(resolved[index], '1 = 1', 'e.max_timestamp_ms DESC, e.end_offset')
  await branches(session, inherited, byOwnMax, (index, rows) => {
    extents[index] = extentOf(at(requests, index), at(rows, 0))
  })
  return extents
}

const TIMESTAMP_ORDER = 'e.running_max_timestamp_ms, e.end_offset'

function reachingBranch(number: number | undefined, condition: string, order: string): string | undefined {
  if (number === undefined) return undefined
  return `FROM partitions p
   JOIN extents e ON e.partition_no = ${int(number)} AND ${condition} AND e.end_offset > p.log_start_offset
   JOIN segments s ON s.segment_id = e.segment_id
   WHERE p.partition_no = ${int(number)} ORDER BY ${order} LIMIT 1`
}

/** Runs a branch per index, and hands out the rows of those that answered with any. */
async function branches(
  session: Session,
  indexes: readonly number[],
  branchOf: (index: number) => string | undefined,
  each: (index: number, rows: readonly Row[]) => void,
): Promise<void> {
  for (const chunk of inChunks(indexes, BRANCHES_PER_STATEMENT)) {
    const parts = chunk.flatMap((index) => {
      const branch = branchOf(index)
      const columns = `${int(index)} AS request, p.max_timestamp_ms AS partition_max_ms, ${COLUMNS}`
      return branch === undefined ? [] : [`SELECT * FROM (SELECT ${columns} ${branch}) b${index}`]
    })
    if (parts.length === 0) continue
    const groups = new Map<number, Row[]>()
    for (const row of await session.rows(parts.join(' UNION ALL '))) {
      const index = intOf(row, 'request')
      const group = groups.get(index)
      if (group) group.push(row)
      else groups.set(index, [row])
    }
    for (const [index, rows] of groups) each(index, rows)
  }
}

function offsetsOf(row: Row): PartitionOffsets {
  return { logStartOffset: intOf(row, 'log_start_offset'), highWatermark: intOf(row, 'high_watermark') }
}

function extentOf({ topicId, partition }: PartitionRef, row: Row): Extent {
  return {
    topicId,
    partition,
    baseOffset: intOf(row, 'base_offset'),
    endOffset: intOf(row, 'end_offset'),
    segmentId: uuidOf(row, 'segment_id'),
    objectKey: textOf(row, 'object_key'),
    objectBytes: intOf(row, 'object_bytes'),
    level: intOf(row, 'level'),
    position: intOf(row, 'position'),
    bytes: intOf(row, 'bytes'),
    batchSkipCount: intOf(row, 'batch_skip_count'),
    batchCount: intOf(row, 'batch_count'),
    maxTimestampMs: intOf(row, 'max_timestamp_ms'),
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`no item ${index} of ${items.length}`)
  return item
}
