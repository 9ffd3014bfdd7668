import type { Extent } from '../ports/catalog.js'
import type { LogHead } from '../ports/jobs-catalog.js'
import { segmentTimeMs } from '../segment-identity.js'
import { numericConfig } from '../topics/topic-configs.js'

/** How long a topic's records stay, at most. Undefined: for ever. */
export interface RetentionPolicy {
  readonly ageMaxMs: number | undefined
  readonly bytesMax: number | undefined
}

/** A topic's policy: its configs, else the cluster's. Kafka's -1 is no limit; a topic that is only compacted has none. */
export function policyOf(configs: Readonly<Record<string, string>>, otherwise: RetentionPolicy): RetentionPolicy {
  const deletes = (configs['cleanup.policy'] ?? 'delete').split(',').some((policy) => policy.trim() === 'delete')
  if (!deletes) return { ageMaxMs: undefined, bytesMax: undefined }
  const limit = (name: string, fallback: number | undefined) => {
    const value = numericConfig(configs, name, fallback ?? -1)
    return value < 0 ? undefined : value
  }
  return { ageMaxMs: limit('retention.ms', otherwise.ageMaxMs), bytesMax: limit('retention.bytes', otherwise.bytesMax) }
}

export interface RetentionPlan {
  /** Where the log must begin; undefined: where it does. */
  readonly logStartOffset: number | undefined
  /** Extents wholly below it, from the oldest on. */
  readonly extents: readonly Extent[]
  /** How far the oldest extent is beyond its time; 0 when it is not. */
  readonly lagMs: number
}

/**
 * What retention takes of a log, of which `head` shows the oldest extents: those below the log start already, then those that are too
 * old, up to the first that is not, then as many as it takes to come down to the size, never below it. As in Kafka an extent's age is
 * that of its latest record, by the records' own timestamps; one without timestamps has the age of its segment.
 */
export function planRetention(
  head: LogHead,
  policy: RetentionPolicy,
  sizeBytes: number | undefined,
  nowMs: number,
): RetentionPlan {
  const { ageMaxMs, bytesMax } = policy
  const oldestMs = ageMaxMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - ageMaxMs
  let surplusBytes = sizeBytes === undefined || bytesMax === undefined ? 0 : sizeBytes - bytesMax
  let logStartOffset: number | undefined
  let lagMs = 0
  const extents: Extent[] = []
  for (const extent of head.extents) {
    if (extent.endOffset > head.logStartOffset) {
      const timeMs = extent.maxTimestampMs >= 0 ? extent.maxTimestampMs : segmentTimeMs(extent.segmentId)
      const expired = timeMs < oldestMs
      if (!expired && extent.bytes > surplusBytes) break
      if (expired) lagMs = Math.max(lagMs, oldestMs - timeMs)
      surplusBytes -= extent.bytes
      logStartOffset = extent.endOffset
    }
    extents.push(extent)
  }
  return { logStartOffset, extents, lagMs }
}
