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
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + state.batches.length * BATCH_BYTES))
  view.setUint8(VERSION_AT, VERSION)
  view.setBigUint64(SEQUENCE_COUNT_AT, BigInt(state.sequenceCount))
  for (const [index, batch] of state.batches.entries()) {
    const at = HEADER_BYTES + index * BATCH_BYTES
    view.setUint32(at + BASE_SEQUENCE_AT, batch.baseSequence)
    view.setUint32(at + LAST_SEQUENCE_AT, batch.lastSequence)
    view.setBigUint64(at + BASE_OFFSET_AT, BigInt(batch.baseOffset))
  }
  return new Uint8Array(view.buffer)
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
      baseOffset: Number(view.getBigUint64(at + BASE_OFFSET_AT)),
    })
  }
  return { epoch, sequenceCount: Number(view.getBigUint64(SEQUENCE_COUNT_AT)), batches }
}
