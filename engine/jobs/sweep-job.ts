import type { SegmentId } from '../model.js'
import type { JobMetrics } from '../ports/job-metrics.js'
import type { JobsCatalog, LeaseRest } from '../ports/jobs-catalog.js'
import type { ObjectInfo, ObjectStore } from '../ports/object-store.js'
import { SEGMENT_PREFIX, segmentIdOfKey, segmentTimeMs } from '../segment-identity.js'
import type { Job } from './job-runner.js'
import { type LeasedOptions, leased } from './leased.js'

/** Objects compared with the catalog at a time. */
const OBJECTS_PER_PAGE = 1000

export interface SweepOptions {
  readonly catalog: JobsCatalog
  readonly objectStore: ObjectStore
  readonly commitAgeMaxMs: number
  readonly signal?: AbortSignal
  /** Called with each page of orphans; deletes them, or not. */
  readonly onOrphans: (orphans: readonly ObjectInfo[]) => Promise<void>
}

export interface SweepReport {
  readonly objectCount: number
  readonly orphanCount: number
  readonly orphanBytes: number
  /** Objects that no row claims yet and that are too young to be judged, if not all of them are claimed. */
  readonly youngCount: number
}

/**
 * Compares what the store lists with what the catalog knows. An object that no row claims is an orphan once its id is older than twice
 * `commitAgeMax`: by then the catalog refuses to commit it. Objects whose keys are no segment's are not ours to judge.
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { catalog, objectStore, commitAgeMaxMs, signal } = options
  const ageMinMs = 2 * commitAgeMaxMs
  const youngestMs = (await catalog.databaseTimeMs()) - ageMinMs
  const report = { objectCount: 0, orphanCount: 0, orphanBytes: 0, youngCount: 0 }
  let page = new Map<SegmentId, ObjectInfo>()
  const judge = async () => {
    const orphans = await catalog.orphansAmong([...page.keys()], ageMinMs)
    const objects = orphans.flatMap((segmentId) => page.get(segmentId) ?? [])
    page = new Map()
    report.orphanCount += objects.length
    report.orphanBytes += objects.reduce((sum, { bytes }) => sum + bytes, 0)
    if (objects.length > 0) await options.onOrphans(objects)
  }
  for await (const object of objectStore.list(SEGMENT_PREFIX, signal === undefined ? {} : { signal })) {
    const segmentId = segmentIdOfKey(object.key)
    if (segmentId === undefined) continue
    report.objectCount += 1
    // Too young: not asked about.
    if (segmentTimeMs(segmentId) >= youngestMs) report.youngCount += 1
    else page.set(segmentId, object)
    if (page.size >= OBJECTS_PER_PAGE) await judge()
  }
  if (page.size > 0) await judge()
  return report
}

/** Deletes orphans; answers how many are confirmed to be gone. */
export async function deleteOrphans(objectStore: ObjectStore, orphans: readonly ObjectInfo[]): Promise<number> {
  const results = await objectStore.delete(orphans.map(({ key }) => key))
  return results.filter(({ deleted }) => deleted).length
}

/** The lease of the sweep, and what its note says beside the newest segment judged. */
export const SWEEP_LEASE = 'sweep'
export const SWEEP_NEEDED = 'needed'
const NO_SEGMENTS = 'none'

export interface SweepJobOptions extends LeasedOptions {
  readonly objectStore: ObjectStore
  readonly metrics: JobMetrics
  readonly commitAgeMaxMs: number
}

/**
 * The orphan sweep. A LIST costs money, so it runs at most once per twice `commitAgeMax` in the whole cluster, and not at all once
 * everything that was written is judged: the lease rests in between, and its note holds the newest segment there was when a sweep found
 * no object too young to judge. Compaction writes objects without new segments, so it leaves a note that a sweep is needed.
 */
export class SweepJob implements Job {
  readonly name = SWEEP_LEASE
  readonly intervalMs: number
  readonly #options: SweepJobOptions

  constructor(options: SweepJobOptions) {
    this.#options = options
    this.intervalMs = Math.max(1000, Math.floor(options.commitAgeMaxMs / 2))
  }

  async run(signal: AbortSignal): Promise<boolean> {
    await leased(this.#options, this.name, signal, (leaseSignal, note) => this.#pass(leaseSignal, note))
    return false
  }

  async #pass(signal: AbortSignal, note: string): Promise<{ readonly result: true; readonly rest?: LeaseRest }> {
    const { catalog, objectStore, commitAgeMaxMs, metrics, logger } = this.#options
    const newest = (await catalog.newestSegmentId()) ?? NO_SEGMENTS
    // An empty note: nobody has swept yet. With no segment, either, nothing was ever written.
    if (newest === note || (newest === NO_SEGMENTS && note === '')) return { result: true }
    let unfinished = false
    const report = await sweep({
      catalog,
      objectStore,
      commitAgeMaxMs,
      signal,
      onOrphans: async (orphans) => {
        metrics.count('orphans_found', orphans.length)
        const deletedCount = await deleteOrphans(objectStore, orphans)
        metrics.count('objects_deleted', deletedCount)
        if (deletedCount < orphans.length) unfinished = true
      },
    })
    if (report.orphanCount > 0) logger.info(report, 'orphaned objects deleted')
    const judged = report.youngCount === 0 && !unfinished
    return { result: true, rest: { restMs: 2 * commitAgeMaxMs, note: judged ? newest : SWEEP_NEEDED } }
  }
}
