import { Buffer } from 'node:buffer'
import { HeadraceError } from '../../engine/errors.js'
import type { ExtentPlace } from '../../engine/ports/catalog.js'
import { PARTITIONS_PER_PAGE } from './partition-page.js'
import { readI64, writeI64 } from './safe-int64.js'

/**
 * `recent_extents.extents`: one segment's extents in the partitions of one page (docs/adr/0011-recent-extents.md).
 *
 *   version       u8  1
 *   extents, to the end:
 *     0   slot                   u8   the partition's place in its page
 *     1   offsetCount            u32  endOffset - baseOffset
 *     5   batchSkipCount         u32
 *     9   batchCount             u32
 *     13  bytes                  u32  of blocks, in one segment written by intake
 *     17  baseOffset             i64
 *     25  position               i64
 *     33  maxTimestampMs         i64
 *     41  runningMaxTimestampMs  i64
 *
 * Big-endian.
 */
const VERSION = 1
const HEAD_BYTES = 1

const SLOT_AT = 0
const OFFSET_COUNT_AT = SLOT_AT + 1
const BATCH_SKIP_COUNT_AT = OFFSET_COUNT_AT + 4
const BATCH_COUNT_AT = BATCH_SKIP_COUNT_AT + 4
const BYTES_AT = BATCH_COUNT_AT + 4
const BASE_OFFSET_AT = BYTES_AT + 4
const POSITION_AT = BASE_OFFSET_AT + 8
const MAX_TIMESTAMP_AT = POSITION_AT + 8
const RUNNING_MAX_AT = MAX_TIMESTAMP_AT + 8
const EXTENT_BYTES = RUNNING_MAX_AT + 8

export interface PackedExtent extends ExtentPlace {
  readonly slot: number
  readonly runningMaxTimestampMs: number
}

export function encodeExtents(extents: readonly PackedExtent[]): Uint8Array {
  const pack = Buffer.alloc(HEAD_BYTES + extents.length * EXTENT_BYTES)
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength)
  view.setUint8(0, VERSION)
  let at = HEAD_BYTES
  for (const extent of extents) {
    view.setUint8(at + SLOT_AT, extent.slot)
    writeU32(view, at + OFFSET_COUNT_AT, extent.endOffset - extent.baseOffset)
    writeU32(view, at + BATCH_SKIP_COUNT_AT, extent.batchSkipCount)
    writeU32(view, at + BATCH_COUNT_AT, extent.batchCount)
    writeU32(view, at + BYTES_AT, extent.bytes)
    writeI64(view, at + BASE_OFFSET_AT, extent.baseOffset)
    writeI64(view, at + POSITION_AT, extent.position)
    writeI64(view, at + MAX_TIMESTAMP_AT, extent.maxTimestampMs)
    writeI64(view, at + RUNNING_MAX_AT, extent.runningMaxTimestampMs)
    at += EXTENT_BYTES
  }
  return pack
}

/** In the order in which they were packed. @throws CATALOG_SCHEMA_MISMATCH */
export function decodeExtents(pack: Uint8Array): PackedExtent[] {
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength)
  if (pack.length <= HEAD_BYTES || pack[0] !== VERSION || (pack.length - HEAD_BYTES) % EXTENT_BYTES !== 0)
    throw damaged()
  const extents: PackedExtent[] = []
  for (let at = HEAD_BYTES; at < pack.length; at += EXTENT_BYTES) {
    const slot = view.getUint8(at + SLOT_AT)
    if (slot >= PARTITIONS_PER_PAGE) throw damaged()
    const baseOffset = readI64(view, at + BASE_OFFSET_AT)
    extents.push({
      slot,
      baseOffset,
      endOffset: baseOffset + view.getUint32(at + OFFSET_COUNT_AT),
      position: readI64(view, at + POSITION_AT),
      bytes: view.getUint32(at + BYTES_AT),
      batchSkipCount: view.getUint32(at + BATCH_SKIP_COUNT_AT),
      batchCount: view.getUint32(at + BATCH_COUNT_AT),
      maxTimestampMs: readI64(view, at + MAX_TIMESTAMP_AT),
      runningMaxTimestampMs: readI64(view, at + RUNNING_MAX_AT),
    })
  }
  return extents
}

function writeU32(view: DataView, at: number, value: number): void {
  if (!(value >= 0 && value < 2 ** 32)) throw new RangeError(`${value} does not fit into 32 bits`)
  view.setUint32(at, value)
}

function damaged(): HeadraceError {
  return new HeadraceError(
    'CATALOG_SCHEMA_MISMATCH',
    'never',
    'recent extents in the catalog cannot be read; run agents of one version, and check the catalog',
  )
}
