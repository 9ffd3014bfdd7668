import { type CommitDecision, TIMESTAMP_NONE } from '../../engine/commit/commit-decisions.js'
import { type PartitionRef, partitionKey, type TopicId } from '../../engine/model.js'
import type {
  CommitSegment,
  Extent,
  ExtentAnswer,
  ExtentRequest,
  LogStartRequest,
  PartitionOffsets,
} from '../../engine/ports/catalog.js'
import { storedBytesOf } from './stored-bytes.js'

export interface FakeLog {
  logStartOffset: number
  highWatermark: number
  maxTimestampMs: number
  /** Ascending and adjacent. */
  extents: Extent[]
}

/**
 * The rows of partitions and their extents, and what single statements read and write of them: for the fake catalog at once, for
 * the simulated one when its transactions come to it.
 */
export class FakeLogs {
  readonly #rows = new Map<string, FakeLog>()

  /** By `partitionKey`, as commits are decided on. */
  get rows(): ReadonlyMap<string, FakeLog> {
    return this.#rows
  }

  find({ topicId, partition }: PartitionRef): FakeLog | undefined {
    return this.#rows.get(partitionKey(topicId, partition))
  }

  at(ref: PartitionRef): FakeLog {
    const found = this.find(ref)
    if (found === undefined) throw new Error(`partition ${partitionKey(ref.topicId, ref.partition)} does not exist`)
    return found
  }

  /** Empty logs of the partitions from `first` until `end`. */
  add(topicId: TopicId, first: number, end: number): void {
    for (let partition = first; partition < end; partition++) {
      const empty = { logStartOffset: 0, highWatermark: 0, maxTimestampMs: TIMESTAMP_NONE, extents: [] }
      this.#rows.set(partitionKey(topicId, partition), empty)
    }
  }

  /** All logs of the topic; what they consisted of. */
  remove(topicId: TopicId, partitionCount: number): Extent[] {
    const extents: Extent[] = []
    for (let partition = 0; partition < partitionCount; partition++) {
      extents.push(...(this.find({ topicId, partition })?.extents ?? []))
      this.#rows.delete(partitionKey(topicId, partition))
    }
    return extents
  }

  /** What a commit of these segments was decided to be. */
  write(segments: readonly CommitSegment[], decision: CommitDecision): void {
    for (const [number, { segmentId, objectKey, objectBytes }] of segments.entries()) {
      for (const { runningMaxTimestampMs: _, ...draft } of decision.segments[number]?.extents ?? []) {
        this.at(draft).extents.push({ ...draft, segmentId, objectKey, objectBytes, level: 0 })
      }
    }
    for (const { topicId, partition, highWatermark, maxTimestampMs } of decision.partitions) {
      Object.assign(this.at({ topicId, partition }), { highWatermark, maxTimestampMs })
    }
  }

  offsets(refs: readonly PartitionRef[]): (PartitionOffsets | undefined)[] {
    return refs.map((ref) => {
      const log = this.find(ref)
      return log && { logStartOffset: log.logStartOffset, highWatermark: log.highWatermark }
    })
  }

  findExtents(requests: readonly ExtentRequest[]): (ExtentAnswer | undefined)[] {
    return requests.map((request) => {
      const log = this.find(request)
      if (log === undefined) return undefined
      const { logStartOffset, highWatermark, extents } = log
      const inside = request.offset >= logStartOffset && request.offset < highWatermark
      return { logStartOffset, highWatermark, extents: inside ? takeExtents(extents, request) : [] }
    })
  }

  /** Extents that have something at or above the log start. */
  readable(ref: PartitionRef): readonly Extent[] {
    const log = this.find(ref)
    return log?.extents.filter((extent) => extent.endOffset > log.logStartOffset) ?? []
  }

  sizes(refs: readonly PartitionRef[]): (number | undefined)[] {
    return refs.map((ref) => (this.find(ref) === undefined ? undefined : storedBytesOf(this.readable(ref))))
  }

  /** A log start only grows, up to the high watermark. */
  advanceStarts(requests: readonly LogStartRequest[]): (PartitionOffsets | undefined)[] {
    for (const request of requests) {
      const log = this.find(request)
      if (log === undefined) continue
      const target = request.offset === 'high-watermark' ? log.highWatermark : request.offset
      if (target > log.logStartOffset && target <= log.highWatermark) log.logStartOffset = target
    }
    return this.offsets(requests)
  }
}

function takeExtents(extents: readonly Extent[], request: ExtentRequest): Extent[] {
  const taken: Extent[] = []
  let bytes = 0
  for (const extent of extents) {
    if (extent.endOffset <= request.offset) continue
    if (taken.length > 0 && (bytes >= request.bytesMax || taken.length >= request.extentCountMax)) break
    taken.push(extent)
    bytes += extent.bytes
  }
  return taken
}
