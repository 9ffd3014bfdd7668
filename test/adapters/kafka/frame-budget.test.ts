import fc from 'fast-check'
import t from 'tap'
import { FRAME_BYTES_FREE, FrameBudget, type FrameShare } from '../../../adapters/kafka/frame-budget.js'
import { SeededRandom, settle } from '../../support/virtual-clock.js'

const MIB = 1 << 20
const never = new AbortController().signal

/** Reads a whole frame that comes as fast as there is room for it. */
async function receive(share: FrameShare, signal = never): Promise<void> {
  while (!share.isWhole) await share.grow(signal)
}

t.test('a share grows with what has arrived', async (t) => {
  const budget = new FrameBudget(8 * MIB, 4 * MIB)
  const share = budget.open(4 * MIB)
  const sizes: number[] = []
  while (!share.isWhole) {
    sizes.push(share.bytes / FRAME_BYTES_FREE)
    t.equal(budget.bytesInUse, share.isCharged ? share.bytes : 0)
    await share.grow(never)
  }
  t.same(sizes, [1, 2, 4, 8, 16, 32, 48])
  t.equal(budget.bytesInUse, 4 * MIB)
  share.release()
  share.release()
  t.equal(budget.bytesInUse, 0)
})

t.test('beginnings of frames leave room to finish one', async (t) => {
  const budget = new FrameBudget(8 * MIB, 4 * MIB)
  const beginnings = Array.from({ length: 40 }, () => budget.open(4 * MIB))
  let stepCount = 0
  for (const share of beginnings) void share.grow(never).then(() => stepCount++)
  await settle()
  t.equal(stepCount, 33, '32 steps in one half, a whole frame in the other')
  t.equal(budget.bytesInUse, 8 * MIB)
  t.ok(budget.isContended)
  const late = budget.open(MIB)
  let done = false
  void receive(late).then(() => {
    done = true
  })
  // Each of those before it is finished in its turn.
  for (const share of beginnings.slice(32)) {
    await settle()
    t.notOk(done)
    t.ok(share.isWhole)
    share.release()
  }
  await settle()
  t.ok(done)
  t.notOk(budget.isContended)
})

t.test('frames wait in order of arrival, and one never overtakes another', async (t) => {
  const budget = new FrameBudget(4 * MIB, 4 * MIB)
  const order: string[] = []
  const take = (name: string, bytes: number) => {
    const share = budget.open(bytes)
    return receive(share).then(() => {
      order.push(name)
      return share
    })
  }
  const first = await take('first', 3 * MIB)
  const large = take('large', 2 * MIB)
  const fitting = take('fitting', MIB)
  await settle()
  t.strictSame(order, ['first'])
  first.release()
  ;(await large).release()
  ;(await fitting).release()
  t.strictSame(order, ['first', 'large', 'fitting'])
  t.equal(budget.bytesInUse, 0)
})

t.test('a frame larger than the budget gets in alone; a small one costs nothing', async (t) => {
  const budget = new FrameBudget(MIB, MIB)
  const large = budget.open(5 * MIB)
  await receive(large)
  const small = budget.open(FRAME_BYTES_FREE)
  t.ok(small.isWhole)
  t.notOk(small.isCharged)
  small.release()
  t.equal(budget.bytesInUse, 5 * MIB)
  large.release()
  t.equal(budget.bytesInUse, 0)
})

t.test('who leaves the line makes room for those behind', async (t) => {
  const budget = new FrameBudget(4 * MIB, 4 * MIB)
  const first = budget.open(3 * MIB)
  await receive(first)
  const leaving = new AbortController()
  const large = receive(budget.open(4 * MIB), leaving.signal)
  const fitting = budget.open(MIB)
  const fits = receive(fitting)
  leaving.abort()
  await t.rejects(large, { name: 'AbortError' })
  await fits
  first.release()
  fitting.release()
  t.equal(budget.bytesInUse, 0)
  await t.rejects(receive(budget.open(MIB), leaving.signal), { name: 'AbortError' })
})

t.test('whatever comes, the budget holds and every frame is finished', async (t) => {
  const input = fc.tuple(fc.array(fc.integer({ min: 1, max: 4 * MIB }), { maxLength: 60 }), fc.integer())
  await fc.assert(
    fc.asyncProperty(input, async ([frames, seed]) => {
      const random = new SeededRandom(seed)
      const budget = new FrameBudget(6 * MIB, 4 * MIB)
      const one = async (bytes: number) => {
        const share = budget.open(bytes)
        while (!share.isWhole) {
          while (random.fraction() < 0.4) await Promise.resolve()
          await share.grow(never)
          if (budget.bytesInUse > 6 * MIB) throw new Error(`${budget.bytesInUse} bytes in use`)
        }
        while (random.fraction() < 0.6) await Promise.resolve()
        share.release()
      }
      await Promise.all(frames.map(one))
      return budget.bytesInUse === 0 && !budget.isContended
    }),
    { numRuns: 150 },
  )
  t.pass()
})
