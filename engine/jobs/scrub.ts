import { FormatError, type SegmentIndex, type SegmentSource, verifySegment } from '../../format/index.js'
import { HeadraceError } from '../errors.js'
import { indexedBatches } from '../fetch/fetch-plan.js'
import type { Catalog } from '../ports/catalog.js'
import type { SegmentExtent, SegmentInfo } from '../ports/jobs-catalog.js'
import type { ObjectStore } from '../ports/object-store.js'

/** One thing that is not as it should be. */
export interface ScrubFinding {
  /** The object's key, or `topic/partition`. */
  readonly place: string
  readonly text: string
}

export interface ScrubReport {
  readonly segmentCount: number
  readonly objectBytes: number
  readonly extentCount: number
  readonly partitionCount: number
  readonly findingCount: number
}

export interface ScrubOptions {
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly onFinding: (finding: ScrubFinding) => void
}

const SEGMENTS_PER_PAGE = 100
const EXTENTS_PER_PAGE = 1000
/** Read at a time: few requests, little memory. */
const WINDOW_BYTES = 8 * 1024 * 1024

/**
 * Reads every live segment whole and checks its CRCs, its batches, and the catalog's extents against its index; then every log of the
 * catalog for holes. Beside agents at work: what changes meanwhile is looked at again before it is called damage.
 */
export async function scrub(options: ScrubOptions): Promise<ScrubReport> {
  const report = { segmentCount: 0, objectBytes: 0, extentCount: 0, partitionCount: 0, findingCount: 0 }
  const find = (place: string, text: string) => {
    report.findingCount += 1
    options.onFinding({ place, text })
  }
  const levels = (await options.catalog.segmentTotals()).filter(({ state }) => state === 'live')
  for (const { level } of levels) {
    for (let after: string | undefined; ; ) {
      const request = { level, limit: SEGMENTS_PER_PAGE, ...(after === undefined ? {} : { after }) }
      const page = await options.catalog.liveSegments(request)
      for (const segment of page) {
        const extentCount = await scrubSegment(segment, options, find)
        report.segmentCount += 1
        report.objectBytes += segment.objectBytes
        report.extentCount += extentCount
      }
      after = page.at(-1)?.segmentId
      if (page.length < SEGMENTS_PER_PAGE) break
    }
  }
  report.partitionCount = await scrubLogs(options.catalog, find)
  return report
}

type Find = (place: string, text: string) => void

async function scrubSegment(segment: SegmentInfo, options: ScrubOptions, find: Find): Promise<number> {
  const { catalog, objectStore } = options
  const { segmentId, objectKey } = segment
  const texts: string[] = []
  let extents: readonly SegmentExtent[] = []
  try {
    const { bytes } = await objectStore.head(objectKey)
    if (bytes !== segment.objectBytes)
      texts.push(`the object has ${bytes} bytes, the catalog says ${segment.objectBytes}`)
    const { damages, index } = await verifySegment(windowedSource(objectStore, objectKey, bytes))
    texts.push(...damages.map(({ code, message, position }) => `${code} at ${position}: ${message}`))
    extents = await catalog.extentsOfSegments([segmentId])
    if (index !== undefined) texts.push(...checkIndex(segment, index, extents))
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    texts.push(error.message)
  }
  // Compaction may have replaced it, and its grace may be over, since it was listed.
  if (texts.length > 0 && (await catalog.extentsOfSegments([segmentId])).length === 0) return 0
  for (const text of texts) find(objectKey, text)
  return extents.length
}

function checkIndex(segment: SegmentInfo, index: SegmentIndex, extents: readonly SegmentExtent[]): string[] {
  const texts: string[] = []
  if (index.segmentId !== segment.segmentId) texts.push(`it says that it is segment ${index.segmentId}`)
  if (index.level !== segment.level) texts.push(`it is of level ${index.level}, the catalog says ${segment.level}`)
  for (const extent of extents) {
    const where = `extent ${extent.baseOffset}-${extent.endOffset} of ${extent.topicId}/${extent.partition}`
    try {
      let endOffset = extent.baseOffset
      for (const batch of indexedBatches(extent, index)) {
        if (batch.baseOffset < endOffset)
          texts.push(`${where}: a batch begins at ${batch.baseOffset} before ${endOffset}`)
        endOffset = batch.endOffset
      }
      if (endOffset !== extent.endOffset) texts.push(`${where}: its batches end at ${endOffset}`)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      texts.push(error.message)
    }
  }
  return texts
}

/** Every log from its start to its high watermark, without a hole. Answers the number of partitions. */
async function scrubLogs(catalog: Catalog, find: Find): Promise<number> {
  let partitionCount = 0
  for (const { topicId, name, partitionCount: count } of await catalog.listTopics()) {
    for (let partition = 0; partition < count; partition++) {
      const hole = await firstHole(catalog, topicId, partition)
      if (hole !== undefined) find(`${name}/${partition}`, `no extent holds offset ${hole}`)
      partitionCount += 1
    }
  }
  return partitionCount
}

async function firstHole(catalog: Catalog, topicId: string, partition: number): Promise<number | undefined> {
  const [start] = await catalog.partitionOffsets([{ topicId, partition }])
  if (start === undefined) return undefined
  for (let offset = start.logStartOffset; ; ) {
    const [answer] = await catalog.findExtents([
      { topicId, partition, offset, bytesMax: Number.MAX_SAFE_INTEGER, extentCountMax: EXTENTS_PER_PAGE },
    ])
    if (answer === undefined || offset >= answer.highWatermark) return undefined
    // Retention has moved the start meanwhile.
    if (offset < answer.logStartOffset) offset = answer.logStartOffset
    else {
      const [first] = answer.extents
      if (first === undefined || first.baseOffset > offset) return offset
      offset = answer.extents.at(-1)?.endOffset ?? offset
    }
  }
}

/** The object through a window that moves forward: blocks come in order, and share requests. */
function windowedSource(store: ObjectStore, key: string, objectBytes: number): SegmentSource {
  let start = 0
  let window = new Uint8Array(0)
  const readRange = async (position: number, bytes: number): Promise<Uint8Array> => {
    if (position < start || position + bytes > start + window.byteLength) {
      const length = Math.min(Math.max(bytes, WINDOW_BYTES), objectBytes - position)
      // A range beyond the end is the store's to refuse.
      window = (await store.getRange(key, position, Math.max(length, bytes))) as Uint8Array<ArrayBuffer>
      start = position
    }
    return window.subarray(position - start, position - start + bytes)
  }
  return { objectBytes, readRange }
}
