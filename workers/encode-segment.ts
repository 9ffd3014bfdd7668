import {
  BATCH_BYTES,
  BATCH_COLUMNS,
  BATCH_FLAG_ZSTD_ALLOWED,
  BATCH_FLAGS,
  BATCH_PARTITION,
  BATCH_POSITION,
  BATCH_TOPIC,
  type BatchInputRefusal,
  type SegmentInput,
} from '../engine/ports/segment-uploader.js'
import {
  FormatError,
  RECORD_CODEC_ZSTD,
  type RecordBatchHeader,
  type SegmentIndex,
  SegmentWriter,
  validateProducedBatch,
} from '../format/index.js'

/**
 * Encodes a sealed segment: validates every batch, orders the good ones by (topic id, partition) and arrival, and writes
 * them through `SegmentWriter` into `sink`. Pure: same input, same bytes. A bad batch is refused, the others go on.
 */
export function encodeSegmentInput(input: SegmentInput, sink: (bytes: Uint8Array) => void): EncodedSegment {
  const arena = new Uint8Array(input.arena)
  const refusals: BatchInputRefusal[] = []
  const valid: ValidBatch[] = []
  for (let batch = 0; batch * BATCH_COLUMNS < input.batches.length; batch++) {
    const checked = checkBatch(input, arena, batch)
    if ('code' in checked) refusals.push(checked)
    else valid.push(checked)
  }
  if (valid.length === 0) return { objectBytes: 0, index: emptyIndex(input), batchOrder: new Uint32Array(0), refusals }

  const topicRanks = rankTopics(input.topicIds)
  valid.sort((a, b) => topicRanks[a.topic]! - topicRanks[b.topic]! || a.partition - b.partition || a.batch - b.batch)
  const identity = { segmentId: input.segmentId, level: 0, createdAtMs: input.createdAtMs }
  const writer = new SegmentWriter(identity, sink)
  for (const { topic, partition, bytes, header } of valid) {
    writer.appendBatch(input.topicIds[topic]!, partition, bytes, header)
  }
  const { objectBytes, index } = writer.finish()
  return { objectBytes, index, batchOrder: Uint32Array.from(valid, ({ batch }) => batch), refusals }
}

export interface EncodedSegment {
  /** 0 when no batch was valid; then nothing went to the sink. */
  readonly objectBytes: number
  readonly index: SegmentIndex
  readonly batchOrder: Uint32Array
  readonly refusals: readonly BatchInputRefusal[]
}

interface ValidBatch {
  readonly batch: number
  readonly topic: number
  readonly partition: number
  readonly bytes: Uint8Array
  readonly header: RecordBatchHeader
}

function checkBatch(input: SegmentInput, arena: Uint8Array, batch: number): ValidBatch | BatchInputRefusal {
  const row = batch * BATCH_COLUMNS
  const position = input.batches[row + BATCH_POSITION]!
  const bytes = arena.subarray(position, position + input.batches[row + BATCH_BYTES]!)
  try {
    const header = validateProducedBatch(bytes)
    const zstdAllowed = (input.batches[row + BATCH_FLAGS]! & BATCH_FLAG_ZSTD_ALLOWED) !== 0
    if (header.recordCodec === RECORD_CODEC_ZSTD && !zstdAllowed) {
      return { batch, code: 'BATCH_COMPRESSION_UNSUPPORTED', message: 'zstd needs Produce version 7 or later' }
    }
    const topic = input.batches[row + BATCH_TOPIC]!
    return { batch, topic, partition: input.batches[row + BATCH_PARTITION]!, bytes, header }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { batch, code: refusalCode(error), message: error.message }
  }
}

/** Kafka tells bytes that were damaged on the way (CORRUPT_MESSAGE, worth a retry) from a batch that is wrong as built. */
function refusalCode(error: FormatError): BatchInputRefusal['code'] {
  switch (error.code) {
    case 'BATCH_TOO_SHORT':
    case 'BATCH_LENGTH':
    case 'BATCH_CRC':
      return 'BATCH_CORRUPT'
    case 'BATCH_CODEC':
      return 'BATCH_COMPRESSION_UNSUPPORTED'
    case 'BATCH_TIMESTAMP':
      return 'BATCH_TIMESTAMP_INVALID'
    default:
      return 'BATCH_INVALID'
  }
}

function rankTopics(topicIds: readonly string[]): Int32Array {
  const ranks = new Int32Array(topicIds.length)
  const order = topicIds.map((_, number) => number)
  order.sort((a, b) => (topicIds[a]! < topicIds[b]! ? -1 : 1))
  for (const [rank, number] of order.entries()) ranks[number] = rank
  return ranks
}

function emptyIndex(input: SegmentInput): SegmentIndex {
  return { segmentId: input.segmentId, level: 0, createdAtMs: input.createdAtMs, blocks: [] }
}
