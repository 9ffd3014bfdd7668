import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { COMPRESS_BYTES_MIN, PROBE_BYTES, SAVING_MIN } from '../../format/block-compressor.js'
import {
  BATCH_HEADER_BYTES,
  BLOCK_CODEC_LZ4,
  BLOCK_CODEC_RAW,
  BLOCK_MAGIC_TEXT,
  BLOCK_RAW_BYTES_MAX,
  BLOCK_TARGET_BYTES_DEFAULT,
  FOOTER_MAGIC_TEXT,
  FORMAT_VERSION,
  INDEX_BYTES_MAX,
  SEGMENT_MAGIC_TEXT,
  TAIL_READ_BYTES,
} from '../../format/index.js'
import { fieldsOf, LAYOUTS, type Layout } from './layouts.js'

/** The layouts are written down three times: as constants, beside each codec, in docs/format.md. They are one. */

const root = fileURLToPath(new URL('../../../', import.meta.url))
const specification = readFileSync(`${root}docs/format.md`, 'utf8')

/** Rows `| 12 | 4 | name | ... |` of the table under the layout's heading. */
function specifiedFields(title: string) {
  const start = specification.indexOf(`### ${title}\n`)
  if (start < 0) return []
  const section = specification.slice(start + 4).split('\n##')[0] ?? ''
  return [...section.matchAll(/^\| (\d+) \| (\d+) \| ([^|]+) \|/gm)].map(([, position, bytes, name]) => ({
    position: Number(position),
    bytes: Number(bytes),
    name: name?.trim() ?? '',
  }))
}

/** Lines `   12   4  name   meaning` of the codec's comment that carry exactly this layout's names, in order. */
function commentedFields(layout: Layout) {
  const text = readFileSync(root + layout.source, 'utf8')
  const lines = [...text.matchAll(/^ \* +(\d+) +(\d+) {2}(.+)$/gm)].map(([, position, bytes, rest]) => ({
    position: Number(position),
    bytes: Number(bytes),
    name: (rest ?? '').split('  ')[0]?.trim() ?? '',
  }))
  const wanted = fieldsOf(layout)
  const first = lines.findIndex((_, start) => wanted.every(({ name }, number) => lines[start + number]?.name === name))
  return first < 0 ? lines : lines.slice(first, first + wanted.length)
}

for (const layout of LAYOUTS) {
  t.test(layout.title, async (t) => {
    const fields = fieldsOf(layout)
    t.equal(fields[0]?.position, 0)
    t.ok(
      fields.every(({ bytes }) => bytes > 0),
      'positions ascend',
    )
    t.strictSame(specifiedFields(layout.title), fields, 'docs/format.md')
    t.strictSame(commentedFields(layout), fields, layout.source)
  })
}

t.test('lengths and constants of the specification', async (t) => {
  const lengths = [...specification.matchAll(/^### (.+)\n+.*?\*\*(\d+) bytes\*\*/gm)]
  t.strictSame(
    lengths.map(([, title, bytes]) => [title, Number(bytes)]),
    LAYOUTS.map(({ title, bytes }) => [title, bytes]),
  )
  const constants = Object.fromEntries(
    [...specification.matchAll(/^\| `(\w+)` \| `?([^|`]+)`? \|/gm)].map(([, name, value]) => [name, value?.trim()]),
  )
  t.strictSame(constants, {
    FORMAT_VERSION: String(FORMAT_VERSION),
    SEGMENT_MAGIC_TEXT,
    BLOCK_MAGIC_TEXT,
    FOOTER_MAGIC_TEXT,
    BLOCK_CODEC_RAW: String(BLOCK_CODEC_RAW),
    BLOCK_CODEC_LZ4: String(BLOCK_CODEC_LZ4),
    BLOCK_RAW_BYTES_MAX: String(BLOCK_RAW_BYTES_MAX),
    INDEX_BYTES_MAX: String(INDEX_BYTES_MAX),
    BATCH_HEADER_BYTES: String(BATCH_HEADER_BYTES),
    BLOCK_TARGET_BYTES_DEFAULT: String(BLOCK_TARGET_BYTES_DEFAULT),
    TAIL_READ_BYTES: String(TAIL_READ_BYTES),
    SAVING_MIN: String(SAVING_MIN),
    PROBE_BYTES: String(PROBE_BYTES),
    COMPRESS_BYTES_MIN: String(COMPRESS_BYTES_MIN),
  })
})
