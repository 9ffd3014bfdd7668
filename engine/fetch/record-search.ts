import { ATTRIBUTE_LOG_APPEND_TIME, FormatError, iterateRecords } from '../../format/index.js'
import type { PlacedBatch } from './extent-decoder.js'

/** A record's offset and timestamp. */
export interface RecordPlace {
  readonly offset: number
  readonly timestampMs: number
}

/** A batch that decompresses to more is not looked into. */
const RECORDS_BYTES_MAX = 64 * 1024 * 1024

/**
 * The batch's first record that is not older than `timestampMs` nor below `offsetMin`. Where the records cannot be read (a
 * codec of the client's own making), the batch itself is the answer: a consumer that seeks there misses nothing.
 */
export function firstRecordFrom(batch: PlacedBatch, timestampMs: number, offsetMin: number): RecordPlace | undefined {
  const { header } = batch
  if (header.maxTimestampMs < timestampMs || batch.endOffset <= offsetMin) return undefined
  const whole = { offset: Math.max(batch.baseOffset, offsetMin), timestampMs: header.maxTimestampMs }
  // With LogAppendTime all records of a batch have its time.
  if ((header.attributes & ATTRIBUTE_LOG_APPEND_TIME) !== 0) return whole
  // A copy, as not every decompressor takes the shared memory of an arena.
  const bytes = batch.memory.slice(batch.position, batch.position + batch.bytes)
  try {
    for (const record of iterateRecords(bytes, { recordsBytesMax: RECORDS_BYTES_MAX, baseOffset: batch.baseOffset })) {
      if (record.timestampMs < timestampMs || record.offset < offsetMin) continue
      return { offset: record.offset, timestampMs: record.timestampMs }
    }
    return undefined
  } catch (error) {
    if (error instanceof FormatError && error.code.startsWith('RECORD_')) return whole
    throw error
  }
}
