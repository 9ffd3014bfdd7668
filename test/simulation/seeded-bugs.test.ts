import t from 'tap'
import { runSeed } from './run-seed.js'
import type { SeededBug } from './world.js'

/** The simulation can fail: systems with a known bug must be found out, each by a promise that the bug breaks. */
const BUGS: readonly { readonly bug: SeededBug; readonly breaks: RegExp }[] = [
  { bug: 'ack-before-commit', breaks: /is lost \(promise 1\)/ },
  { bug: 'commit-without-locking', breaks: /a commit gave offset .*\(promise 6\)/ },
  { bug: 'dedupe-outside-transaction', breaks: /is stored again or late \(promise 3\)/ },
  { bug: 'sweep-without-age-rule', breaks: /is committed and not in the store \(promise 1\)/ },
  { bug: 'blind-commit-retry', breaks: /was sent once and is stored twice \(promise 3\)/ },
  { bug: 'request-split', breaks: /was half visible at .*\(promise 5\)/ },
  { bug: 'swap-without-condition', breaks: /after a swap: the extent from .*\(promise 6\)/ },
  { bug: 'deletion-without-grace', breaks: /was deleted .* within its grace/ },
]
const SEEDS_MAX = 1000

for (const { bug, breaks } of BUGS) {
  t.test(`${bug} is found`, async (t) => {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { violations } = await runSeed(seed, bug)
      const found = violations.find((violation) => breaks.test(violation))
      if (found === undefined) continue
      t.pass(`by seed ${seed}: ${found}`)
      return
    }
    t.fail(`not in ${SEEDS_MAX} seeds`)
  })
}
