import t from 'tap'
import { runSeed } from './run-seed.js'

/**
 * The real engine through a thousand seeds of a bad world. `HEADRACE_SEEDS=20000` runs more of them; so does
 * `npm run simulate -- --seeds 20000 --seed 1`.
 */
const SEED_COUNT = Number(process.env['HEADRACE_SEEDS'] ?? 1000)

t.test('the same seed gives the same history, another seed another one', async (t) => {
  const hashes: string[] = []
  for (const seed of [7, 7, 8]) hashes.push((await runSeed(seed)).hash())
  t.equal(hashes[0], hashes[1])
  t.not(hashes[0], hashes[2])
})

t.test(`the promises hold over ${SEED_COUNT} seeds`, { timeout: 0 }, async (t) => {
  const seen = new Map<string, number>()
  for (let seed = 1; seed <= SEED_COUNT; seed++) {
    const { violations, events } = await runSeed(seed)
    if (violations.length > 0) {
      t.fail(`replay it with: npm run simulate -- --seed ${seed}`, { violations: violations.slice(0, 10) })
      return
    }
    for (const event of events) {
      if (event.kind === 'layout') seen.set(event.cause, (seen.get(event.cause) ?? 0) + 1)
      if (event.kind === 'swap') seen.set(event.outcome, (seen.get(event.outcome) ?? 0) + 1)
      const kind = 'fate' in event ? `${event.call} ${event.fate}` : 'change' in event ? event.change : event.kind
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
  }
  // A simulation in which nothing happens would hold everything.
  const expected = ['send', 'answer', 'poll', 'commit', 'sweep', 'crashed', 'closed']
  for (const call of ['put', 'commit', 'get', 'findExtents']) expected.push(`${call} before`, `${call} after`)
  expected.push('swapped', 'INPUTS_CHANGED', 'retention', 'delete-records', 'removal', 'object-deleted', 'out-of-range')
  for (const call of ['swapSegments', 'removeExtents', 'delete', 'putStream', 'acquireLease']) {
    expected.push(`${call} before`, `${call} after`)
  }
  t.strictSame(
    expected.filter((kind) => !seen.has(kind)),
    [],
  )
})
