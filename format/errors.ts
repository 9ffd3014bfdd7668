/**
 * Bad bytes. Each rung of a decoder's ladder has its own code, so that a test, an operator and a log line can tell what
 * is wrong; the ladder's order is size, magic, version, bounds, CRC, meaning.
 */
export type FormatErrorCode =
  // segment
  | 'SEGMENT_TOO_SHORT'
  | 'SEGMENT_MAGIC'
  | 'SEGMENT_VERSION'
  | 'SEGMENT_CRC'
  | 'SEGMENT_RESERVED'
  | 'SEGMENT_HEADER'
  | 'FOOTER_MAGIC'
  | 'FOOTER_VERSION'
  | 'FOOTER_BOUNDS'
  | 'FOOTER_CRC'
  | 'FOOTER_RESERVED'
  | 'INDEX_CRC'
  | 'INDEX_BOUNDS'
  | 'INDEX_RESERVED'
  | 'INDEX_VALUES'
  | 'INDEX_ORDER'
  | 'INDEX_COUNTS'
  // block
  | 'BLOCK_TOO_SHORT'
  | 'BLOCK_MAGIC'
  | 'BLOCK_BOUNDS'
  | 'BLOCK_CODEC'
  | 'BLOCK_RESERVED'
  | 'BLOCK_HEADER_CRC'
  | 'BLOCK_CRC'
  | 'BLOCK_LZ4'
  | 'BLOCK_BATCHES'
  | 'BLOCK_MISMATCH'
  // record batch
  | 'BATCH_TOO_SHORT'
  | 'BATCH_LENGTH'
  | 'BATCH_MAGIC'
  | 'BATCH_CRC'
  | 'BATCH_ATTRIBUTES'
  | 'BATCH_CODEC'
  | 'BATCH_COUNT'
  | 'BATCH_OFFSET'
  | 'BATCH_CONTROL'
  | 'BATCH_PRODUCER'
  | 'BATCH_TIMESTAMP'
  // records
  | 'RECORD_BOUNDS'
  | 'RECORD_VALUES'
  | 'RECORD_COUNT'
  | 'RECORD_COMPRESSION'

export class FormatError extends Error {
  override readonly name = 'FormatError'

  constructor(
    readonly code: FormatErrorCode,
    /** What is wrong, without the place. */
    readonly reason: string,
    /** Where in the decoded bytes, when known. */
    readonly position?: number,
    options?: { readonly cause?: unknown },
  ) {
    super(position === undefined ? reason : `${reason} (at byte ${position})`, options)
  }
}
