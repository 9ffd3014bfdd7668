import { Buffer } from 'node:buffer'
import type { ProducerBatch, ProducerState } from '../../engine/commit/producer-state.js'
import { sequenceAfter } from '../../engine/commit/producer-state.js'
import { HeadraceError } from '../../engine/errors.js'
import { decodeProducerOfVersion1, PRODUCER_VERSION_1 } from './producer-blob-v1.js'

/**
 * A producer's last batches as they are stored, beside the epoch, which has a column of its own.
 *
 *   version        u8       2
 *   sequenceCount  uvarint
 *   batches, oldest first, to the end:
 *     gap          uvarint  from the sequence after the batch before; of the first batch: its base sequence
 *     span         uvarint  last sequence less base sequence
 *     advance      uvarint  base offset less that of the batch before; of the first batch: its base offset
 *
 * Sequences are subtracted modulo 2^31. Batches follow each other and offsets are near each other, so that five batches take
 * some 30 bytes: a commit writes one of these for each producer and partition, and reads it before.
 */
const VERSION = 2
const SEQUENCE_MODULUS = 2 ** 31
/** Seven bits a byte; safe integers have 53. */
const VARINT_BYTES_MAX = 8
const BATCH_VARINTS = 3

export function encodeProducer({ sequenceCount, batches }: ProducerState): Uint8Array {
  // From Node's pool: an ArrayBuffer of its own costs more than all that is written into it.
  const bytes = Buffer.allocUnsafe(1 + (1 + batches.length * BATCH_VARINTS) * VARINT_BYTES_MAX)
  bytes[0] = VERSION
  let at = writeVarint(bytes, sequenceCount, 1)
  let [nextSequence, lastOffset] = [0, 0]
  for (const { baseSequence, lastSequence, baseOffset } of batches) {
    at = writeVarint(bytes, sequencesFrom(nextSequence, baseSequence), at)
    at = writeVarint(bytes, sequencesFrom(baseSequence, lastSequence), at)
    at = writeVarint(bytes, baseOffset - lastOffset, at)
    nextSequence = sequenceAfter(lastSequence, 1)
    lastOffset = baseOffset
  }
  return bytes.subarray(0, at)
}

/** @throws CATALOG_SCHEMA_MISMATCH */
export function decodeProducer(epoch: number, bytes: Uint8Array): ProducerState {
  if (bytes[0] === PRODUCER_VERSION_1) return decodeProducerOfVersion1(epoch, bytes) ?? damaged()
  if (bytes[0] !== VERSION) return damaged()
  const reader = new VarintReader(bytes, 1)
  const sequenceCount = reader.next()
  const batches: ProducerBatch[] = []
  let [nextSequence, lastOffset] = [0, 0]
  do {
    const baseSequence = sequenceAfter(nextSequence, reader.next())
    const lastSequence = sequenceAfter(baseSequence, reader.next())
    const baseOffset = lastOffset + reader.next()
    batches.push({ baseSequence, lastSequence, baseOffset })
    nextSequence = sequenceAfter(lastSequence, 1)
    lastOffset = baseOffset
  } while (!reader.atEnd)
  return { epoch, sequenceCount, batches }
}

function sequencesFrom(from: number, to: number): number {
  return (to - from + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
}

/** Least significant bits first. Answers the place after it. */
function writeVarint(bytes: Buffer, value: number, position: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no count and no distance`)
  let at = position
  let rest = value
  // Arithmetic, not shifts: offsets exceed 32 bits.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) + 0x80
  bytes[at++] = rest
  return at
}

class VarintReader {
  readonly #bytes: Uint8Array
  #position: number

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes
    this.#position = position
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  next(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#position++]
      if (byte === undefined) return damaged()
      value += (byte & 0x7f) * scale
      if (!Number.isSafeInteger(value)) return damaged()
      if (byte < 0x80) return value
    }
  }
}

function damaged(): never {
  throw new HeadraceError(
    'CATALOG_SCHEMA_MISMATCH',
    'never',
    'the state of a producer in the catalog cannot be read; run agents of one version, and check the catalog',
  )
}
