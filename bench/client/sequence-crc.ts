import { BATCH_ATTRIBUTES, BATCH_BASE_SEQUENCE, crc32c } from '../../format/index.js'

/**
 * The CRC of a batch as a function of its base sequence alone. CRCs are linear: the CRC of a batch whose sequence is `s`
 * is the CRC of that batch with sequence 0, xor one constant per set bit of `s`. So a prebuilt batch can be numbered
 * anew without reading its bytes again, which keeps the load generator out of the measurement.
 */
export class SequenceCrc {
  static readonly #byLength = new Map<number, SequenceCrc>()
  readonly #bits = new Uint32Array(32)

  /** The constants depend on the length alone, and computing them reads as many bytes 33 times. */
  static of(batchBytes: number): SequenceCrc {
    const known = SequenceCrc.#byLength.get(batchBytes) ?? new SequenceCrc(batchBytes)
    SequenceCrc.#byLength.set(batchBytes, known)
    return known
  }

  /** For batches of this length. */
  private constructor(batchBytes: number) {
    const covered = new Uint8Array(batchBytes - BATCH_ATTRIBUTES)
    const view = new DataView(covered.buffer)
    const zero = crc32c(covered)
    for (let bit = 0; bit < 32; bit++) {
      view.setUint32(BATCH_BASE_SEQUENCE - BATCH_ATTRIBUTES, 2 ** bit)
      this.#bits[bit] = crc32c(covered) ^ zero
    }
  }

  crc(crcWithSequenceZero: number, sequence: number): number {
    let crc = crcWithSequenceZero
    for (let left = sequence, bit = 0; left !== 0; left >>>= 1, bit++) if ((left & 1) !== 0) crc ^= this.#bits[bit]!
    return crc >>> 0
  }
}
