import t from 'tap'
import { ProducerPage } from '../../../adapters/catalog/producer-page.js'

const first = { epoch: 3, sequenceCount: 5, batches: [{ baseSequence: 1, lastSequence: 5, baseOffset: 9 }] }
const last = { epoch: -1, sequenceCount: 1, batches: [{ baseSequence: 0, lastSequence: 0, baseOffset: 0 }] }
const LAYOUT = [
  '01',
  '02',
  '0188d6c8e000',
  '0003',
  '05',
  '0205010409',
  '0f',
  '000000000064',
  'ffff',
  '05',
  '0201000000',
]
const HEX = LAYOUT.join('')

function pageOfTwo(): ProducerPage {
  const page = new ProducerPage()
  page.set(15, last, 100)
  page.set(2, first, 0x0188d6c8e000)
  return page
}

t.test('layout', async (t) => {
  t.equal(Buffer.from(pageOfTwo().encode()).toString('hex'), HEX)
  const page = ProducerPage.decode(Buffer.concat([Buffer.from('xy'), Buffer.from(HEX, 'hex')]).subarray(2))
  t.same([page.state(2), page.state(15), page.state(3)], [first, last, undefined])
  t.same([page.usedAtMs(2), page.usedAtMs(15), page.usedAtMs(3)], [0x0188d6c8e000, 100, undefined])
  t.equal(page.oldestUsedAtMs, 100)
  t.equal(Buffer.from(page.encode()).toString('hex'), HEX, 'states that nobody asked for are copied')
})

t.test('a full page of the longest states fits its column', async (t) => {
  const page = new ProducerPage()
  const batches = Array.from({ length: 5 }, (_, index) => {
    return { baseSequence: index % 2, lastSequence: (index + 1) % 2, baseOffset: Number.MAX_SAFE_INTEGER }
  })
  for (let slot = 0; slot < 16; slot++) {
    page.set(slot, { epoch: 32767, sequenceCount: Number.MAX_SAFE_INTEGER, batches }, 2 ** 48 - 1)
  }
  const bytes = page.encode()
  t.ok(bytes.length <= 4096)
  t.same(ProducerPage.decode(bytes).state(15), { epoch: 32767, sequenceCount: Number.MAX_SAFE_INTEGER, batches })
})

t.test('silent states are forgotten, no more than asked for', async (t) => {
  const page = pageOfTwo()
  t.equal(page.forgetUsedBefore(100, 5), 0)
  t.equal(page.forgetUsedBefore(Number.MAX_SAFE_INTEGER, 1), 1)
  t.same([page.state(2), page.state(15), page.isEmpty], [undefined, last, false])
  t.equal(page.forgetUsedBefore(101, 5), 1)
  t.equal(page.isEmpty, true)
})

t.test('what cannot be a page is refused', async (t) => {
  const bytes = Buffer.from(HEX, 'hex')
  const ends = [1 + 10 + 5, bytes.length]
  for (let length = 0; length < bytes.length; length++) {
    if (ends.includes(length)) continue
    t.throws(() => ProducerPage.decode(bytes.subarray(0, length)), { code: 'CATALOG_SCHEMA_MISMATCH' })
  }
  const changed = (at: number, value: number) => Buffer.from(bytes).fill(value, at, at + 1)
  t.throws(() => ProducerPage.decode(changed(0, 2)), { code: 'CATALOG_SCHEMA_MISMATCH' }, 'a later version')
  t.throws(() => ProducerPage.decode(changed(16, 16)), { code: 'CATALOG_SCHEMA_MISMATCH' }, 'no such slot')
  t.throws(() => ProducerPage.decode(changed(16, 2)), { code: 'CATALOG_SCHEMA_MISMATCH' }, 'the same slot again')
})
