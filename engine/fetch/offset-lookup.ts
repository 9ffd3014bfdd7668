import type { OffsetRequest, OffsetResult } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { Catalog, Extent, PartitionOffsets } from '../ports/catalog.js'
import { ByteGate } from './byte-gate.js'
import { decodeRun } from './extent-decoder.js'
import type { ExtentReader } from './extent-reader.js'
import type { FetchLimits } from './fetch-limits.js'
import { indexedBatches } from './fetch-plan.js'
import { mayHaveMoved, readFailure } from './fetch-progress.js'
import { firstRecordFrom, type RecordPlace } from './record-search.js'

export interface OffsetLookupOptions {
  readonly catalog: Catalog
  readonly reader: ExtentReader
  readonly limits: FetchLimits
}

/** Timestamps looked up at the same time, over all requests: each may hold a block or a small extent. */
const CONCURRENCY_MAX = 8
/** Bytes of batches looked through per read. */
const SCAN_BYTES = 256 * 1024
/** Extents asked for at a time where the first one had no record that fits. */
const EXTENTS_PER_PAGE = 256

/** Answers ListOffsets: the ends of the log from the catalog alone, timestamps from the records themselves. */
export class OffsetLookup {
  readonly #slots = new ByteGate(CONCURRENCY_MAX)

  constructor(private readonly options: OffsetLookupOptions) {}

  async find(requests: readonly OffsetRequest[], signal: AbortSignal): Promise<readonly OffsetResult[]> {
    if (requests.length === 0) return []
    const { catalog } = this.options
    let offsets: (PartitionOffsets | undefined)[]
    let extents: readonly (Extent | undefined)[]
    try {
      offsets = await catalog.partitionOffsets(requests)
      extents = await this.#findExtents(requests)
    } catch (error) {
      const failed = { error: readFailure(error), offset: -1, timestampMs: -1 }
      return requests.map(() => failed)
    }
    return Promise.all(requests.map((request, number) => this.#one(request, offsets[number], extents[number], signal)))
  }

  /** For each request that names a time, the extent to look into; one statement per kind. */
  async #findExtents(requests: readonly OffsetRequest[]): Promise<readonly (Extent | undefined)[]> {
    const { catalog } = this.options
    const extents: (Extent | undefined)[] = requests.map(() => undefined)
    const timed: { readonly number: number; readonly request: OffsetRequest; readonly timestampMs: number }[] = []
    const latest: number[] = []
    for (const [number, request] of requests.entries()) {
      if (typeof request.spec === 'object') timed.push({ number, request, timestampMs: request.spec.timestampMs })
      else if (request.spec === 'max-timestamp') latest.push(number)
    }
    if (timed.length > 0) {
      const found = await catalog.findExtentsByTimestamp(
        timed.map(({ request: { topicId, partition }, timestampMs }) => ({ topicId, partition, timestampMs })),
      )
      for (const [place, { number }] of timed.entries()) extents[number] = found[place]
    }
    if (latest.length > 0) {
      const found = await catalog.findExtentsByMaxTimestamp(latest.map((number) => requests[number] as OffsetRequest))
      for (const [place, number] of latest.entries()) extents[number] = found[place]
    }
    return extents
  }

  async #one(
    request: OffsetRequest,
    offsets: PartitionOffsets | undefined,
    extent: Extent | undefined,
    signal: AbortSignal,
  ): Promise<OffsetResult> {
    if (offsets === undefined) return unknownPartition(request)
    if (request.spec === 'earliest') return { offset: offsets.logStartOffset, timestampMs: -1 }
    if (request.spec === 'latest') return { offset: offsets.highWatermark, timestampMs: -1 }
    if (extent === undefined) return { offset: -1, timestampMs: -1 }
    const search: Search = {
      request,
      timestampMs: request.spec === 'max-timestamp' ? extent.maxTimestampMs : request.spec.timestampMs,
      logStartOffset: offsets.logStartOffset,
      highWatermark: offsets.highWatermark,
      signal,
    }
    const release = await this.#slots.acquire(1, signal)
    try {
      return (await this.#searchFrom(extent, search)) ?? { offset: -1, timestampMs: -1 }
    } catch (error) {
      return { error: readFailure(error), offset: -1, timestampMs: -1 }
    } finally {
      release()
    }
  }

  /**
   * The record in `first` or, where only records below the log start fit there, in a later extent. An object that has
   * gone meanwhile is looked up anew, a bounded number of times.
   */
  async #searchFrom(first: Extent, search: Search): Promise<RecordPlace | undefined> {
    let offset = Math.max(first.baseOffset, search.logStartOffset)
    let page: readonly Extent[] = [first]
    for (let attempt = 1; ; ) {
      try {
        for (const extent of page) {
          if (extent.maxTimestampMs >= search.timestampMs) {
            const found = await this.#searchExtent(extent, search)
            if (found !== undefined) return found
          }
          offset = Math.max(offset, extent.endOffset)
        }
      } catch (error) {
        if (!mayHaveMoved(error) || attempt >= this.options.limits.attemptsMax) throw error
        attempt += 1
        for (const extent of page) this.options.reader.forget(extent)
      }
      if (offset >= search.highWatermark) return undefined
      page = await this.#nextPage(search, offset)
      if (page.length === 0) return undefined
    }
  }

  async #nextPage(search: Search, offset: number): Promise<readonly Extent[]> {
    const { topicId, partition } = search.request
    const bytesMax = Number.MAX_SAFE_INTEGER
    const [answer] = await this.options.catalog.findExtents([
      { topicId, partition, offset, bytesMax, extentCountMax: EXTENTS_PER_PAGE },
    ])
    return answer?.extents ?? []
  }

  async #searchExtent(extent: Extent, search: Search): Promise<RecordPlace | undefined> {
    const { reader } = this.options
    let offset: number | undefined = Math.max(extent.baseOffset, search.logStartOffset)
    while (offset !== undefined && offset < extent.endOffset) {
      offset = await this.#skipByIndex(extent, offset, search)
      if (offset === undefined) return undefined
      const loaded = await reader.load(extent, offset, SCAN_BYTES, search.signal)
      for (const batch of decodeRun(loaded)) {
        if (batch.endOffset <= offset) continue
        offset = batch.endOffset
        const found = firstRecordFrom(batch, search.timestampMs, search.logStartOffset)
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  /** In a large extent, the base offset of the first batch from `offset` on that may hold the record. */
  async #skipByIndex(extent: Extent, offset: number, search: Search): Promise<number | undefined> {
    const { limits, reader } = this.options
    if (extent.bytes <= limits.wholeExtentBytesMax) return offset
    const index = await reader.index(extent, search.signal)
    for (const batch of indexedBatches(extent, index)) {
      if (batch.endOffset > offset && batch.maxTimestampMs >= search.timestampMs) return batch.baseOffset
    }
    return undefined
  }
}

interface Search {
  readonly request: OffsetRequest
  readonly timestampMs: number
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly signal: AbortSignal
}

function unknownPartition({ topicId, partition }: OffsetRequest): OffsetResult {
  const text = `partition ${partition} of topic ${topicId} does not exist; refresh the metadata`
  return { error: new HeadraceError('PARTITION_UNKNOWN', 'never', text), offset: -1, timestampMs: -1 }
}
