import type { ObjectStore } from '../../engine/ports/object-store.js'
import { SEGMENT_PREFIX, segmentIdOfKey, segmentTimeMs } from '../../engine/segment-identity.js'

export interface SweepOptions {
  readonly store: ObjectStore
  /** By the database's clock. */
  readonly nowMs: () => number
  /** Of these keys, those that a committed segment names. */
  readonly committedOf: (keys: readonly string[]) => Promise<ReadonlySet<string>>
  readonly commitAgeMaxMs: number
  /** False only to show what the rule is for. */
  readonly ageRule?: boolean
}

/**
 * Deletes objects that no committed segment names and none ever will: those older than twice the age at which the catalog
 * refuses a commit, the second time for the transactions that had begun by then. The catalog is asked after the LIST.
 */
export async function sweepOrphans(options: SweepOptions): Promise<readonly string[]> {
  const { store, nowMs, commitAgeMaxMs, ageRule = true } = options
  const now = nowMs()
  const old: string[] = []
  for await (const { key } of store.list(SEGMENT_PREFIX)) {
    const segmentId = segmentIdOfKey(key)
    if (segmentId === undefined) continue
    if (!ageRule || now - segmentTimeMs(segmentId) > 2 * commitAgeMaxMs) old.push(key)
  }
  if (old.length === 0) return []
  const committed = await options.committedOf(old)
  const orphans = old.filter((key) => !committed.has(key))
  if (orphans.length > 0) await store.delete(orphans)
  return orphans
}
