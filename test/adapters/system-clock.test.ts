import t from 'tap'
import { systemClock } from '../../adapters/system-clock.js'

for (const delayMs of [0, 0.2, 0.4, 1, 5]) {
  t.test(`${delayMs} ms are not less, and can be cancelled`, async (t) => {
    const startedMs = systemClock.monotonicMs()
    await new Promise<void>((resolve) => {
      systemClock.schedule(delayMs, resolve)
    })
    // Node's timers count from the turn's beginning, in whole milliseconds.
    const toleranceMs = delayMs < 1 ? 0 : 1
    t.ok(systemClock.monotonicMs() - startedMs >= delayMs - toleranceMs)

    let calledCount = 0
    const cancel = systemClock.schedule(delayMs, () => calledCount++)
    cancel()
    cancel()
    await new Promise((resolve) => setTimeout(resolve, delayMs + 10))
    t.equal(calledCount, 0)
  })
}

t.test('less than a millisecond lets the event loop go on', async (t) => {
  const order: string[] = []
  const done = new Promise<void>((resolve) => {
    systemClock.schedule(0.4, () => {
      order.push('due')
      resolve()
    })
  })
  setImmediate(() => order.push('another turn'))
  await done
  t.same(order, ['another turn', 'due'])
})
