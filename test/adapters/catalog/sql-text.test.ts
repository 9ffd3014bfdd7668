import t from 'tap'
import {
  blob,
  bytesOf,
  inChunks,
  int,
  intOf,
  intOrNull,
  intOrNullOf,
  textOf,
  textOrNullOf,
  tuplesOf,
  uuid,
  uuidHex,
  uuidOf,
  within,
} from '../../../adapters/catalog/sql-text.js'

const ID = '6f1c9a2e-0b5d-4c3a-9e57-5a4f1d2c3b4a'

t.test('literals are digits and nothing else', async (t) => {
  t.equal(int(-5), '-5')
  t.equal(int(Number.MAX_SAFE_INTEGER), '9007199254740991')
  t.equal(intOrNull(null), 'NULL')
  t.equal(intOrNull(0), '0')
  t.equal(uuid(ID), "x'6f1c9a2e0b5d4c3a9e575a4f1d2c3b4a'")
  t.equal(blob(Uint8Array.of(0, 255, 16)), "x'00ff10'")
  t.equal(blob(Uint8Array.of(9, 8, 7).subarray(1, 2)), "x'08'")
  for (const number of [Number.NaN, Infinity, 1.5, 2 ** 53, '1' as unknown as number]) {
    t.throws(() => int(number), RangeError)
  }
  for (const id of ['', ID.toUpperCase(), `${ID}'`, ID.replaceAll('-', '')]) t.throws(() => uuid(id), RangeError)
})

t.test('long lists are cut', async (t) => {
  t.equal(within('c', ['1', '2']), 'c IN (1, 2)')
  const long = within(
    'c',
    Array.from({ length: 1201 }, (_, index) => String(index)),
  )
  t.equal(long.split(' OR ').length, 3)
  t.match(long, /^\(c IN \(0, .*\) OR c IN \(500, .*\) OR c IN \(1000, .*1200\)\)$/)
  t.same(inChunks([1, 2, 3], 2), [[1, 2], [3]])
  t.same(inChunks([], 2), [])
})

t.test('columns are what they should be, or an error', async (t) => {
  const bytes = Uint8Array.from(Buffer.from(ID.replaceAll('-', ''), 'hex'))
  const row = { a: 5, b: '7', c: 'text', d: null, e: bytes, f: bytes.buffer }
  t.equal(intOf(row, 'a'), 5)
  t.equal(intOf(row, 'b'), 7)
  t.equal(intOrNullOf(row, 'd'), null)
  t.equal(textOf(row, 'c'), 'text')
  t.equal(textOrNullOf(row, 'd'), null)
  t.equal(uuidOf(row, 'e'), ID)
  t.equal(uuidOf(row, 'f'), ID)
  t.throws(() => intOf(row, 'c'), TypeError)
  t.throws(() => intOf(row, 'd'), TypeError)
  t.throws(() => textOf(row, 'a'), TypeError)
  t.throws(() => bytesOf(row, 'c'), TypeError)
})

t.test('rows of values become literals', async (t) => {
  const shared = uuidHex(ID)
  t.same(
    tuplesOf([
      [1, shared],
      [-2, shared],
      [3, Uint8Array.of(1)],
    ]),
    [`(1,${uuid(ID)})`, `(-2,${uuid(ID)})`, "(3,x'01')"],
  )
  t.throws(() => tuplesOf([[Number.NaN]]), RangeError)
  t.throws(() => uuidHex(`${ID}'`), RangeError)
})
