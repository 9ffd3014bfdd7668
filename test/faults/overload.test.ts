import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { describeOverload, OVERLOAD, runOverload } from './overload.js'

/** What an agent takes beside its budget, as docs/guarantees.md states it. */
const BESIDE_BUDGET_BYTES = 256 * 2 ** 20

t.test('a load that exceeds the store: slower, and nothing worse', { timeout: 180_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-overload-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const options = { ...OVERLOAD, loadMs: 12_000, catalogUrl: `sqlite://${join(directory, 'catalog.db')}` }
  const run = await runOverload(t, options)
  t.comment(describeOverload(run, options))

  t.equal(run.unansweredCount, 0, 'every request was answered')
  t.same(run.refusals, [], 'none was refused')
  t.equal(run.acknowledgedCount, run.sentCount)
  t.same(run.lost, [], 'what was acknowledged is in the log')
  const offeredBytes = options.connectionCount * options.requestBytes * run.inFlightMax
  t.ok(offeredBytes > 0.6 * options.memoryBytes, 'what was on its way is more than frames and arenas hold')
  const storeBytes = (options.storeBytesPerSecond * run.wholeMs) / 1000
  t.ok(run.acknowledgedBytes > 0.6 * storeBytes, `${run.acknowledgedBytes} of ${storeBytes} bytes the store could take`)
  t.ok(run.storedBytes < 1.1 * run.acknowledgedBytes, 'and none was uploaded twice')
  if (run.peakBytes !== undefined) t.ok(run.peakBytes < options.memoryBytes + BESIDE_BUDGET_BYTES, 'within its memory')
})
