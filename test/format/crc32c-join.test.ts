import fc from 'fast-check'
import t from 'tap'
import { crc32c } from '../../format/crc32c.js'
import { extendCrc32c, joinCrc32c } from '../../format/crc32c-join.js'

t.test('the CRC of joined bytes comes from the CRCs of the parts', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 5000 }), (a, b) => {
      return joinCrc32c(crc32c(a), crc32c(b), b.byteLength) === crc32c(Buffer.concat([a, b]))
    }),
  )
  t.pass('for arbitrary parts')
  const a = Buffer.from('what came before')
  for (const bytes of [0, 1, 61, 255, 256, 65_535, 2 ** 20, 2 ** 24 + 1]) {
    const b = Buffer.alloc(bytes, 'some bytes of a batch ')
    t.equal(joinCrc32c(crc32c(a), crc32c(b), bytes), crc32c(Buffer.concat([a, b])), `${bytes} bytes`)
  }
})

t.test('a few bytes extend a CRC as the library would', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }),
      fc.nat(64),
      (before, bytes, from) => {
        const start = Math.min(from, bytes.byteLength)
        return (
          extendCrc32c(crc32c(before), bytes, start, bytes.byteLength) === crc32c(bytes.subarray(start), crc32c(before))
        )
      },
    ),
  )
  t.pass('for arbitrary bytes')
})
