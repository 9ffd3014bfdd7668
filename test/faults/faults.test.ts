import t from 'tap'
import { FAULTS } from './nemesis.js'
import { describeRun, runFaults } from './run.js'

t.test('real processes and clients under every kind of fault', { timeout: 220_000 }, async (t) => {
  const run = await runFaults(1, 1)
  t.comment(describeRun(run))
  t.same(run.violations, [])
  t.equal(run.faults.size, FAULTS.length)
  t.ok(run.acknowledgedCount > 50, `${run.acknowledgedCount} records were acknowledged`)
  t.ok(run.pollCount > 0)
})
