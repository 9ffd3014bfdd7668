import t from 'tap'
import { decodeExtents, encodeExtents, type PackedExtent } from '../../../adapters/catalog/extent-pack.js'

const SMALL: PackedExtent = {
  slot: 0,
  baseOffset: 0,
  endOffset: 1,
  position: 32,
  bytes: 100,
  batchSkipCount: 0,
  batchCount: 1,
  maxTimestampMs: -1,
  runningMaxTimestampMs: -1,
}
const LARGE: PackedExtent = {
  slot: 15,
  baseOffset: 2 ** 53 - 1 - (2 ** 32 - 1),
  endOffset: 2 ** 53 - 1,
  position: 2 ** 40 + 3,
  bytes: 2 ** 32 - 1,
  batchSkipCount: 2 ** 31,
  batchCount: 2 ** 32 - 1,
  maxTimestampMs: 1_700_000_000_000,
  runningMaxTimestampMs: 2 ** 53 - 1,
}

t.test('layout', async (t) => {
  const pack = encodeExtents([SMALL])
  const layout = [
    '01', // version
    '00', // slot
    '00000001', // offsetCount
    '00000000', // batchSkipCount
    '00000001', // batchCount
    '00000064', // bytes
    '0000000000000000', // baseOffset
    '0000000000000020', // position
    'ffffffffffffffff', // maxTimestampMs
    'ffffffffffffffff', // runningMaxTimestampMs
  ]
  t.equal(Buffer.from(pack).toString('hex'), layout.join(''))
  t.same(decodeExtents(encodeExtents([SMALL, LARGE, SMALL])), [SMALL, LARGE, SMALL])
  const elsewhere = Buffer.concat([Buffer.from('xyz'), encodeExtents([LARGE])]).subarray(3)
  t.same(decodeExtents(elsewhere), [LARGE])
})

t.test('what does not fit is refused', async (t) => {
  t.throws(() => encodeExtents([{ ...SMALL, endOffset: 2 ** 32 }]), RangeError)
  t.throws(() => encodeExtents([{ ...SMALL, endOffset: -1 }]), RangeError)
  t.throws(() => encodeExtents([{ ...SMALL, bytes: 2 ** 32 }]), RangeError)
  t.throws(() => encodeExtents([{ ...SMALL, position: 2 ** 53 }]), RangeError)
})

t.test('damage is told', async (t) => {
  const damaged = { code: 'CATALOG_SCHEMA_MISMATCH', retry: 'never' }
  const pack = encodeExtents([SMALL, LARGE])
  for (let length = 0; length < pack.length; length++) {
    // A whole extent less is a pack of its own.
    if (length === encodeExtents([SMALL]).length) continue
    t.throws(() => decodeExtents(pack.subarray(0, length)), damaged, `${length} bytes`)
  }
  t.throws(() => decodeExtents(Uint8Array.of(...pack, 0)), damaged)
  t.throws(() => decodeExtents(Uint8Array.of(2, ...pack.subarray(1))), damaged, 'another version')
  t.throws(() => decodeExtents(Uint8Array.of(1, 16, ...pack.subarray(2))), damaged, 'no such slot')
})
