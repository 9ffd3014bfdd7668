import { compress, uncompress } from 'snappyjs'
import t from 'tap'
import { decompressRecords, FormatError, RECORD_CODEC_SNAPPY } from '../../format/index.js'
import { checkSnappyBlock } from '../../format/snappy-block.js'

function isRefused(block: Uint8Array): boolean {
  try {
    checkSnappyBlock(block)
    return false
  } catch (error) {
    if (error instanceof FormatError && error.code === 'RECORD_COMPRESSION') return true
    throw error
  }
}

const noise = (bytes: number) => Uint8Array.from({ length: bytes }, (_, at) => (at * at * 2_654_435_761) >>> 13)

t.test('what an encoder makes is whole', async (t) => {
  const inputs = [0, 1, 59, 60, 61, 256, 257, 65_536, 65_537, 300_000].flatMap((bytes) => [
    noise(bytes),
    new Uint8Array(bytes).fill(7),
    Uint8Array.from({ length: bytes }, (_, at) => at % 251),
  ])
  for (const input of inputs) t.notOk(isRefused(compress(input)), `${input.byteLength} bytes`)
})

t.test('every kind of element', async (t) => {
  const whole = Uint8Array.of(
    ...[20, 0x0c, 1, 2, 3, 4],
    ...[0x01, 4],
    ...[0x0e, 8, 0],
    ...[0x0f, 12, 0, 0, 0],
    ...[0xf0, 3, 5, 6, 7, 8],
  )
  t.notOk(isRefused(whole))
  t.strictSame([...uncompress(whole)], [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8])
  for (let bytes = 0; bytes < whole.byteLength; bytes += 1) t.ok(isRefused(whole.subarray(0, bytes)), `cut at ${bytes}`)
  t.ok(isRefused(Uint8Array.of(19, ...whole.subarray(1))), 'more than declared')
  t.ok(isRefused(Uint8Array.of(21, ...whole.subarray(1))), 'less than declared')
})

t.test('copies from nowhere, lengths that are none', async (t) => {
  t.ok(isRefused(Uint8Array.of(5, 0x00, 1, 0x01, 0)), 'offset 0')
  t.ok(isRefused(Uint8Array.of(5, 0x00, 1, 0x01, 2)), 'before the beginning')
  t.ok(isRefused(Uint8Array.of(2, 0x00, 1, 0x03, 0, 0, 0, 0x80)), 'an offset of 2^31')
  t.ok(isRefused(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x1f)), 'a length of 33 bits')
  t.ok(isRefused(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0)), 'a varint of six bytes')
})

// Fuzzing found it: the library takes the length as negative and walks back in its input for minutes.
t.test('a literal of more than 2^31 bytes is refused at once', async (t) => {
  const stored = Uint8Array.of(0x00, 0xfc, 0x00, 0xff, 0x00, 0xa9, 0x64, 0x00)
  t.throws(() => decompressRecords(RECORD_CODEC_SNAPPY, stored, 1 << 20), { code: 'RECORD_COMPRESSION' })
})
