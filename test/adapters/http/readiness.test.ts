import t from 'tap'
import { createReadiness, ObjectStoreHealth } from '../../../adapters/http/index.js'
import { HeadraceError } from '../../../engine/errors.js'

t.test('no reasons when all hold; each failing check gives one', async (t) => {
  t.strictSame(await createReadiness({ a: () => {}, b: async () => {} })(), [])
  const readiness = createReadiness({
    catalog: () => Promise.reject(new Error('refused by mysql://u:pw@db')),
    listener: () => {
      throw new Error('closing')
    },
    fine: () => {},
  })
  t.strictSame(await readiness(), ['catalog: refused by mysql://u:***@db', 'listener: closing'])
})

t.test('a check that hangs is a reason, and is not asked again meanwhile', async (t) => {
  let calls = 0
  const readiness = createReadiness(
    {
      catalog: () => {
        calls += 1
        return new Promise(() => {})
      },
    },
    20,
  )
  const answers = await Promise.all([readiness(), readiness(), readiness()])
  t.strictSame(answers[2], ['catalog: no answer within 20 ms'])
  t.equal(calls, 1)
  await readiness()
  t.equal(calls, 2, 'the next round asks again')
})

t.test('the object store is judged by its last request', async (t) => {
  let nowMs = 0
  const health = new ObjectStoreHealth(1_000, () => nowMs)
  const down = new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'safe', 'store is down')
  health.check()
  await t.rejects(health.watch(Promise.reject(down)), down)
  t.throws(() => health.check(), down)
  t.equal(await health.watch(Promise.resolve(5)), 5)
  health.check()
  health.failed(new HeadraceError('OBJECT_NOT_FOUND', 'never', 'no such object'))
  health.check()
  health.failed(down)
  nowMs = 1_000
  health.check()
  t.pass('an old failure is forgotten')
})
