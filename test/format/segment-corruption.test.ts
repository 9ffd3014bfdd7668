import t from 'tap'
import {
  BATCH_CRC,
  BATCH_HEADER_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CRC,
  BLOCK_STORED_CRC,
  crc32c,
  dataView,
  decodeFooter,
  encodeFooter,
  encodeIndex,
  FOOTER_BYTES,
  FOOTER_CRC,
  FOOTER_MAGIC,
  FOOTER_VERSION,
  parseTail,
  SEGMENT_HEADER_BYTES,
  type SegmentDamage,
  type SegmentIndex,
  verifySegment,
} from '../../format/index.js'
import { encodeSegmentHeader } from '../../format/segment-header.js'
import { countsOf } from '../../format/segment-writer.js'
import { SEGMENT_ID, smallSegment, sourceOf, withBitFlipped } from './samples.js'

/** Exhaustive on small segments: whatever happens to their bytes, it is noticed, by the right code, at the right place. */

const { bytes: good, index } = smallSegment()
const indexPosition = index.blocks.at(-1)!.position + index.blocks.at(-1)!.bytes
const footerPosition = good.byteLength - FOOTER_BYTES

async function damagesOf(bytes: Uint8Array): Promise<readonly SegmentDamage[]> {
  return (await verifySegment(sourceOf(bytes))).damages
}

/** Which code a flipped bit must give, by where it is. */
function expectedCode(position: number): string {
  if (position < SEGMENT_HEADER_BYTES) {
    return position < 8 ? 'SEGMENT_MAGIC' : position < 10 ? 'SEGMENT_VERSION' : 'SEGMENT_CRC'
  }
  if (position >= footerPosition) {
    const inFooter = position - footerPosition
    if (inFooter >= FOOTER_MAGIC) return 'FOOTER_MAGIC'
    return inFooter >= FOOTER_VERSION && inFooter < FOOTER_VERSION + 2 ? 'FOOTER_VERSION' : 'FOOTER_CRC'
  }
  if (position >= indexPosition) return 'INDEX_CRC'
  const inBlock = position - blockAt(position).position
  return inBlock < 4 ? 'BLOCK_MAGIC' : inBlock < BLOCK_HEADER_BYTES ? 'BLOCK_HEADER_CRC' : 'BLOCK_CRC'
}

function blockAt(position: number) {
  return index.blocks.find((block) => position >= block.position && position < block.position + block.bytes)!
}

t.test('every flipped bit is one damage with the code of its place', async (t) => {
  const wrong: unknown[] = []
  for (let position = 0; position < good.byteLength; position += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const damages = await damagesOf(withBitFlipped(good, position, bit))
      const code = expectedCode(position)
      const inBlock = code.startsWith('BLOCK')
      const placed =
        !inBlock ||
        (damages[0]?.block?.position === blockAt(position).position && blockAt(damages[0].position) !== undefined)
      if (damages.length !== 1 || damages[0]?.code !== code || !placed) wrong.push({ position, bit, code, damages })
    }
  }
  t.strictSame(wrong, [])
})

t.test('every truncation, from either end', async (t) => {
  const codes = new Set<string>()
  for (let length = 0; length < good.byteLength; length += 1) {
    const [first] = await damagesOf(good.subarray(0, length))
    codes.add(first?.code ?? `none at ${length}`)
    const beheaded = await damagesOf(good.subarray(good.byteLength - length))
    t.ok(beheaded.length > 0, `last ${length} bytes`)
  }
  t.strictSame([...codes].sort(), ['FOOTER_MAGIC', 'SEGMENT_TOO_SHORT'])
})

t.test('every byte missing or doubled in the middle', async (t) => {
  for (let position = 0; position < good.byteLength; position += 1) {
    const head = good.subarray(0, position)
    const missing = Buffer.concat([head, good.subarray(position + 1)])
    const doubled = Buffer.concat([head, good.subarray(position, position + 1), good.subarray(position)])
    t.ok((await damagesOf(missing)).length > 0, `without byte ${position}`)
    t.ok((await damagesOf(doubled)).length > 0, `byte ${position} twice`)
  }
})

t.test('junk after the end, and two segments in one object', async (t) => {
  for (const junk of [[0], [0xff], [...new Uint8Array(64)], [...good.subarray(footerPosition + FOOTER_MAGIC)]]) {
    const [damage] = await damagesOf(Uint8Array.from([...good, ...junk]))
    t.match(damage?.code, /^FOOTER_/)
  }
  t.match(await damagesOf(Uint8Array.from([...good, ...good])), [{ code: 'FOOTER_BOUNDS' }])
})

t.test('swapped and copied blocks', async (t) => {
  for (const from of index.blocks) {
    for (const to of index.blocks) {
      if (from === to) continue
      const swapped = good.slice()
      const length = Math.min(from.bytes, to.bytes)
      swapped.set(good.subarray(from.position, from.position + length), to.position)
      swapped.set(good.subarray(to.position, to.position + length), from.position)
      const damages = await damagesOf(swapped)
      t.ok(damages.length >= 2, `${from.position} and ${to.position}`)
      const whole = from.bytes === to.bytes
      if (whole) t.ok(damages.every(({ code }) => code === 'BLOCK_MISMATCH'))
    }
  }
})

t.test('two damages are both reported, or only the first', async (t) => {
  const [first, , third] = index.blocks
  let bytes = withBitFlipped(good, 20, 0)
  bytes = withBitFlipped(bytes, first!.position + 60, 3)
  bytes = withBitFlipped(bytes, third!.position + 2, 3)
  const codes = (damages: readonly SegmentDamage[]) => damages.map(({ code }) => code)
  t.strictSame(codes(await damagesOf(bytes)), ['SEGMENT_CRC', 'BLOCK_CRC', 'BLOCK_MAGIC'])
  t.strictSame(codes((await verifySegment(sourceOf(bytes), { firstOnly: true })).damages), ['SEGMENT_CRC'])
  const blocksOnly = withBitFlipped(withBitFlipped(good, first!.position + 60, 3), third!.position, 3)
  t.strictSame(codes((await verifySegment(sourceOf(blocksOnly), { firstOnly: true })).damages), ['BLOCK_CRC'])
})

/** A segment whose parts are what is given, all CRCs right. */
function forged(parts: { index?: SegmentIndex; blocks?: Uint8Array; footer?: Partial<ReturnType<typeof countsOf>> }) {
  const blocks = parts.blocks ?? good.subarray(SEGMENT_HEADER_BYTES, indexPosition)
  const indexBytes = encodeIndex(parts.index ?? index)
  const footer = encodeFooter({
    indexPosition: SEGMENT_HEADER_BYTES + blocks.byteLength,
    indexBytes: indexBytes.byteLength,
    indexCrc: crc32c(indexBytes),
    ...countsOf(parts.index ?? index),
    ...parts.footer,
  })
  return Uint8Array.from([...good.subarray(0, SEGMENT_HEADER_BYTES), ...blocks, ...indexBytes, ...footer])
}

t.test('parts that are whole but do not belong together', async (t) => {
  t.strictSame(await damagesOf(forged({})), [])
  for (const field of ['blockCount', 'partitionCount', 'batchCount', 'recordCount'] as const) {
    t.match(await damagesOf(forged({ footer: { [field]: 99 } })), [{ code: 'INDEX_COUNTS' }], field)
  }
  t.match(await damagesOf(forged({ index: { ...index, blocks: index.blocks.slice(0, -1) } })), [
    { code: 'INDEX_BOUNDS' },
  ])
  t.match(await damagesOf(forged({ index: { ...index, createdAtMs: 5 } })), [{ code: 'SEGMENT_HEADER', position: 0 }])
  const otherId = `${SEGMENT_ID.slice(0, -1)}f`
  t.match(await damagesOf(forged({ index: { ...index, segmentId: otherId } })), [{ code: 'SEGMENT_HEADER' }])
})

t.test('an index that tells other batches than the blocks hold', async (t) => {
  const lies = [{ producerId: 8 }, { producerEpoch: 2 }, { baseSequence: 1 }, { lastOffsetDelta: 9 }] as const
  for (const lie of lies) {
    const name = Object.keys(lie).join()
    const [first, ...rest] = index.blocks
    const batches = first!.batches.map((batch) => ({ ...batch, ...lie }))
    const damages = await damagesOf(forged({ index: { ...index, blocks: [{ ...first!, batches }, ...rest] } }))
    t.match(damages, [{ code: 'BLOCK_BATCHES', position: first!.position + BLOCK_HEADER_BYTES }], name)
  }
  const [first, ...rest] = index.blocks
  const blocks = [{ ...first!, minTimestampMs: 3 }, ...rest]
  t.match(await damagesOf(forged({ index: { ...index, blocks } })), [{ code: 'BLOCK_BATCHES' }])
})

t.test('a batch damaged before it was stored is found behind all other CRCs', async (t) => {
  const last = index.blocks.at(-1)!
  const bytes = good.slice(SEGMENT_HEADER_BYTES, indexPosition)
  const block = bytes.subarray(last.position - SEGMENT_HEADER_BYTES)
  const second = last.batches[1]!
  block[BLOCK_HEADER_BYTES + second.position + BATCH_HEADER_BYTES + 5]! ^= 1
  const storedCrc = crc32c(block.subarray(BLOCK_HEADER_BYTES))
  dataView(block).setUint32(BLOCK_STORED_CRC, storedCrc)
  dataView(block).setUint32(BLOCK_HEADER_CRC, crc32c(block.subarray(0, BLOCK_HEADER_CRC)))
  const blocks = [...index.blocks.slice(0, -1), { ...last, storedCrc }]
  const damages = await damagesOf(forged({ blocks: bytes, index: { ...index, blocks } }))
  const batchPosition = last.position + BLOCK_HEADER_BYTES + second.position
  t.match(damages, [{ code: 'BATCH_CRC', position: batchPosition + BATCH_CRC }])
})

t.test('footers with a right CRC that lie are refused or mean what they say', async (t) => {
  for (let position = 0; position < FOOTER_CRC; position += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const bytes = withBitFlipped(good, footerPosition + position, bit)
      const footer = bytes.subarray(footerPosition)
      dataView(footer).setUint32(FOOTER_CRC, crc32c(footer.subarray(0, FOOTER_CRC)))
      t.throws(() => parseTail(bytes, bytes.byteLength), { name: 'FormatError' }, `byte ${position}, bit ${bit}`)
    }
  }
  const huge = encodeFooter({ ...decodeFooter(good, good.byteLength), indexBytes: 2 ** 40 })
  t.throws(() => decodeFooter(huge, 2 ** 41), { code: 'FOOTER_BOUNDS' }, 'an index of a terabyte')
})

t.test('headers with a right CRC that lie', async (t) => {
  const header = encodeSegmentHeader({ segmentId: SEGMENT_ID, level: 0, createdAtMs: 1 })
  for (const [position, code] of [
    [12, 'SEGMENT_RESERVED'],
    [15, 'SEGMENT_RESERVED'],
    [32, 'SEGMENT_HEADER'],
    [40, 'SEGMENT_RESERVED'],
  ] as const) {
    const bytes = good.slice()
    bytes.set(header)
    bytes[position] = 0xff
    dataView(bytes).setUint32(44, crc32c(bytes.subarray(0, 44)))
    t.match(await damagesOf(bytes), [{ code }], `byte ${position}`)
  }
})
