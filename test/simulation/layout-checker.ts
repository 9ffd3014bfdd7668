import { DELETION_GRACE_MS, type HistoryEvent, type LayoutExtent, type LayoutFact } from './history.js'

/** Clocks of whole milliseconds on both sides. */
const ROUNDING_MS = 2

/**
 * Judges what compaction, retention and deletion do beneath the logs: after every change each log is whole from its start to its
 * high watermark, on objects that are there, and no object goes that extents point at, or did a moment ago. Pure.
 */
export function checkLayouts(events: readonly HistoryEvent[]): string[] {
  const ledger = new Ledger()
  for (const event of events) ledger.take(event)
  return ledger.problems
}

class Ledger {
  readonly problems: string[] = []
  readonly #logs = new Map<number, Omit<LayoutFact, 'partition'>>()
  readonly #deadSinceMs = new Map<string, number>()
  readonly #deleted = new Set<string>()
  #live = new Set<string>()

  take(event: HistoryEvent): void {
    if (event.kind === 'commit') this.#commit(event)
    if (event.kind === 'layout') this.#layout(event)
    if (event.kind === 'object-deleted') this.#delete(event.segmentId, event.atMs)
    if (event.kind === 'final-log') this.#compare(event)
    if (event.kind === 'final-store') this.#store(event.committedKeys)
  }

  #commit({ atMs, segments }: Extract<HistoryEvent, { kind: 'commit' }>): void {
    for (const { segmentId, extents } of segments) {
      if (extents.length === 0) this.#deadSinceMs.set(segmentId, atMs)
      else this.#makeLive(segmentId)
      for (const { partition, baseOffset, endOffset } of extents) {
        const log = this.#logs.get(partition) ?? { logStartOffset: 0, highWatermark: 0, extents: [] }
        const grown = [...log.extents, { baseOffset, endOffset, segmentId }]
        this.#logs.set(partition, { ...log, highWatermark: endOffset, extents: grown })
      }
    }
  }

  #layout({ atMs, cause, partitions, missing }: Extract<HistoryEvent, { kind: 'layout' }>): void {
    for (const segmentId of missing) this.#tell(`a ${cause} leaves ${segmentId}, which is not in the store (promise 1)`)
    const live = new Set<string>()
    for (const log of partitions) {
      const { partition, logStartOffset, highWatermark, extents } = log
      const before = this.#logs.get(partition) ?? { logStartOffset: 0, highWatermark: 0, extents: [] }
      const what = `partition ${partition} after a ${cause}`
      if (highWatermark !== before.highWatermark) this.#tell(`${what}: the high watermark has moved (promise 6)`)
      const mayMove = cause === 'retention' || cause === 'delete-records'
      const moved = logStartOffset !== before.logStartOffset
      if (moved && (!mayMove || logStartOffset < before.logStartOffset || logStartOffset > highWatermark)) {
        this.#tell(`${what}: the log start went from ${before.logStartOffset} to ${logStartOffset} (promise 1)`)
      }
      const hole = firstHole(log)
      if (hole !== undefined) this.#tell(`${what}: ${hole} (promise 6)`)
      if (mayMove && extents.length !== before.extents.length) this.#tell(`${what}: extents have changed (promise 1)`)
      this.#logs.set(partition, log)
      for (const { segmentId } of extents) live.add(segmentId)
    }
    for (const segmentId of this.#live) if (!live.has(segmentId)) this.#deadSinceMs.set(segmentId, atMs)
    for (const segmentId of live) if (!this.#live.has(segmentId)) this.#makeLive(segmentId)
    this.#live = live
  }

  #makeLive(segmentId: string): void {
    if (this.#deleted.has(segmentId)) this.#tell(`segment ${segmentId} became live after it was deleted (promise 1)`)
    if (this.#deadSinceMs.has(segmentId)) this.#tell(`segment ${segmentId} was dead and is live again (promise 1)`)
    this.#live.add(segmentId)
  }

  #delete(segmentId: string, atMs: number): void {
    this.#deleted.add(segmentId)
    if (this.#live.has(segmentId)) this.#tell(`${segmentId} was deleted with extents pointing at it (promise 1)`)
    const deadSinceMs = this.#deadSinceMs.get(segmentId)
    if (deadSinceMs === undefined || atMs - deadSinceMs >= DELETION_GRACE_MS - ROUNDING_MS) return
    this.#tell(`${segmentId} was deleted ${(atMs - deadSinceMs).toFixed(1)} ms after its death, within its grace`)
  }

  #compare({ agent, partition, logStartOffset }: Extract<HistoryEvent, { kind: 'final-log' }>): void {
    const expected = this.#logs.get(partition)?.logStartOffset ?? 0
    if (logStartOffset === expected) return
    this.#tell(`${agent} reads partition ${partition} from ${logStartOffset}, its log start is ${expected} (promise 1)`)
  }

  /** The catalog's own count of what is live, against the extents. */
  #store(committedKeys: readonly string[]): void {
    for (const segmentId of this.#live) {
      if (committedKeys.some((key) => key.includes(segmentId))) continue
      this.#tell(`segment ${segmentId} has extents and does not count as live (promise 1)`)
    }
    if (committedKeys.length > this.#live.size) this.#tell('segments without extents count as live: they would stay')
  }

  #tell(problem: string): void {
    this.problems.push(problem)
  }
}

/** What is below the log start is no longer anybody's, and may have gone in part. */
function firstHole({ logStartOffset, highWatermark, extents }: LayoutFact): string | undefined {
  const readable = extents.filter(({ endOffset }) => endOffset > logStartOffset)
  let last: LayoutExtent | undefined
  for (const extent of readable) {
    const expected = last?.endOffset ?? Math.min(extent.baseOffset, logStartOffset)
    if (extent.baseOffset !== expected) return `the extent from ${extent.baseOffset} on follows ${expected - 1}`
    last = extent
  }
  const end = last?.endOffset ?? logStartOffset
  return end === highWatermark ? undefined : `its extents end at ${end}, its high watermark is ${highWatermark}`
}
