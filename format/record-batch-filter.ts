import { dataView } from './bytes.js'
import { crc32c } from './crc32c.js'
import {
  ATTRIBUTE_LOG_APPEND_TIME,
  BATCH_ATTRIBUTES,
  BATCH_CRC,
  BATCH_LAST_OFFSET_DELTA,
  RECORD_CODEC_NAMES,
  type RecordBatchHeader,
} from './record-batch.js'
import { encodeRecordBatch } from './record-batch-builder.js'
import { iterateRecords, type KafkaRecord } from './records.js'

/**
 * The batch with those of its records that `keep` wants: itself when it wants all, undefined when it wants none. What stays has its
 * offset, timestamp and bytes; the batch keeps its producer and sequence. Compressed anew with the producer's codec, except zstd, for
 * which there is no encoder on Node 20: that becomes uncompressed, and the block around it compresses.
 * @throws FormatError as `iterateRecords`
 */
export function filterBatch(
  batch: Uint8Array,
  header: RecordBatchHeader,
  baseOffset: number,
  keep: (record: KafkaRecord) => boolean,
): Uint8Array | undefined {
  const records = [...iterateRecords(batch, { baseOffset })]
  const kept = records.filter(keep)
  if (kept.length === records.length) return batch
  if (kept.length === 0) return undefined
  const codec = RECORD_CODEC_NAMES[header.recordCodec]
  return encodeRecordBatch({
    records: kept.map(({ offset, timestampMs, key, value, headers }) => {
      return { timestampMs, key, value, headers, offsetDelta: offset - baseOffset }
    }),
    baseOffset,
    leaderEpoch: header.leaderEpoch,
    ...(codec === undefined || codec === 'zstd' ? {} : { compression: codec }),
    logAppendTime: (header.attributes & ATTRIBUTE_LOG_APPEND_TIME) !== 0,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
  })
}

/**
 * Makes the batch span the offsets up to base offset + `lastOffsetDelta`, in place: those behind its last record belong to nobody any
 * more, and a reader goes on behind them.
 */
export function stretchBatch(batch: Uint8Array, lastOffsetDelta: number): void {
  const view = dataView(batch)
  view.setInt32(BATCH_LAST_OFFSET_DELTA, lastOffsetDelta)
  view.setUint32(BATCH_CRC, crc32c(batch.subarray(BATCH_ATTRIBUTES)))
}
