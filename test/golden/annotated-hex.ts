import {
  BLOCK_CODEC_RAW,
  type BlockEntry,
  dataView,
  decodeBlockHeader,
  iterateBatches,
  parseTail,
  uuidText,
} from '../../format/index.js'
import {
  BATCH_ENTRY,
  BLOCK_ENTRY,
  BLOCK_HEADER,
  FOOTER,
  fieldsOf,
  INDEX_HEADER,
  type Layout,
  RECORD_BATCH,
  SEGMENT_HEADER,
} from '../format/layouts.js'

/**
 * Segments as text that can be reviewed: a line per field with its bytes in hex, its name and its value. `#` begins a
 * comment; the bytes alone are the segment.
 */

const BYTES_PER_LINE = 16
const HEX_COLUMNS = BYTES_PER_LINE * 3

export function parseHex(text: string): Uint8Array {
  const digits = text.replaceAll(/#.*$/gm, '').replaceAll(/\s+/g, '')
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error('the file holds something that is neither hex nor a comment')
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

export function annotateSegment(bytes: Uint8Array): string {
  const tail = parseTail(bytes, bytes.byteLength)
  if (!tail.done) throw new Error('a whole segment is its own tail')
  const lines = [...annotateLayout(bytes, 0, SEGMENT_HEADER)]
  for (const [number, entry] of tail.index.blocks.entries()) {
    lines.push('', `# block ${number}`, ...annotateBlock(bytes, entry))
  }
  let position = tail.footer.indexPosition
  lines.push('', ...annotateLayout(bytes, position, INDEX_HEADER))
  position += INDEX_HEADER.bytes
  for (const [number, entry] of tail.index.blocks.entries()) {
    lines.push('', `# index of block ${number}`, ...annotateLayout(bytes, position, BLOCK_ENTRY))
    position += BLOCK_ENTRY.bytes
    for (const _ of entry.batches) {
      lines.push(...annotateLayout(bytes, position, BATCH_ENTRY))
      position += BATCH_ENTRY.bytes
    }
  }
  lines.push('', ...annotateLayout(bytes, position, FOOTER))
  return `${lines.join('\n')}\n`
}

function* annotateBlock(bytes: Uint8Array, entry: BlockEntry): Generator<string> {
  yield* annotateLayout(bytes, entry.position, BLOCK_HEADER)
  const start = entry.position + BLOCK_HEADER.bytes
  const stored = bytes.subarray(start, entry.position + entry.bytes)
  if (decodeBlockHeader(bytes, entry.position).codec !== BLOCK_CODEC_RAW) {
    yield* annotateBytes(stored.subarray(0, 4), `raw bytes, little-endian: ${dataView(stored).getUint32(0, true)}`)
    yield* annotateBytes(stored.subarray(4), 'LZ4 block')
    return
  }
  for (const { position, header } of iterateBatches(stored)) {
    yield* annotateLayout(stored, position, RECORD_BATCH)
    yield* annotateBytes(stored.subarray(position + RECORD_BATCH.bytes, position + header.bytes), 'records')
  }
}

function* annotateLayout(bytes: Uint8Array, start: number, layout: Layout): Generator<string> {
  yield `# ${layout.title.toLowerCase()}, at ${start}`
  for (const field of fieldsOf(layout)) {
    const view = bytes.subarray(start + field.position, start + field.position + field.bytes)
    yield* annotateBytes(view, `${field.name}${valueText(field.name, view)}`)
  }
}

function* annotateBytes(bytes: Uint8Array, note: string): Generator<string> {
  for (let position = 0; position < bytes.byteLength; position += BYTES_PER_LINE) {
    const line = Array.from(bytes.subarray(position, position + BYTES_PER_LINE), (byte) => hex(byte, 2)).join(' ')
    yield position === 0 ? `${line.padEnd(HEX_COLUMNS)}# ${note}` : line
  }
}

function valueText(name: string, bytes: Uint8Array): string {
  const view = dataView(bytes)
  if (name === 'reserved') return ''
  if (name === 'magic' && bytes.byteLength > 1) return ` "${new TextDecoder().decode(bytes)}"`
  if (name.includes('CRC')) return ` 0x${hex(view.getUint32(0), 8)}`
  if (bytes.byteLength === 16) return ` ${uuidText(bytes)}`
  if (bytes.byteLength === 8) return `: ${view.getBigInt64(0)}`
  if (bytes.byteLength === 4) return `: ${view.getInt32(0)}`
  return `: ${bytes.byteLength === 2 ? view.getInt16(0) : view.getInt8(0)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
