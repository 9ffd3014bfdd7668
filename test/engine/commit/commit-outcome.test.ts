import * as fc from 'fast-check'
import t from 'tap'
import { decodeOutcome, encodeOutcome } from '../../../engine/commit/commit-outcome.js'
import type { BatchOutcome } from '../../../engine/ports/catalog.js'

t.test('bytes of every kind of run', async (t) => {
  const outcomes: BatchOutcome[] = [
    { kind: 'accepted', baseOffset: 300, logStartOffset: 5 },
    { kind: 'accepted', baseOffset: 302, logStartOffset: 5 },
    { kind: 'refused', code: 'SEQUENCE_GAP' },
    { kind: 'refused', code: 'SEQUENCE_GAP' },
    { kind: 'refused', code: 'PARTITION_UNKNOWN' },
    { kind: 'duplicate', baseOffset: 7, logStartOffset: 5 },
  ]
  const offsetCounts = [2, 1, 1, 1, 1, 1]
  const bytes = encodeOutcome(outcomes, offsetCounts)
  t.equal(Buffer.from(bytes).toString('hex'), ['0106', '0002ac0205', '0502', '0201', '01010705'].join(''))
  t.same(decodeOutcome(bytes, offsetCounts), outcomes)
  t.same(decodeOutcome(encodeOutcome([], []), []), [])
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => decodeOutcome(bytes.subarray(0, length), offsetCounts), { code: 'CATALOG_SCHEMA_MISMATCH' })
  }
  const damages: [string, number[]][] = [
    ['version', [2, 0]],
    ['trailing bytes', [...bytes, 0]],
    ['unknown run', [1, 6, 9, 6]],
    ['empty run', [1, 6, 5, 0]],
    ['long run', [1, 6, 5, 7]],
    ['large number', [1, 6, 0, 6, ...new Array(8).fill(0xff), 1]],
  ]
  for (const [name, damaged] of damages) {
    t.throws(() => decodeOutcome(Uint8Array.from(damaged), offsetCounts), { code: 'CATALOG_SCHEMA_MISMATCH' }, name)
  }
  t.throws(() => decodeOutcome(bytes, [1]), { code: 'CATALOG_SCHEMA_MISMATCH' }, 'other batches')
  t.throws(() => encodeOutcome(outcomes, [1]), RangeError)
})

t.test('a run of accepted batches takes a handful of bytes', async (t) => {
  const outcomes = Array.from({ length: 1000 }, (_, index): BatchOutcome => {
    return { kind: 'accepted', baseOffset: 2 ** 40 + index * 3, logStartOffset: 2 ** 39 }
  })
  t.ok(encodeOutcome(outcomes, new Array(1000).fill(3)).length < 24)
})

t.test('decodes what it encodes', async () => {
  const offset = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 6 }))
  const outcome = fc.oneof(
    fc.record({ kind: fc.constantFrom('accepted', 'duplicate'), baseOffset: offset, logStartOffset: offset }),
    fc.record({
      kind: fc.constant('refused'),
      code: fc.constantFrom('PARTITION_UNKNOWN', 'PRODUCER_EPOCH_FENCED', 'SEQUENCE_DUPLICATE', 'SEQUENCE_GAP'),
    }),
  )
  const item = fc.tuple(outcome, fc.integer({ min: 1, max: 3 }))
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const outcomes = items.map(([outcome]) => outcome as BatchOutcome)
      const offsetCounts = items.map(([, count]) => count)
      const decoded = decodeOutcome(encodeOutcome(outcomes, offsetCounts), offsetCounts)
      return JSON.stringify(decoded.map(sorted)) === JSON.stringify(outcomes.map(sorted))
    }),
  )
})

function sorted(outcome: object): [string, unknown][] {
  return Object.entries(outcome).sort(([a], [b]) => a.localeCompare(b))
}
