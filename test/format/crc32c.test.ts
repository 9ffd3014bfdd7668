import t from 'tap'
import { crc32c, nativeCrc32c, portableCrc32c } from '../../format/crc32c.js'
import { ascii } from './samples.js'

t.test('known values', async (t) => {
  // The check value of the CRC catalogue, and RFC 3720 appendix B.4.
  for (const crc of [crc32c, portableCrc32c]) {
    t.equal(crc(ascii('123456789')), 0xe3069283)
    t.equal(crc(new Uint8Array(32)), 0x8a9136aa)
    t.equal(crc(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    t.equal(crc(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e)
    t.equal(crc(new Uint8Array(0)), 0)
  }
})

t.test('native and portable agree at every length and alignment', async (t) => {
  const native = nativeCrc32c
  t.ok(native, 'the native implementation loads on this platform')
  if (native === undefined) return
  const bytes = Uint8Array.from({ length: 600 }, (_, index) => (index * 197 + (index >> 3)) & 0xff)
  const different: string[] = []
  for (let start = 0; start < 9; start += 1) {
    for (let end = start; end <= 600; end += 1) {
      const view = bytes.subarray(start, end)
      if (native(view) !== portableCrc32c(view)) different.push(`${start}..${end}`)
      if (native(view, 0xfedcba98) !== portableCrc32c(view, 0xfedcba98)) different.push(`${start}..${end} seeded`)
    }
  }
  t.strictSame(different, [])
})

t.test('a seed continues a CRC, and shared memory works', async (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(100)).map((_, index) => index)
  for (const crc of [crc32c, portableCrc32c]) {
    t.equal(crc(shared.subarray(40), crc(shared.subarray(0, 40))), crc(Uint8Array.from(shared)))
  }
})
