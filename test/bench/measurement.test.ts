import t from 'tap'
import { growthRows, perTenfold } from '../../bench/growth.js'
import { describeTarget, median, targetMet } from '../../bench/measurement.js'

t.test('a target bounds the ratio to the limit, repetition by repetition, or the value', async (t) => {
  const limit = { name: 'limit', values: [10, 100, 1_000] }
  const row = { values: [9, 80, 950], limit }
  t.equal(targetMet({ ...row, target: { of: 'ratio', atLeast: 0.9 } }), true)
  t.equal(targetMet({ ...row, target: { of: 'ratio', atLeast: 0.91 } }), false)
  t.equal(targetMet({ values: [0], target: { of: 'value', atMost: 0 } }), true)
  t.equal(targetMet(row), undefined)
  t.equal(targetMet({ values: [], target: { of: 'value', atMost: 5 } }), false, 'what was not measured is not met')
  t.equal(describeTarget({ values: [200], target: { of: 'value', atMost: 25 } }), '<= 25: missed')
})

t.test('growth is told per tenfold, beside what is expected', async (t) => {
  t.equal(perTenfold(100, 1, 1_000, 20).toFixed(6), '20.000000')
  t.equal(perTenfold(1_000, 1, 5_000, 5).toFixed(6), '10.000000', 'also where sizes are not a tenfold apart')
  const rows = growthRows({
    quantity: 'time',
    dimension: 'things',
    expected: 'constant',
    unit: 'ms',
    settings: '',
    points: [
      { size: 10, values: [1, 2, 3] },
      { size: 100, values: [4] },
    ],
  })
  t.strictSame(
    rows.map((row) => [row.case, row.unit, median(row.values), row.limit?.values[0]]),
    [
      ['time, 10 things', 'ms', 2, undefined],
      ['time, 100 things', 'ms', 4, undefined],
      ['time, 10 to 100 things', 'x per tenfold', 2, 1],
    ],
  )
})
