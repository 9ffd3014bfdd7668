import { compressFrameSync, compressSync, decompressFrameSync, uncompressSync } from 'lz4-napi'
import { dataView, plainView } from './bytes.js'
import { FormatError } from './errors.js'
import { LZ4_RATIO_MAX, lz4FrameBytesMax } from './lz4-frame.js'

/**
 * One LZ4 unit as a block stores it: the raw size in 4 bytes, *little-endian*, then one LZ4 block (no frame). It is what
 * lz4-napi's `compressSync` gives and what `lz4.block.decompress` of Python or `LZ4.decompress` of node-lz4 take as it
 * is; the one little-endian number of the format, kept so that no byte is copied to change it.
 */
export const LZ4_SIZE_PREFIX_BYTES = 4
/** Fresh memory each time; the bytes are a function of the input (and of the library's version). */
export function compressLz4(raw: Uint8Array): Uint8Array {
  // The binding's type asks for a Buffer, its code for any view of bytes, shared memory included.
  return plainView(compressSync(raw as Buffer))
}

/**
 * Decompresses a unit that must give exactly `rawBytes`. The size is checked against the prefix and against what LZ4 can
 * do at all before anything is allocated.
 * @throws FormatError BLOCK_LZ4
 */
export function decompressLz4(stored: Uint8Array, rawBytes: number): Uint8Array {
  if (stored.byteLength <= LZ4_SIZE_PREFIX_BYTES) {
    throw new FormatError('BLOCK_LZ4', `${stored.byteLength} stored bytes are no LZ4 unit`)
  }
  const declared = dataView(stored).getUint32(0, true)
  if (declared !== rawBytes || rawBytes > (stored.byteLength - LZ4_SIZE_PREFIX_BYTES) * LZ4_RATIO_MAX) {
    const text = `${stored.byteLength} stored bytes claim ${declared} raw bytes, ${rawBytes} are expected`
    throw new FormatError('BLOCK_LZ4', text)
  }
  const raw = inflate(stored)
  if (raw.byteLength !== rawBytes) {
    throw new FormatError('BLOCK_LZ4', `the LZ4 unit gives ${raw.byteLength} bytes, ${rawBytes} are expected`)
  }
  return raw
}

function inflate(stored: Uint8Array): Uint8Array {
  try {
    return plainView(uncompressSync(stored))
  } catch (cause) {
    throw new FormatError('BLOCK_LZ4', 'the LZ4 unit is damaged', undefined, { cause })
  }
}

/** An LZ4 frame, as Kafka's lz4 batches hold it: independent blocks, which is all that Java consumers read. */
export function compressLz4Frame(raw: Uint8Array): Uint8Array {
  return plainView(compressFrameSync(raw as Buffer))
}

/**
 * Decompresses a frame that may become `bytesMax` bytes at most.
 * @throws FormatError RECORD_COMPRESSION when it might become more; and what the library throws on damage
 */
export function decompressLz4Frame(frame: Uint8Array, bytesMax: number): Uint8Array {
  const possibleBytes = lz4FrameBytesMax(frame)
  if (possibleBytes > bytesMax) {
    throw new FormatError(
      'RECORD_COMPRESSION',
      `the LZ4 frame may take ${possibleBytes} bytes, the limit is ${bytesMax}`,
    )
  }
  return plainView(decompressFrameSync(frame as Buffer))
}
