import t from 'tap'
import { partitionNumber } from '../../../adapters/catalog/partition-numbers.js'
import {
  pageNumberOf,
  partitionCountOf,
  readPartition,
  slotOf,
  withPartitions,
  writePartition,
} from '../../../adapters/catalog/partition-page.js'

const FIRST = ['0000000000000003', '0004000000000000', 'fffffffffffffffe']
const SECOND = ['0000000000000000', '001fffffffffffff', 'ffe0000000000001']
const states = [
  { logStartOffset: 3, highWatermark: 2 ** 50, maxTimestampMs: -2 },
  { logStartOffset: 0, highWatermark: Number.MAX_SAFE_INTEGER, maxTimestampMs: Number.MIN_SAFE_INTEGER },
]

t.test('layout', async (t) => {
  const page = withPartitions(undefined, 2)
  for (const [slot, state] of states.entries()) writePartition(page, slot, state)
  t.equal(Buffer.from(page).toString('hex'), [...FIRST, ...SECOND].join(''))
  const elsewhere = Buffer.concat([Buffer.from('xyz'), page]).subarray(3)
  for (const [slot, state] of states.entries()) t.same(readPartition(elsewhere, slot), state)
  t.equal(readPartition(elsewhere, 2), undefined)
})

t.test('a page grows at its end and keeps what it has', async (t) => {
  const page = withPartitions(undefined, 1)
  writePartition(page, 0, states[0]!)
  const grown = withPartitions(page, 16)
  t.equal(partitionCountOf(grown), 16)
  t.same(readPartition(grown, 0), states[0])
  t.same(readPartition(grown, 15), { logStartOffset: 0, highWatermark: 0, maxTimestampMs: -2 })
})

t.test('the partitions of one topic fill pages from their first slot on', async (t) => {
  t.equal(slotOf(partitionNumber(7, 0)), 0)
  t.equal(pageNumberOf(partitionNumber(7, 15)), pageNumberOf(partitionNumber(7, 0)))
  t.equal(pageNumberOf(partitionNumber(7, 16)), pageNumberOf(partitionNumber(7, 0)) + 1)
  t.not(pageNumberOf(partitionNumber(7, 0)), pageNumberOf(partitionNumber(6, 2 ** 20 - 1)))
})

t.test('what cannot be is refused', async (t) => {
  for (const length of [0, 23, 25, 17 * 24]) t.throws(() => readPartition(new Uint8Array(length), 0), RangeError)
  t.throws(() => writePartition(withPartitions(undefined, 1), 1, states[0]!), RangeError)
  t.throws(() => writePartition(withPartitions(undefined, 1), 0, { ...states[0]!, highWatermark: 0.5 }), RangeError)
})
