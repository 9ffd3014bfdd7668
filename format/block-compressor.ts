import { copyBytes } from './copy.js'
import { crc32c } from './crc32c.js'
import { compressLz4 } from './lz4.js'
import { BLOCK_CODEC_LZ4, BLOCK_CODEC_RAW, type BlockCodec } from './types.js'

/** LZ4 must save this share of a block, or the block is stored raw: readers then need not decompress it. */
export const SAVING_MIN = 0.1
/** A sample of this size tells whether a block is worth compressing; smaller blocks (times four) are simply tried. */
export const PROBE_BYTES = 8 * 1024
/** LZ4 finds nothing in less, and the call costs more than the bytes. */
export const COMPRESS_BYTES_MIN = 256

export interface RawBlock {
  readonly pieces: readonly Uint8Array[]
  /** Total of `pieces`. */
  readonly rawBytes: number
  /** Bytes of batches whose producer compressed them. */
  readonly precompressedBytes: number
}

export interface StoredBlock {
  readonly codec: BlockCodec
  /** Total of `pieces`. */
  readonly bytes: number
  readonly crc: number
  /** Valid until the next call. */
  readonly pieces: readonly Uint8Array[]
}

/**
 * Decides how a block is stored, and does it. Raw when most of its bytes were compressed by their producers or LZ4 saves
 * too little. Incompressible bytes are LZ4's slowest input, so a large block is probed first, unless the block before it
 * of the same topic compressed well. Depends on nothing but the sequence of calls.
 */
export class BlockCompressor {
  #gathered = new Uint8Array(0)
  #savedBefore = false

  /** Forgets what the last blocks were like: partitions of a topic are alike, other topics need not be. */
  startTopic(): void {
    this.#savedBefore = false
  }

  /** `rawCrc` is the CRC of the raw bytes where it is known. */
  compress({ pieces, rawBytes, precompressedBytes }: RawBlock, rawCrc?: number): StoredBlock {
    if (rawBytes >= COMPRESS_BYTES_MIN && precompressedBytes * 2 < rawBytes) {
      const raw = pieces.length === 1 ? pieces[0]! : this.#gather(pieces, rawBytes)
      if (this.#worthTrying(raw)) {
        const stored = compressLz4(raw)
        this.#savedBefore = savesEnough(stored, raw)
        if (this.#savedBefore) {
          return { codec: BLOCK_CODEC_LZ4, bytes: stored.byteLength, crc: crc32c(stored), pieces: [stored] }
        }
      }
    }
    return { codec: BLOCK_CODEC_RAW, bytes: rawBytes, crc: rawCrc ?? crcOf(pieces), pieces }
  }

  #worthTrying(raw: Uint8Array): boolean {
    if (this.#savedBefore || raw.byteLength <= 4 * PROBE_BYTES) return true
    // From the middle: a block begins with a batch header, which is not like the rest.
    const start = (raw.byteLength - PROBE_BYTES) >>> 1
    const sample = raw.subarray(start, start + PROBE_BYTES)
    return savesEnough(compressLz4(sample), sample)
  }

  /** One copy into memory that stays in the processor's cache; an eighth of what LZ4 costs. */
  #gather(pieces: readonly Uint8Array[], rawBytes: number): Uint8Array {
    if (this.#gathered.byteLength < rawBytes) this.#gathered = new Uint8Array(rawBytes)
    let position = 0
    for (const piece of pieces) {
      copyBytes(piece, this.#gathered, position)
      position += piece.byteLength
    }
    return this.#gathered.subarray(0, rawBytes)
  }
}

function savesEnough(stored: Uint8Array, raw: Uint8Array): boolean {
  return stored.byteLength <= raw.byteLength * (1 - SAVING_MIN)
}

function crcOf(pieces: readonly Uint8Array[]): number {
  let crc = 0
  for (const piece of pieces) crc = crc32c(piece, crc)
  return crc
}
