import { BLOCK_HEADER_BYTES, decodeBlockHeader } from './block.js'
import { FormatError, type FormatErrorCode } from './errors.js'
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment-header.js'
import { checkBatches, decodeIndexedBlock, openSegment, type SegmentSource } from './segment-reader.js'
import { BLOCK_CODEC_RAW, type BlockEntry, type SegmentHeader, type SegmentIndex } from './types.js'

/** One damaged place. */
export interface SegmentDamage {
  readonly code: FormatErrorCode
  readonly message: string
  /** In the object, as exact as the damage allows: of the field, the batch or the block concerned. */
  readonly position: number
  /** Set when the damage is confined to one block. */
  readonly block?: {
    readonly topicId: string
    readonly partition: number
    readonly position: number
    readonly bytes: number
  }
}

export interface SegmentReport {
  readonly damages: readonly SegmentDamage[]
  /** Undefined when the index itself cannot be read; then blocks are not checked. */
  readonly index: SegmentIndex | undefined
}

/**
 * Walks a whole segment: header, footer, index, each block, each batch with its CRC; and reports every damage it finds,
 * or with `firstOnly` the first. Holds one block in memory at a time. Rejects only with what `readRange` rejects with.
 */
export async function verifySegment(
  source: SegmentSource,
  options: { readonly firstOnly?: boolean } = {},
): Promise<SegmentReport> {
  const damages: SegmentDamage[] = []
  const enough = (): boolean => options.firstOnly === true && damages.length > 0

  const header = await attempt(damages, 0, () => readHeader(source))
  if (enough()) return { damages, index: undefined }
  const tail = await attempt(damages, source.objectBytes, () => openSegment(source))
  if (tail === undefined) return { damages, index: undefined }
  if (header !== undefined) await attempt(damages, 0, () => checkHeader(header, tail.index))

  for (const entry of tail.index.blocks) {
    if (enough()) break
    await verifyBlock(source, entry, damages)
  }
  return { damages, index: tail.index }
}

async function readHeader(source: SegmentSource): Promise<SegmentHeader> {
  return decodeSegmentHeader(await source.readRange(0, Math.min(SEGMENT_HEADER_BYTES, source.objectBytes)))
}

function checkHeader(header: SegmentHeader, index: SegmentIndex): void {
  const same =
    header.segmentId === index.segmentId && header.level === index.level && header.createdAtMs === index.createdAtMs
  if (!same) throw new FormatError('SEGMENT_HEADER', 'header and index describe different segments', 0)
}

async function verifyBlock(source: SegmentSource, entry: BlockEntry, damages: SegmentDamage[]): Promise<void> {
  const bytes = await source.readRange(entry.position, entry.bytes)
  const block = { topicId: entry.topicId, partition: entry.partition, position: entry.position, bytes: entry.bytes }
  try {
    const { rawBytes } = decodeIndexedBlock(bytes, entry)
    checkBatches(rawBytes, entry)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    damages.push({ code: error.code, message: error.reason, position: placeInObject(error, entry, bytes), block })
  }
}

/**
 * Errors of batches count from the start of the decompressed block. In a raw block that is a place in the object; in an
 * LZ4 block only the block is.
 */
function placeInObject(error: FormatError, entry: BlockEntry, bytes: Uint8Array): number {
  if (error.code === 'BLOCK_MISMATCH') return entry.position
  const inBatches = error.code.startsWith('BATCH_') || error.code === 'BLOCK_BATCHES'
  if (!inBatches) return entry.position + (error.position ?? 0)
  const raw = decodeBlockHeader(bytes).codec === BLOCK_CODEC_RAW
  return raw ? entry.position + BLOCK_HEADER_BYTES + (error.position ?? 0) : entry.position
}

async function attempt<T>(
  damages: SegmentDamage[],
  position: number,
  step: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    damages.push({ code: error.code, message: error.reason, position: error.position ?? position })
    return undefined
  }
}
