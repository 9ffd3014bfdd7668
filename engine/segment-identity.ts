import { v7 } from 'uuid'
import type { SegmentId } from './model.js'
import type { Random } from './ports/clock.js'

/** Folder of all segments in the object store: what the orphan sweep lists. */
export const SEGMENT_PREFIX = 'segments/'
const SEGMENT_SUFFIX = '.seg'

/** A UUIDv7 (RFC 9562): time-ordered, so that keys sort by age and a LIST tells it. */
export function newSegmentId(nowMs: number, random: Random): SegmentId {
  return v7({ msecs: nowMs, random: random.bytes(16) })
}

export function segmentObjectKey(segmentId: SegmentId): string {
  return `${SEGMENT_PREFIX}${segmentId}${SEGMENT_SUFFIX}`
}

/** The segment id in an object key, or undefined where the key is no segment's. */
export function segmentIdOfKey(key: string): SegmentId | undefined {
  const match = /^segments\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.seg$/.exec(key)
  return match?.[1]
}

/** The agent's clock when the segment was sealed, from its id. */
export function segmentTimeMs(segmentId: SegmentId): number {
  return Number.parseInt(segmentId.slice(0, 8) + segmentId.slice(9, 13), 16)
}
