import t from 'tap'
import { describeGroupRun, runGroupFaults } from './group-run.js'

t.test('a group of processes while members and agents die', { timeout: 180_000 }, async (t) => {
  const run = await runGroupFaults({ seed: 1, runMs: 12_000, memberCount: 4, partitionCount: 24 })
  t.comment(describeGroupRun(run))
  t.same(run.violations, [])
  t.ok(run.faults.size >= 1)
  t.ok(run.storedCount > 100, `${run.storedCount} records were stored`)
  t.ok(run.committedReadCount > 0)
})
