import * as block from '../../format/block.js'
import * as batch from '../../format/record-batch.js'
import * as footer from '../../format/segment-footer.js'
import * as header from '../../format/segment-header.js'
import * as index from '../../format/segment-index.js'

/** Every fixed layout of the format: its fields in order with their positions, from the codecs' own constants. */
export interface Layout {
  /** As `docs/format.md` heads it. */
  readonly title: string
  readonly source: string
  readonly fields: readonly (readonly [name: string, position: number])[]
  readonly bytes: number
}

export const SEGMENT_HEADER: Layout = {
  title: 'Segment header',
  source: 'format/segment-header.ts',
  fields: [
    ['magic', header.SEGMENT_MAGIC],
    ['format version', header.SEGMENT_VERSION],
    ['level', header.SEGMENT_LEVEL],
    ['reserved', header.SEGMENT_RESERVED_1],
    ['segment id', header.SEGMENT_ID],
    ['creation time', header.SEGMENT_CREATED_AT],
    ['reserved', header.SEGMENT_RESERVED_2],
    ['CRC-32C', header.SEGMENT_CRC],
  ],
  bytes: header.SEGMENT_HEADER_BYTES,
}

export const BLOCK_HEADER: Layout = {
  title: 'Block header',
  source: 'format/block.ts',
  fields: [
    ['magic', block.BLOCK_MAGIC],
    ['codec', block.BLOCK_CODEC],
    ['reserved', block.BLOCK_RESERVED],
    ['topic id', block.BLOCK_TOPIC_ID],
    ['partition', block.BLOCK_PARTITION],
    ['raw bytes', block.BLOCK_RAW_BYTES],
    ['stored bytes', block.BLOCK_STORED_BYTES],
    ['batch count', block.BLOCK_BATCH_COUNT],
    ['stored CRC-32C', block.BLOCK_STORED_CRC],
    ['header CRC-32C', block.BLOCK_HEADER_CRC],
  ],
  bytes: block.BLOCK_HEADER_BYTES,
}

export const INDEX_HEADER: Layout = {
  title: 'Index header',
  source: 'format/segment-index.ts',
  fields: [
    ['segment id', index.INDEX_SEGMENT_ID],
    ['creation time', index.INDEX_CREATED_AT],
    ['level', index.INDEX_LEVEL],
    ['reserved', index.INDEX_RESERVED],
    ['block count', index.INDEX_BLOCK_COUNT],
  ],
  bytes: index.INDEX_HEADER_BYTES,
}

export const BLOCK_ENTRY: Layout = {
  title: 'Block entry',
  source: 'format/segment-index.ts',
  fields: [
    ['topic id', index.ENTRY_TOPIC_ID],
    ['partition', index.ENTRY_PARTITION],
    ['position', index.ENTRY_POSITION],
    ['stored bytes', index.ENTRY_STORED_BYTES],
    ['raw bytes', index.ENTRY_RAW_BYTES],
    ['codec', index.ENTRY_CODEC],
    ['reserved', index.ENTRY_RESERVED],
    ['stored CRC-32C', index.ENTRY_STORED_CRC],
    ['batch count', index.ENTRY_BATCH_COUNT],
    ['record count', index.ENTRY_RECORD_COUNT],
    ['min timestamp', index.ENTRY_MIN_TIMESTAMP],
    ['max timestamp', index.ENTRY_MAX_TIMESTAMP],
  ],
  bytes: index.BLOCK_ENTRY_BYTES,
}

export const BATCH_ENTRY: Layout = {
  title: 'Batch entry',
  source: 'format/segment-index.ts',
  fields: [
    ['base offset', index.BATCH_ENTRY_BASE_OFFSET],
    ['producer id', index.BATCH_ENTRY_PRODUCER_ID],
    ['max timestamp', index.BATCH_ENTRY_MAX_TIMESTAMP],
    ['position', index.BATCH_ENTRY_POSITION],
    ['last offset delta', index.BATCH_ENTRY_LAST_OFFSET_DELTA],
    ['record count', index.BATCH_ENTRY_RECORD_COUNT],
    ['base sequence', index.BATCH_ENTRY_BASE_SEQUENCE],
    ['producer epoch', index.BATCH_ENTRY_PRODUCER_EPOCH],
    ['reserved', index.BATCH_ENTRY_RESERVED],
  ],
  bytes: index.BATCH_ENTRY_BYTES,
}

export const FOOTER: Layout = {
  title: 'Footer',
  source: 'format/segment-footer.ts',
  fields: [
    ['index position', footer.FOOTER_INDEX_POSITION],
    ['index bytes', footer.FOOTER_INDEX_BYTES],
    ['index CRC-32C', footer.FOOTER_INDEX_CRC],
    ['block count', footer.FOOTER_BLOCK_COUNT],
    ['partition count', footer.FOOTER_PARTITION_COUNT],
    ['reserved', footer.FOOTER_RESERVED_1],
    ['batch count', footer.FOOTER_BATCH_COUNT],
    ['record count', footer.FOOTER_RECORD_COUNT],
    ['format version', footer.FOOTER_VERSION],
    ['reserved', footer.FOOTER_RESERVED_2],
    ['CRC-32C', footer.FOOTER_CRC],
    ['magic', footer.FOOTER_MAGIC],
  ],
  bytes: footer.FOOTER_BYTES,
}

export const RECORD_BATCH: Layout = {
  title: 'Record batch',
  source: 'format/record-batch.ts',
  fields: [
    ['base offset', batch.BATCH_BASE_OFFSET],
    ['length', batch.BATCH_LENGTH],
    ['partition leader epoch', batch.BATCH_LEADER_EPOCH],
    ['magic', batch.BATCH_MAGIC],
    ['CRC-32C', batch.BATCH_CRC],
    ['attributes', batch.BATCH_ATTRIBUTES],
    ['last offset delta', batch.BATCH_LAST_OFFSET_DELTA],
    ['base timestamp', batch.BATCH_BASE_TIMESTAMP],
    ['max timestamp', batch.BATCH_MAX_TIMESTAMP],
    ['producer id', batch.BATCH_PRODUCER_ID],
    ['producer epoch', batch.BATCH_PRODUCER_EPOCH],
    ['base sequence', batch.BATCH_BASE_SEQUENCE],
    ['record count', batch.BATCH_RECORD_COUNT],
  ],
  bytes: batch.BATCH_HEADER_BYTES,
}

export const LAYOUTS = [SEGMENT_HEADER, BLOCK_HEADER, INDEX_HEADER, BLOCK_ENTRY, BATCH_ENTRY, FOOTER, RECORD_BATCH]

/** Fields with their sizes: each ends where the next begins, the last at the layout's end. */
export function fieldsOf(
  layout: Layout,
): { readonly position: number; readonly bytes: number; readonly name: string }[] {
  return layout.fields.map(([name, position], number) => {
    const end = layout.fields[number + 1]?.[1] ?? layout.bytes
    return { position, bytes: end - position, name }
  })
}
