import {
  encodeRecordBatch,
  encodeSegment,
  type RecordBatchInput,
  type SegmentBatch,
  type SegmentSource,
} from '../../format/index.js'

/** Small segments and batches with known content for the tests of the format. */

export const SEGMENT_ID = '01900000-0000-7000-8000-0000000000a1'
export const TOPIC_A = 'aaaaaaaa-0000-4000-8000-000000000001'
export const TOPIC_B = 'bbbbbbbb-0000-4000-8000-000000000002'
export const TIME_MS = 1_700_000_000_000

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** A batch of one record per value, one ms apart. */
export function batchOf(values: readonly string[], fields: Partial<RecordBatchInput> = {}): Uint8Array {
  const records = values.map((value, number) => ({ timestampMs: TIME_MS + number, value: ascii(value) }))
  return encodeRecordBatch({ records, ...fields })
}

/** Two topics, three partitions, four blocks: raw and LZ4, equal and different sizes, with and without a producer. */
export function smallSegmentBatches(level: number): SegmentBatch[] {
  let offset = 100
  const at = (records: number): { baseOffset?: number } => {
    const baseOffset = offset
    offset += records
    return level === 0 ? {} : { baseOffset }
  }
  const text = 'all work and no play makes a dull log '.repeat(10)
  const producer = { producerId: 7, producerEpoch: 1 }
  return [
    { topicId: TOPIC_A, partition: 0, bytes: batchOf(['one', 'two'], { ...producer, baseSequence: 0 }), ...at(2) },
    { topicId: TOPIC_A, partition: 0, bytes: batchOf(['six', 'ten'], { ...producer, baseSequence: 2 }), ...at(2) },
    { topicId: TOPIC_A, partition: 3, bytes: batchOf([text]), ...at(1) },
    { topicId: TOPIC_B, partition: 0, bytes: batchOf(['a']), ...at(1) },
    { topicId: TOPIC_B, partition: 0, bytes: batchOf(['b', 'c', 'd']), ...at(3) },
  ]
}

/** The two equal batches of the first partition pass it together, those of the last partition just do not. */
export const SMALL_BLOCK_BYTES = 160

export function smallSegment(level = 0): ReturnType<typeof encodeSegment> {
  const header = { segmentId: SEGMENT_ID, level, createdAtMs: TIME_MS }
  return encodeSegment(header, smallSegmentBatches(level), { blockTargetBytes: SMALL_BLOCK_BYTES })
}

/** Reads from memory, and notes the ranges. */
export function sourceOf(bytes: Uint8Array): SegmentSource & { readonly reads: (readonly [number, number])[] } {
  const reads: (readonly [number, number])[] = []
  return {
    objectBytes: bytes.byteLength,
    reads,
    async readRange(position, length) {
      reads.push([position, length])
      if (position < 0 || position + length > bytes.byteLength) throw new RangeError(`no range ${position}+${length}`)
      return bytes.slice(position, position + length)
    },
  }
}

export function withByte(bytes: Uint8Array, position: number, value: number): Uint8Array {
  const changed = bytes.slice()
  changed[position] = value
  return changed
}

export function withBitFlipped(bytes: Uint8Array, position: number, bit: number): Uint8Array {
  return withByte(bytes, position, bytes[position]! ^ (1 << bit))
}
