import t from 'tap'
import { decodeProducer, encodeProducer } from '../../../adapters/catalog/producer-blob.js'

const state = {
  epoch: 3,
  sequenceCount: 2 ** 40,
  batches: [
    { baseSequence: 2 ** 31 - 2, lastSequence: 5, baseOffset: 2 ** 50 },
    { baseSequence: 6, lastSequence: 6, baseOffset: 2 ** 50 + 8 },
  ],
}

t.test('layout', async (t) => {
  const bytes = encodeProducer(state)
  t.equal(
    Buffer.from(bytes).toString('hex'),
    [
      '01',
      '0000010000000000',
      '7ffffffe',
      '00000005',
      '0004000000000000',
      '00000006',
      '00000006',
      '0004000000000008',
    ].join(''),
  )
  t.same(decodeProducer(3, bytes), state)
  t.same(decodeProducer(3, Buffer.concat([Buffer.from('xy'), bytes]).subarray(2)), state)
})

t.test('what cannot be a state is refused', async (t) => {
  const bytes = encodeProducer(state)
  for (let length = 0; length < bytes.length; length++) {
    if (length === 9 + 16) continue
    t.throws(() => decodeProducer(3, bytes.subarray(0, length)), { code: 'CATALOG_SCHEMA_MISMATCH' })
  }
  bytes[0] = 2
  t.throws(() => decodeProducer(3, bytes), { code: 'CATALOG_SCHEMA_MISMATCH' })
})
