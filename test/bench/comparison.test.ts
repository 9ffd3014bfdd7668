import t from 'tap'
import { compareMeasurements } from '../../bench/comparison.js'
import type { Measurement } from '../../bench/measurement.js'

function row(name: string, unit: string, ...values: number[]): Measurement {
  return { benchmark: 'b', case: name, unit, values, settings: '' }
}

t.test('says what moved by more than repetitions differ by', async (t) => {
  const before = [
    row('fast', 'MiB/s', 100),
    row('slow', 'ms', 100),
    row('noisy', 'ms', 80, 100, 120),
    row('gone', 'ms', 1),
  ]
  const after = [
    row('fast', 'MiB/s', 130),
    row('slow', 'ms', 130),
    row('noisy', 'ms', 105, 130, 140),
    row('new', 'ms', 1),
  ]
  t.strictSame(
    compareMeasurements(before, after).map((change) => [change.after.case, change.verdict]),
    [
      ['fast', 'better'],
      ['slow', 'worse'],
      ['noisy', ''],
    ],
  )
})

t.test('a row that stays zero has not changed', async (t) => {
  t.equal(compareMeasurements([row('idle', 'requests', 0)], [row('idle', 'requests', 0)])[0]?.change, 0)
})
