import { Buffer } from 'node:buffer'
import type { ProducerState } from '../../engine/commit/producer-state.js'
import { HeadraceError } from '../../engine/errors.js'
import { PARTITIONS_PER_PAGE } from './partition-page.js'
import { decodeProducer, encodeProducer } from './producer-blob.js'

/**
 * `producer_pages.states`: one producer's states in the partitions of one page, those alone that it has written to.
 *
 *   version     u8  1
 *   states, ascending by slot, to the end:
 *     0   slot      u8   the partition's place in its page
 *     1   usedAtMs  u48  by the database's clock
 *     7   epoch     i16
 *     9   bytes     u8   of the batches
 *     10  batches        see `producer-blob.ts`
 *
 * Big-endian. A commit takes apart only the states of the partitions it writes to; the others are copied.
 */
const VERSION = 1

const SLOT_AT = 0
const USED_AT = SLOT_AT + 1
const EPOCH_AT = USED_AT + 6
const LENGTH_AT = EPOCH_AT + 2
const HEAD_BYTES = LENGTH_AT + 1

const HALF = 2 ** 32

interface StoredState {
  readonly usedAtMs: number
  readonly epoch: number
  readonly batches: Uint8Array
}

/** Mutable: one transaction's picture of a row. */
export class ProducerPage {
  readonly #slots: (StoredState | undefined)[] = new Array(PARTITIONS_PER_PAGE).fill(undefined)

  /** @throws CATALOG_SCHEMA_MISMATCH */
  static decode(bytes: Uint8Array): ProducerPage {
    const page = new ProducerPage()
    if (bytes[0] !== VERSION || bytes.length < 2) throw damaged()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let nextSlot = 0
    for (let at = 1; at < bytes.length; ) {
      if (at + HEAD_BYTES > bytes.length) throw damaged()
      const slot = view.getUint8(at + SLOT_AT)
      const end = at + HEAD_BYTES + view.getUint8(at + LENGTH_AT)
      if (slot < nextSlot || slot >= PARTITIONS_PER_PAGE || end > bytes.length) throw damaged()
      page.#slots[slot] = {
        usedAtMs: view.getUint16(at + USED_AT) * HALF + view.getUint32(at + USED_AT + 2),
        epoch: view.getInt16(at + EPOCH_AT),
        batches: bytes.subarray(at + HEAD_BYTES, end),
      }
      nextSlot = slot + 1
      at = end
    }
    return page
  }

  get isEmpty(): boolean {
    return this.#slots.every((stored) => stored === undefined)
  }

  /** When the state that has been silent for longest was used. */
  get oldestUsedAtMs(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const stored of this.#slots) if (stored && stored.usedAtMs < oldest) oldest = stored.usedAtMs
    return oldest
  }

  /** @throws CATALOG_SCHEMA_MISMATCH */
  state(slot: number): ProducerState | undefined {
    const stored = this.#slots[slot]
    return stored && decodeProducer(stored.epoch, stored.batches)
  }

  usedAtMs(slot: number): number | undefined {
    return this.#slots[slot]?.usedAtMs
  }

  set(slot: number, state: ProducerState, usedAtMs: number): void {
    this.#slots[slot] = { usedAtMs, epoch: state.epoch, batches: encodeProducer(state) }
  }

  /** Forgets states that were last used before then, at most so many; answers how many. */
  forgetUsedBefore(beforeMs: number, limit: number): number {
    let forgotten = 0
    for (const [slot, stored] of this.#slots.entries()) {
      if (forgotten === limit) break
      if (stored === undefined || stored.usedAtMs >= beforeMs) continue
      this.#slots[slot] = undefined
      forgotten++
    }
    return forgotten
  }

  encode(): Uint8Array {
    let length = 1
    for (const stored of this.#slots) if (stored) length += HEAD_BYTES + stored.batches.length
    // All of it is written.
    const bytes = Buffer.allocUnsafe(length)
    bytes[0] = VERSION
    let at = 1
    for (const [slot, stored] of this.#slots.entries()) {
      if (stored === undefined) continue
      bytes.writeUInt8(slot, at + SLOT_AT)
      bytes.writeUIntBE(stored.usedAtMs, at + USED_AT, 6)
      bytes.writeInt16BE(stored.epoch, at + EPOCH_AT)
      bytes.writeUInt8(stored.batches.length, at + LENGTH_AT)
      bytes.set(stored.batches, at + HEAD_BYTES)
      at += HEAD_BYTES + stored.batches.length
    }
    return bytes
  }
}

function damaged(): HeadraceError {
  return new HeadraceError(
    'CATALOG_SCHEMA_MISMATCH',
    'never',
    'the states of a producer in the catalog cannot be read; run agents of one version, and check the catalog',
  )
}
