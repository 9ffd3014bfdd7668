import t from 'tap'
import { FAULTS } from './nemesis.js'
import { describeRun, runFaults } from './run.js'

t.test('real processes and clients under every kind of fault', { timeout: 220_000 }, async (t) => {
  const run = await runFaults(1, 1)
  t.comment(describeRun(run))
  t.same(run.violations, [])
  for (const [name] of FAULTS) t.ok((run.faults.get(name)?.effects ?? 0) > 0, `${name} took effect`)
  for (const client of ['idempotent', 'plain', 'kcat-idempotent', 'kcat-plain']) {
    const acknowledged = run.sends.filter(
      ({ producer, outcome }) => producer.startsWith(`${client}.`) && outcome === 'acknowledged',
    )
    t.ok(acknowledged.length > 0, `${acknowledged.length} records of ${client} were acknowledged`)
  }
  t.ok(run.acknowledgedCount > 50, `${run.acknowledgedCount} records were acknowledged`)
  t.ok(run.pollCount > 0)
})
