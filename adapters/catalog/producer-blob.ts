import { Buffer } from 'node:buffer'
import type { ProducerBatch, ProducerState } from '../../engine/commit/producer-state.js'
import { HeadraceError } from '../../engine/errors.js'

/**
 * A producer's last batches as they are stored, beside the epoch, which has a column of its own. Big-endian.
 *
 *   0   version        u8   1
 *   1   sequenceCount  u64
 *   9   batches, oldest first, to the end:
 *       0   baseSequence  u32
 *       4   lastSequence  u32
 *       8   baseOffset    u64
 */
const VERSION = 1
const VERSION_AT = 0
const SEQUENCE_COUNT_AT = VERSION_AT + 1
const HEADER_BYTES = SEQUENCE_COUNT_AT + 8

const BASE_SEQUENCE_AT = 0
const LAST_SEQUENCE_AT = BASE_SEQUENCE_AT + 4
const BASE_OFFSET_AT = LAST_SEQUENCE_AT + 4
const BATCH_BYTES = BASE_OFFSET_AT + 8

export function encodeProducer(state: ProducerState): Uint8Array {
  // From Node's pool: an ArrayBuffer of its own costs more than all that is written into it.
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + state.batches.length * BATCH_BYTES)
  bytes[VERSION_AT] = VERSION
  writeU64(bytes, state.sequenceCount, SEQUENCE_COUNT_AT)
  let at = HEADER_BYTES
  for (const { baseSequence, lastSequence, baseOffset } of state.batches) {
    bytes.writeUInt32BE(baseSequence, at + BASE_SEQUENCE_AT)
    bytes.writeUInt32BE(lastSequence, at + LAST_SEQUENCE_AT)
    writeU64(bytes, baseOffset, at + BASE_OFFSET_AT)
    at += BATCH_BYTES
  }
  return bytes
}

/** As two halves: safe integers need no BigInt. */
function writeU64(bytes: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no count and no offset`)
  bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  bytes.writeUInt32BE(value % 2 ** 32, at + 4)
}

function readU64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}

/** @throws CATALOG_SCHEMA_MISMATCH */
export function decodeProducer(epoch: number, bytes: Uint8Array): ProducerState {
  const batchesBytes = bytes.length - HEADER_BYTES
  if (batchesBytes < BATCH_BYTES || batchesBytes % BATCH_BYTES !== 0 || bytes[VERSION_AT] !== VERSION) {
    throw new HeadraceError(
      'CATALOG_SCHEMA_MISMATCH',
      'never',
      'the state of a producer in the catalog cannot be read; run agents of one version, and check the catalog',
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const batches: ProducerBatch[] = []
  for (let at = HEADER_BYTES; at < bytes.length; at += BATCH_BYTES) {
    batches.push({
      baseSequence: view.getUint32(at + BASE_SEQUENCE_AT),
      lastSequence: view.getUint32(at + LAST_SEQUENCE_AT),
      baseOffset: readU64(view, at + BASE_OFFSET_AT),
    })
  }
  return { epoch, sequenceCount: readU64(view, SEQUENCE_COUNT_AT), batches }
}
