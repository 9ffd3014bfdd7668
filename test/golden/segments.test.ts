import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { BLOCK_CODEC_LZ4, decodeIndexedBlock, iterateBatches, parseTail, verifySegment } from '../../format/index.js'
import { smallSegment, smallSegmentBatches, sourceOf } from '../format/samples.js'
import { annotateSegment, parseHex } from './annotated-hex.js'

/**
 * Whole segments as reviewed bytes. What is stored in the world must stay readable, and what is written must not change by
 * accident. After a change on purpose: HEADRACE_UPDATE_GOLDEN=1, then read the diff.
 */
const folder = fileURLToPath(new URL('../../../test/golden/', import.meta.url))

for (const level of [0, 1]) {
  t.test(`level ${level}`, async (t) => {
    const file = `${folder}segment-level-${level}.hex`
    const written = smallSegment(level)
    if (process.env['HEADRACE_UPDATE_GOLDEN'] === '1') writeFileSync(file, annotateSegment(written.bytes))
    const text = readFileSync(file, 'utf8')
    const golden = parseHex(text)

    t.equal(annotateSegment(golden), text, 'the notes are right')
    const tail = parseTail(golden, golden.byteLength)
    t.ok(tail.done)
    if (!tail.done) return
    t.strictSame((await verifySegment(sourceOf(golden))).damages, [])
    const batches = tail.index.blocks.flatMap((entry) => {
      const { rawBytes } = decodeIndexedBlock(golden.subarray(entry.position), entry)
      return Array.from(iterateBatches(rawBytes), ({ position, header }) =>
        rawBytes.slice(position, position + header.bytes),
      )
    })
    t.strictSame(
      batches,
      smallSegmentBatches(level).map(({ bytes }) => bytes),
      'it reads as what was put in',
    )
    t.ok(tail.index.blocks.some(({ codec }) => codec === BLOCK_CODEC_LZ4))
    t.strictSame(written.bytes, golden, 'the same input still gives the same bytes')
  })
}

t.test('hex files hold nothing else', async (t) => {
  t.strictSame([...parseHex('00 ff # note 11\n\n10')], [0, 255, 16])
  t.throws(() => parseHex('0'))
  t.throws(() => parseHex('zz'))
})
