import { Buffer } from 'node:buffer'
import type { PartitionState } from '../../engine/commit/commit-decisions.js'
import { TIMESTAMP_NONE } from '../../engine/commit/commit-decisions.js'
import { readI64, writeI64 } from './safe-int64.js'

/**
 * `partition_pages.partitions`: the offsets of neighbouring partitions of one topic, in one row, because a commit pays by the row
 * and hardly by the byte (docs/adr/0009-partitions-by-pages.md). Partitions only ever join a topic at its end, so a page
 * holds its first so many, and its length says how many. Big-endian; each partition:
 *
 *   0   logStartOffset  i64
 *   8   highWatermark   i64
 *   16  maxTimestampMs  i64  greatest ever committed; -2 while there is none
 */
export const PARTITIONS_PER_PAGE = 16

const LOG_START_AT = 0
const HIGH_WATERMARK_AT = LOG_START_AT + 8
const MAX_TIMESTAMP_AT = HIGH_WATERMARK_AT + 8
const PARTITION_BYTES = MAX_TIMESTAMP_AT + 8

export function pageNumberOf(partitionNo: number): number {
  return Math.floor(partitionNo / PARTITIONS_PER_PAGE)
}

/** The partition's place in its page. */
export function slotOf(partitionNo: number): number {
  return partitionNo % PARTITIONS_PER_PAGE
}

export function partitionCountOf(page: Uint8Array): number {
  const count = page.length / PARTITION_BYTES
  if (Number.isInteger(count) && count >= 1 && count <= PARTITIONS_PER_PAGE) return count
  throw new RangeError(`${page.length} bytes are no page of partitions`)
}

/** Undefined where the page has no such partition. */
export function readPartition(page: Uint8Array, slot: number): PartitionState | undefined {
  if (slot >= partitionCountOf(page)) return undefined
  const view = new DataView(page.buffer, page.byteOffset + slot * PARTITION_BYTES, PARTITION_BYTES)
  return {
    logStartOffset: readI64(view, LOG_START_AT),
    highWatermark: readI64(view, HIGH_WATERMARK_AT),
    maxTimestampMs: readI64(view, MAX_TIMESTAMP_AT),
  }
}

export function writePartition(page: Uint8Array, slot: number, state: PartitionState): void {
  if (slot >= partitionCountOf(page)) throw new RangeError(`the page has no partition ${slot}`)
  const view = new DataView(page.buffer, page.byteOffset + slot * PARTITION_BYTES, PARTITION_BYTES)
  writeI64(view, LOG_START_AT, state.logStartOffset)
  writeI64(view, HIGH_WATERMARK_AT, state.highWatermark)
  writeI64(view, MAX_TIMESTAMP_AT, state.maxTimestampMs)
}

const EMPTY: PartitionState = { logStartOffset: 0, highWatermark: 0, maxTimestampMs: TIMESTAMP_NONE }

/** The page with empty partitions added to its end, up to `count`. */
export function withPartitions(page: Uint8Array | undefined, count: number): Uint8Array {
  const grown = Buffer.alloc(count * PARTITION_BYTES)
  if (page) grown.set(page)
  for (let slot = page ? partitionCountOf(page) : 0; slot < count; slot++) writePartition(grown, slot, EMPTY)
  return grown
}
