import {
  BATCH_BYTES,
  BATCH_COLUMNS,
  BATCH_FLAG_KEYS_REQUIRED,
  BATCH_FLAG_LOG_APPEND_TIME,
  BATCH_FLAG_ZSTD_ALLOWED,
  BATCH_FLAGS,
  BATCH_PARTITION,
  BATCH_POSITION,
  BATCH_TOPIC,
  type BatchInputRefusal,
  RECORD_ERRORS_MAX,
  type SegmentInput,
} from '../engine/ports/segment-uploader.js'
import {
  encodeIndex,
  FormatError,
  iterateRecords,
  RECORD_CODEC_ZSTD,
  type RecordBatchHeader,
  type SegmentIndex,
  SegmentWriter,
  stampLogAppendTime,
  validateProducedBatch,
} from '../format/index.js'

/** Bytes after which encoding pauses: a millisecond of LZ4. */
const STEP_BYTES = 512 * 1024

/**
 * Encodes a sealed segment: goes through the batches in the order of (topic id, partition) and arrival, validates each and writes
 * the good ones through `SegmentWriter` into `sink`. Pure: same input, same bytes. A bad batch is refused, the others go on. A batch is
 * checked just before it is written, when its bytes are in the processor's cache for both. Yields about every millisecond, so that
 * a thread can do other work in between.
 */
export function* encodeSegmentSteps(
  input: SegmentInput,
  sink: (bytes: Uint8Array) => void,
): Generator<void, EncodedSegment, undefined> {
  const arena = new Uint8Array(input.arena)
  const identity = { segmentId: input.segmentId, level: 0, createdAtMs: input.createdAtMs }
  const refusals: BatchInputRefusal[] = []
  const batchOrder: number[] = []
  let writer: SegmentWriter | undefined
  let stepBytes = 0
  for (const batch of inIndexOrder(input)) {
    stepBytes += input.batches[batch * BATCH_COLUMNS + BATCH_BYTES]!
    const checked = checkBatch(input, arena, batch)
    if ('code' in checked) refusals.push(checked)
    else {
      const row = batch * BATCH_COLUMNS
      const topicId = input.topicIds[input.batches[row + BATCH_TOPIC]!]!
      writer ??= new SegmentWriter(identity, sink, { batchCrcsChecked: true })
      writer.appendBatch(topicId, input.batches[row + BATCH_PARTITION]!, checked.bytes, checked.header)
      batchOrder.push(batch)
    }
    if (stepBytes < STEP_BYTES) continue
    stepBytes = 0
    yield
  }
  refusals.sort((a, b) => a.batch - b.batch)
  if (writer === undefined) return nothingValid(input, refusals)
  const { objectBytes, index, indexBytes } = writer.finish()
  return { objectBytes, index, indexBytes, batchOrder: Uint32Array.from(batchOrder), refusals }
}

/** Numbers of the batches, by topic id, partition and arrival. */
function inIndexOrder({ batches, topicIds }: SegmentInput): Uint32Array {
  const topicRanks = rankTopics(topicIds)
  const numbers = Uint32Array.from({ length: batches.length / BATCH_COLUMNS }, (_, batch) => batch)
  return numbers.sort((a, b) => {
    const rowA = a * BATCH_COLUMNS
    const rowB = b * BATCH_COLUMNS
    return (
      topicRanks[batches[rowA + BATCH_TOPIC]!]! - topicRanks[batches[rowB + BATCH_TOPIC]!]! ||
      batches[rowA + BATCH_PARTITION]! - batches[rowB + BATCH_PARTITION]! ||
      a - b
    )
  })
}

/** `encodeSegmentSteps` without pauses. */
export function encodeSegmentInput(input: SegmentInput, sink: (bytes: Uint8Array) => void): EncodedSegment {
  const steps = encodeSegmentSteps(input, sink)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

export interface EncodedSegment {
  /** 0 when no batch was valid; then nothing went to the sink. */
  readonly objectBytes: number
  readonly index: SegmentIndex
  /** The index encoded, as it travels between threads. */
  readonly indexBytes: Uint8Array
  readonly batchOrder: Uint32Array
  readonly refusals: readonly BatchInputRefusal[]
}

interface ValidBatch {
  readonly bytes: Uint8Array
  readonly header: RecordBatchHeader
}

function checkBatch(input: SegmentInput, arena: Uint8Array, batch: number): ValidBatch | BatchInputRefusal {
  const row = batch * BATCH_COLUMNS
  const position = input.batches[row + BATCH_POSITION]!
  const bytes = arena.subarray(position, position + input.batches[row + BATCH_BYTES]!)
  try {
    const header = validateProducedBatch(bytes)
    const flags = input.batches[row + BATCH_FLAGS]!
    if (header.recordCodec === RECORD_CODEC_ZSTD && (flags & BATCH_FLAG_ZSTD_ALLOWED) === 0) {
      return { batch, code: 'BATCH_COMPRESSION_UNSUPPORTED', message: 'zstd needs Produce version 7 or later' }
    }
    // A copy, as not every decompressor takes shared memory.
    const keyless = (flags & BATCH_FLAG_KEYS_REQUIRED) === 0 ? undefined : keylessRecords(batch, bytes.slice())
    if (keyless !== undefined) return keyless
    if ((flags & BATCH_FLAG_LOG_APPEND_TIME) === 0) return { bytes, header }
    // The arena is only read: should this task be lost, another one encodes the same bytes again.
    const stamped = bytes.slice()
    return { bytes: stamped, header: stampLogAppendTime(stamped, input.createdAtMs) }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { batch, code: refusalCode(error), message: error.message }
  }
}

/** Records of one batch are decompressed to at most this much, to look for their keys. */
const RECORDS_BYTES_MAX = 128 * 1024 * 1024

/**
 * The refusal of a batch in which records have no key, for a topic in which they would never be compacted away.
 * @throws FormatError where the records cannot be read
 */
function keylessRecords(batch: number, bytes: Uint8Array): BatchInputRefusal | undefined {
  const recordErrors: { readonly record: number; readonly message: string }[] = []
  let record = 0
  let keylessCount = 0
  for (const { key } of iterateRecords(bytes, { recordsBytesMax: RECORDS_BYTES_MAX })) {
    if (key === null) {
      keylessCount += 1
      if (recordErrors.length < RECORD_ERRORS_MAX) recordErrors.push({ record, message: KEY_MISSING })
    }
    record += 1
  }
  if (keylessCount === 0) return undefined
  const message = `${keylessCount} of ${record} records have no key, which every record of a compacted topic needs`
  return { batch, code: 'BATCH_INVALID', message, recordErrors }
}

const KEY_MISSING = 'a record of a compacted topic needs a key'

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

function nothingValid(input: SegmentInput, refusals: readonly BatchInputRefusal[]): EncodedSegment {
  const index: SegmentIndex = { segmentId: input.segmentId, level: 0, createdAtMs: input.createdAtMs, blocks: [] }
  return { objectBytes: 0, index, indexBytes: encodeIndex(index), batchOrder: new Uint32Array(0), refusals }
}
