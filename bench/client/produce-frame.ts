import { BATCH_BASE_SEQUENCE, BATCH_CRC } from '../../format/index.js'
import { requestFrame } from '../../test/support/kafka/raw-client.js'
import { type Payload, sampleBatch } from '../samples.js'
import { SequenceCrc } from './sequence-crc.js'

export const PRODUCE_VERSION = 7
const CORRELATION_ID_POSITION = 8
/** Base offsets that mark where a batch lies in the encoded frame; the broker replaces them anyway. */
const MARK = 0x4d41_0000_0000

export interface FrameShape {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly payload: Payload
  readonly recordsPerBatch: number
  readonly producerId: number
}

/**
 * A Produce request built once and sent again and again with new sequences: the bytes that change are patched in place.
 * It may be changed only after its answer has come.
 */
export class ProduceFrame {
  readonly bytes: Buffer
  /** Record batches only. */
  readonly batchBytes: number
  readonly recordCount: number
  readonly #batches: readonly PlacedBatch[]
  readonly #recordsPerBatch: number

  constructor(shape: FrameShape) {
    const { payload, producerId, partitions, recordsPerBatch } = shape
    const batches = partitions.map((partition, number) => ({
      partition,
      records: sampleBatch({ payload, producerId, recordCount: recordsPerBatch, baseOffset: MARK + number }),
    }))
    const request = { acks: -1, timeoutMs: 30_000, topics: [{ name: shape.topic, partitions: batches }] }
    this.bytes = Buffer.from(requestFrame('produce', PRODUCE_VERSION, 0, request))
    this.#batches = batches.map(({ partition, records }, number) => this.#place(partition, records, number))
    this.batchBytes = batches.reduce((sum, { records }) => sum + records.byteLength, 0)
    this.recordCount = partitions.length * recordsPerBatch
    this.#recordsPerBatch = recordsPerBatch
  }

  /** Gives every batch the next sequence of its partition and advances `sequences`. */
  number(correlationId: number, sequences: Int32Array): void {
    this.bytes.writeInt32BE(correlationId, CORRELATION_ID_POSITION)
    for (const { partition, position, crcWithSequenceZero, sequenceCrc } of this.#batches) {
      const sequence = sequences[partition]!
      sequences[partition] = sequence + this.#recordsPerBatch
      this.bytes.writeInt32BE(sequence, position + BATCH_BASE_SEQUENCE)
      this.bytes.writeUInt32BE(sequenceCrc.crc(crcWithSequenceZero, sequence), position + BATCH_CRC)
    }
  }

  #place(partition: number, records: Uint8Array, number: number): PlacedBatch {
    const mark = Buffer.alloc(8)
    mark.writeBigInt64BE(BigInt(MARK + number))
    const position = this.bytes.indexOf(mark)
    this.bytes.fill(0, position, position + 8)
    return {
      partition,
      position,
      crcWithSequenceZero: this.bytes.readUInt32BE(position + BATCH_CRC),
      sequenceCrc: new SequenceCrc(records.byteLength),
    }
  }
}

interface PlacedBatch {
  readonly partition: number
  readonly position: number
  readonly crcWithSequenceZero: number
  readonly sequenceCrc: SequenceCrc
}

const PARTITION_ANSWER_BYTES = 30

/** Batches that a Produce response (version 7, one topic, its length prefix included) reports as failed. */
export function countErrors(response: Buffer): number {
  const nameBytes = response.readInt16BE(12)
  let position = 14 + nameBytes
  const count = response.readInt32BE(position)
  position += 4
  let errors = 0
  for (let number = 0; number < count; number++) {
    if (response.readInt16BE(position + 4) !== 0) errors++
    position += PARTITION_ANSWER_BYTES
  }
  return errors
}
