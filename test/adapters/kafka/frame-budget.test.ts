import t from 'tap'
import { FRAME_BYTES_FREE, FrameBudget } from '../../../adapters/kafka/frame-budget.js'

const MIB = 1 << 20
const never = new AbortController().signal

t.test('frames wait in order of arrival, and one never overtakes another', async (t) => {
  const budget = new FrameBudget(4 * MIB)
  const order: string[] = []
  const take = (name: string, bytes: number) =>
    budget.acquire(bytes, never).then((release) => {
      order.push(name)
      return release
    })
  const first = await take('first', 3 * MIB)
  const large = take('large', 2 * MIB)
  const fitting = take('fitting', MIB)
  await Promise.resolve()
  t.strictSame(order, ['first'])
  first()
  first()
  t.equal(budget.bytesInUse, 3 * MIB, 'given back once')
  ;(await large)()
  ;(await fitting)()
  t.strictSame(order, ['first', 'large', 'fitting'])
  t.equal(budget.bytesInUse, 0)
})

t.test('a frame larger than the budget gets in alone; a small one costs nothing', async (t) => {
  const budget = new FrameBudget(MIB)
  const release = await budget.acquire(5 * MIB, never)
  const small = await budget.acquire(FRAME_BYTES_FREE, never)
  small()
  t.equal(budget.bytesInUse, 5 * MIB)
  release()
  t.equal(budget.bytesInUse, 0)
})

t.test('who leaves the line makes room for those behind', async (t) => {
  const budget = new FrameBudget(4 * MIB)
  const release = await budget.acquire(3 * MIB, never)
  const leaving = new AbortController()
  const large = budget.acquire(4 * MIB, leaving.signal)
  const fitting = budget.acquire(MIB, never)
  leaving.abort()
  await t.rejects(large, { name: 'AbortError' })
  ;(await fitting)()
  release()
  t.equal(budget.bytesInUse, 0)
  await t.rejects(budget.acquire(MIB, leaving.signal), { name: 'AbortError' })
})
