import t from 'tap'
import { EventLoopTurns } from '../../adapters/event-loop-turns.js'

t.test('work that takes turns lets timers in between, and keeps its order', async (t) => {
  const turns = new EventLoopTurns()
  const order: string[] = []
  const startedMs = performance.now()
  const timer = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push('timer')
      resolve()
    }, 2)
  })
  const work = ['a', 'b', 'c', 'd'].map((name) =>
    turns.next().then(() => {
      const endMs = performance.now() + 4
      while (performance.now() < endMs);
      order.push(name)
    }),
  )
  await Promise.all([...work, timer])
  t.same(
    order.filter((name) => name !== 'timer'),
    ['a', 'b', 'c', 'd'],
  )
  t.ok(order.indexOf('timer') < order.length - 1, `${order} in ${performance.now() - startedMs} ms`)
})
