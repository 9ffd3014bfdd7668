import t from 'tap'
import { embedded } from '../support/store-pairs.js'
import { faultsOf, runSoak } from './run.js'

/** A short soak; `npm run soak` is the long one. */
t.test(
  'under load and short retention nothing is lost or changed, and nothing is left',
  { timeout: 120_000 },
  async (t) => {
    const report = await runSoak(t, {
      loadMs: 15_000,
      partitionCount: 100,
      retentionMs: 4_000,
      untilForgotten: false,
      stores: embedded,
      progress: (line) => t.comment(line),
    })
    t.same(faultsOf(report), [])
  },
)
