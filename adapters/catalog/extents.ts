import type { PartitionRef } from '../../engine/model.js'
import type { Extent, ExtentAnswer, ExtentRequest, PartitionOffsets } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { extentOf, type LogQuery, type LogRows, readLogs } from './log-rows.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { readPartitions } from './partition-rows.js'

/** Enough for most byte budgets; a request that needs more is asked again. */
const FIRST_ROUND_EXTENTS = 16
/** How many more than extents as large as the first ones would need. */
const NEXT_ROUND_MARGIN = 1.5

export async function partitionOffsets(
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
): Promise<(PartitionOffsets | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const states = await readPartitions(session, resolved)
  return resolved.map((number) => {
    const state = number === undefined ? undefined : states.get(number)
    return state && { logStartOffset: state.logStartOffset, highWatermark: state.highWatermark }
  })
}

export async function findExtents(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  requests: readonly ExtentRequest[],
): Promise<(ExtentAnswer | undefined)[]> {
  const resolved = await numbers.resolve(session, requests)
  const answers: (ExtentAnswer | undefined)[] = new Array(requests.length).fill(undefined)
  let pending: Pending[] = []
  for (const [index, request] of requests.entries()) {
    const partitionNo = resolved[index]
    const limit = Math.max(1, Math.min(request.extentCountMax, FIRST_ROUND_EXTENTS))
    if (partitionNo !== undefined) pending.push({ index, request, partitionNo, limit })
  }
  while (pending.length > 0) {
    const again: Pending[] = []
    const logs = await readLogs(dialect, session, pending.map(queryOf))
    for (const [place, item] of pending.entries()) {
      const log = logs[place]
      if (!log) continue
      const answer = answerOf(item.request, log)
      answers[item.index] = answer
      const bytes = bytesOf(answer.extents)
      const cutShort = answer.extents.length === item.limit && bytes < item.request.bytesMax
      if (cutShort && item.limit < item.request.extentCountMax) again.push({ ...item, limit: nextLimit(item, bytes) })
    }
    pending = again
  }
  return answers
}

interface Pending {
  readonly index: number
  readonly request: ExtentRequest
  readonly partitionNo: number
  readonly limit: number
}

/** At least doubled, so that extents which only get smaller take few rounds. */
function nextLimit({ limit, request }: Pending, bytesFound: number): number {
  const needed = Math.ceil(limit * (request.bytesMax / Math.max(1, bytesFound)) * NEXT_ROUND_MARGIN)
  return Math.min(request.extentCountMax, Math.max(2 * limit, needed))
}

/** The first extent that ends after the offset contains it: extents are adjacent. */
function queryOf({ request, partitionNo, limit }: Pending): LogQuery {
  return { partitionNo, after: request.offset, order: 'offset', limit }
}

function answerOf(request: ExtentRequest, log: LogRows): ExtentAnswer {
  const { logStartOffset, highWatermark } = log
  const extents: Extent[] = []
  // Extents below the log start may wait for their removal.
  if (request.offset < logStartOffset) return { logStartOffset, highWatermark, extents }
  let bytes = 0
  for (const row of log.extents) {
    const extent = extentOf(request, row)
    if (extents.length > 0 && extents.at(-1)?.endOffset !== extent.baseOffset) break
    extents.push(extent)
    bytes += extent.bytes
    if (bytes >= request.bytesMax || extents.length >= request.extentCountMax) break
  }
  return { logStartOffset, highWatermark, extents }
}

function bytesOf(extents: readonly Extent[]): number {
  return extents.reduce((bytes, extent) => bytes + extent.bytes, 0)
}
