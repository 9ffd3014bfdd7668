import {
  BASE_OFFSET_UNKNOWN,
  BLOCK_CODEC_LZ4,
  BLOCK_HEADER_BYTES,
  type BlockEntry,
  FORMAT_VERSION,
  type KafkaRecord,
  type SegmentDamage,
  type SegmentFooter,
  type SegmentIndex,
} from '../../format/index.js'
import { table } from './table.js'

/** What `headrace segment` prints. */

export interface InspectedSegment {
  readonly place: string
  readonly objectBytes: number
  readonly footer: SegmentFooter
  readonly index: SegmentIndex
}

export function inspectText({ place, objectBytes, footer, index }: InspectedSegment): string {
  const facts = [
    ['place', place],
    ['segment id', index.segmentId],
    ['format', `version ${FORMAT_VERSION}`],
    ['level', String(index.level)],
    ['created', timeText(index.createdAtMs)],
    ['size', `${objectBytes} bytes`],
    ['index', `${footer.indexBytes} bytes at ${footer.indexPosition}, CRC-32C ${crcText(footer.indexCrc)}`],
    [
      'holds',
      `${footer.partitionCount} partitions, ${footer.blockCount} blocks, ${footer.batchCount} batches, ${footer.recordCount} records`,
    ],
  ]
  return `${table(facts)}\n${blockTable(index.blocks)}`
}

function blockTable(blocks: readonly BlockEntry[]): string {
  const heading = [
    'TOPIC ID',
    'PARTITION',
    'POSITION',
    'BYTES',
    'CODEC',
    'STORED',
    'RAW',
    'BATCHES',
    'RECORDS',
    'OFFSETS',
    'MAX TIMESTAMP',
  ]
  return table([heading, ...blocks.map(blockRow)])
}

function blockRow(block: BlockEntry): string[] {
  const stored = block.bytes - BLOCK_HEADER_BYTES
  return [
    block.topicId,
    block.partition,
    block.position,
    block.bytes,
    codecName(block),
    stored,
    block.rawBytes,
    block.batches.length,
    block.recordCount,
    offsetsText(block),
    timeText(block.maxTimestampMs),
  ].map(String)
}

function offsetsText({ batches }: BlockEntry): string {
  const first = batches[0]
  const last = batches.at(-1)
  if (first === undefined || last === undefined || first.baseOffset === BASE_OFFSET_UNKNOWN) return '-'
  return `${first.baseOffset}..${last.baseOffset + last.lastOffsetDelta}`
}

/** One object: header and footer, and every block with its batches. */
export function inspectJson({ place, objectBytes, footer, index }: InspectedSegment): string {
  const { blocks, ...header } = index
  const json = {
    place,
    objectBytes,
    header: { formatVersion: FORMAT_VERSION, ...header },
    footer,
    blocks: blocks.map((block) => ({ ...block, codec: codecName(block) })),
  }
  return `${JSON.stringify(json, undefined, 2)}\n`
}

/** One line per damage, position first, so that a list can be sorted and cut. */
export function damageText({ code, message, position, block }: SegmentDamage): string {
  const where = block === undefined ? '' : `, in the block of ${block.topicId}/${block.partition} at ${block.position}`
  return `byte ${position}: ${code}: ${message}${where}\n`
}

/** One line of JSON. Offsets are null at level 0: only the catalog knows them. */
export function recordJson(block: BlockEntry, record: KafkaRecord, offsetKnown: boolean): string {
  return `${JSON.stringify({
    topicId: block.topicId,
    partition: block.partition,
    offset: offsetKnown ? record.offset : null,
    timestampMs: record.timestampMs,
    key: bytesJson(record.key),
    value: bytesJson(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: bytesJson(value) })),
  })}\n`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text where the bytes are UTF-8, `{"base64": "..."}` where they are not: nothing is lost, and most is readable. */
function bytesJson(bytes: Uint8Array | null): string | null | { readonly base64: string } {
  if (bytes === null) return null
  try {
    return utf8.decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }
  }
}

function codecName({ codec }: BlockEntry): string {
  return codec === BLOCK_CODEC_LZ4 ? 'lz4' : 'raw'
}

const TIME_MAX_MS = 8_640_000_000_000_000

function timeText(timeMs: number): string {
  if (timeMs < 0) return '-'
  return timeMs > TIME_MAX_MS ? `${timeMs} ms` : new Date(timeMs).toISOString()
}

function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`
}
