import type { ProducerBatch, ProducerState } from '../../engine/commit/producer-state.js'

/**
 * Producers' batches as catalogs before schema version 7 stored them; such a row is read until its producer writes again
 * or expires. Big-endian.
 *
 *   0   version        u8   1
 *   1   sequenceCount  u64
 *   9   batches, oldest first, to the end:
 *       0   baseSequence  u32
 *       4   lastSequence  u32
 *       8   baseOffset    u64
 */
export const PRODUCER_VERSION_1 = 1

const SEQUENCE_COUNT_AT = 1
const HEADER_BYTES = SEQUENCE_COUNT_AT + 8

const BASE_SEQUENCE_AT = 0
const LAST_SEQUENCE_AT = BASE_SEQUENCE_AT + 4
const BASE_OFFSET_AT = LAST_SEQUENCE_AT + 4
const BATCH_BYTES = BASE_OFFSET_AT + 8

/** Undefined where the length is impossible. */
export function decodeProducerOfVersion1(epoch: number, bytes: Uint8Array): ProducerState | undefined {
  const batchesBytes = bytes.length - HEADER_BYTES
  if (batchesBytes < BATCH_BYTES || batchesBytes % BATCH_BYTES !== 0) return undefined
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

/** As two halves: safe integers need no BigInt. */
function readU64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}
