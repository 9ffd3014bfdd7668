import t from 'tap'
import { decodeProducer, encodeProducer } from '../../../adapters/catalog/producer-blob.js'

const state = {
  epoch: 3,
  sequenceCount: 300,
  batches: [
    { baseSequence: 2 ** 31 - 2, lastSequence: 5, baseOffset: 2 ** 50 },
    { baseSequence: 6, lastSequence: 6, baseOffset: 2 ** 50 + 8 },
  ],
}

const LAYOUT = {
  version: '02',
  sequenceCount: 'ac02',
  baseSequence: 'feffffff07',
  span: '07',
  baseOffset: '8080808080808002',
  gap: '00',
  nextSpan: '00',
  advance: '08',
}

t.test('layout', async (t) => {
  const bytes = encodeProducer(state)
  t.equal(Buffer.from(bytes).toString('hex'), Object.values(LAYOUT).join(''))
  t.same(decodeProducer(3, bytes), state)
  t.same(decodeProducer(3, Buffer.concat([Buffer.from('xy'), bytes]).subarray(2)), state)
})

t.test('every state comes back as it was', async (t) => {
  const states = [
    { epoch: 0, sequenceCount: 1, batches: [{ baseSequence: 0, lastSequence: 0, baseOffset: 0 }] },
    // Sequences are not taken for granted to follow each other.
    {
      epoch: 0,
      sequenceCount: Number.MAX_SAFE_INTEGER,
      batches: [
        { baseSequence: 9, lastSequence: 2 ** 31 - 1, baseOffset: 0 },
        { baseSequence: 0, lastSequence: 0, baseOffset: Number.MAX_SAFE_INTEGER },
        { baseSequence: 2 ** 31 - 1, lastSequence: 2 ** 31 - 2, baseOffset: Number.MAX_SAFE_INTEGER },
      ],
    },
  ]
  for (const each of states) t.same(decodeProducer(0, encodeProducer(each)), each)
})

t.test('the longest state fits its column', async (t) => {
  const batches = Array.from({ length: 5 }, (_, index) => {
    return { baseSequence: index % 2, lastSequence: (index + 1) % 2, baseOffset: Number.MAX_SAFE_INTEGER }
  })
  t.ok(encodeProducer({ epoch: 0, sequenceCount: Number.MAX_SAFE_INTEGER, batches }).length <= 255)
})

t.test('offsets that go back are our bug', async (t) => {
  const batches = [5, 4].map((baseOffset) => ({ baseSequence: 0, lastSequence: 0, baseOffset }))
  t.throws(() => encodeProducer({ epoch: 0, sequenceCount: 1, batches }), RangeError)
})

t.test('a state of version 1 is read', async (t) => {
  const batches = ['7ffffffe', '00000005', '0004000000000000', '00000006', '00000006', '0004000000000008']
  const bytes = Buffer.from(['01', '000000000000012c', ...batches].join(''), 'hex')
  t.same(decodeProducer(3, bytes), state)
  for (let length = 1; length < bytes.length; length++) {
    if (length === 9 + 16) continue
    t.throws(() => decodeProducer(3, bytes.subarray(0, length)), { code: 'CATALOG_SCHEMA_MISMATCH' })
  }
})

t.test('what cannot be a state is refused', async (t) => {
  const bytes = encodeProducer(state)
  const firstBatchEnd = Buffer.from(bytes).length - 3
  for (let length = 0; length < bytes.length; length++) {
    if (length === firstBatchEnd) continue
    t.throws(() => decodeProducer(3, bytes.subarray(0, length)), { code: 'CATALOG_SCHEMA_MISMATCH' }, `${length} bytes`)
  }
  t.throws(() => decodeProducer(3, Buffer.alloc(40, 0xff).fill(2, 0, 1)), { code: 'CATALOG_SCHEMA_MISMATCH' })
  bytes[0] = 3
  t.throws(() => decodeProducer(3, bytes), { code: 'CATALOG_SCHEMA_MISMATCH' })
})
