import { BATCH_ATTRIBUTES, BATCH_BASE_SEQUENCE, BATCH_CRC, BATCH_PRODUCER_ID, crc32c } from '../../format/index.js'
import { requestFrame } from '../../test/support/kafka/raw-client.js'
import { SequenceCrc } from './sequence-crc.js'

/** The greatest one that names topics and is not flexible: Kafka 4 takes 3 to 13. */
export const PRODUCE_VERSION = 7
const CORRELATION_ID_POSITION = 8
/** Before each batch: partition and length. */
const PARTITION_BYTES = 4
const LENGTH_BYTES = 4

export interface FrameShape {
  readonly topic: string
  /** One for each partition of the request. */
  readonly batches: readonly Uint8Array[]
  readonly recordsPerBatch: number
  readonly producerId: number
}

/**
 * A Produce request built once and sent again and again to other partitions and with new sequences: the bytes that change are
 * patched in place. It may be changed only after its answer has come.
 */
export class ProduceFrame {
  readonly bytes: Buffer
  /** Record batches only. */
  readonly batchBytes: number
  readonly recordCount: number
  readonly #batches: readonly PlacedBatch[]
  readonly #recordsPerBatch: number

  constructor({ topic, batches, recordsPerBatch, producerId }: FrameShape) {
    const partitions = batches.map((records, partition) => ({ partition, records }))
    const request = { acks: -1, timeoutMs: 30_000, topics: [{ name: topic, partitions }] }
    this.bytes = Buffer.from(requestFrame('produce', PRODUCE_VERSION, 0, request))
    this.#batches = this.#place(batches, producerId)
    this.batchBytes = batches.reduce((sum, { byteLength }) => sum + byteLength, 0)
    this.recordCount = batches.length * recordsPerBatch
    this.#recordsPerBatch = recordsPerBatch
  }

  /** Addresses the batches to the partitions from `firstPartition` on, round about, with their next sequences. */
  address(correlationId: number, firstPartition: number, sequences: Int32Array): void {
    this.bytes.writeInt32BE(correlationId, CORRELATION_ID_POSITION)
    for (const [number, { position, crcWithSequenceZero, sequenceCrc }] of this.#batches.entries()) {
      const partition = (firstPartition + number) % sequences.length
      const sequence = sequences[partition]!
      sequences[partition] = sequence + this.#recordsPerBatch
      this.bytes.writeInt32BE(partition, position - LENGTH_BYTES - PARTITION_BYTES)
      this.bytes.writeInt32BE(sequence, position + BATCH_BASE_SEQUENCE)
      this.bytes.writeUInt32BE(sequenceCrc.crc(crcWithSequenceZero, sequence), position + BATCH_CRC)
    }
  }

  /** The request ends with its last batch, so places follow from lengths, from the end. */
  #place(batches: readonly Uint8Array[], producerId: number): PlacedBatch[] {
    let end = this.bytes.byteLength
    const placed = [...batches].reverse().map(({ byteLength }) => {
      const position = end - byteLength
      this.bytes.writeBigInt64BE(BigInt(producerId), position + BATCH_PRODUCER_ID)
      const crcWithSequenceZero = crc32c(this.bytes.subarray(position + BATCH_ATTRIBUTES, end))
      end = position - LENGTH_BYTES - PARTITION_BYTES
      return { position, crcWithSequenceZero, sequenceCrc: SequenceCrc.of(byteLength) }
    })
    return placed.reverse()
  }
}

interface PlacedBatch {
  readonly position: number
  readonly crcWithSequenceZero: number
  readonly sequenceCrc: SequenceCrc
}

const PARTITION_ANSWER_BYTES = 30

/** The error codes of the batches that failed, from a Produce response of version 7 for one topic, its length prefix included. */
export function errorCodesOf(response: Buffer): number[] {
  const nameBytes = response.readInt16BE(12)
  let position = 14 + nameBytes
  const count = response.readInt32BE(position)
  position += 4
  const errorCodes: number[] = []
  for (let number = 0; number < count; number++) {
    const errorCode = response.readInt16BE(position + 4)
    if (errorCode !== 0) errorCodes.push(errorCode)
    position += PARTITION_ANSWER_BYTES
  }
  return errorCodes
}
