/** The shapes of a segment, as readers see them. Byte layouts are in `docs/format.md` and beside each codec. */

/** Codec of a block's stored bytes. Persisted, never reused. */
export const BLOCK_CODEC_RAW = 0
export const BLOCK_CODEC_LZ4 = 1
export type BlockCodec = typeof BLOCK_CODEC_RAW | typeof BLOCK_CODEC_LZ4

/** Base offset of batches whose offsets only the catalog knows: those of level 0. */
export const BASE_OFFSET_UNKNOWN = -1

export interface SegmentHeader {
  readonly segmentId: string
  /** 0 = written by intake, 1.. = written by compaction. */
  readonly level: number
  readonly createdAtMs: number
}

export interface SegmentIndex extends SegmentHeader {
  /** Ordered by (topic id, partition), then by commit order. */
  readonly blocks: readonly BlockEntry[]
}

export interface BlockEntry {
  readonly topicId: string
  readonly partition: number
  /** Place of the block in the object, its own header included in both numbers. */
  readonly position: number
  readonly bytes: number
  /** Size of the batches once decompressed. */
  readonly rawBytes: number
  readonly codec: BlockCodec
  /** CRC-32C of the stored bytes, as in the block's own header: ties each place in the object to its entry. */
  readonly storedCrc: number
  readonly recordCount: number
  /** Smallest timestamp of a batch's first record, and greatest of any record; -1 for none. */
  readonly minTimestampMs: number
  readonly maxTimestampMs: number
  readonly batches: readonly BatchEntry[]
}

export interface BatchEntry {
  /** Place of the batch in the decompressed block. */
  readonly position: number
  readonly bytes: number
  /** `BASE_OFFSET_UNKNOWN` in all batches at level 0, known in all above. */
  readonly baseOffset: number
  readonly lastOffsetDelta: number
  readonly recordCount: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly maxTimestampMs: number
}
