import t from 'tap'
import { ArenaPool } from '../../../engine/intake/arena-pool.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { settle } from '../../support/virtual-clock.js'

const pool = (): ArenaPool => new ArenaPool({ arenaBytes: 100, budgetBytes: 300, metrics: NO_METRICS })

t.test('lends up to the budget, then makes who asks wait in order', async (t) => {
  const arenas = pool()
  const held = [await arenas.acquire(1), await arenas.acquire(100), await arenas.acquire(50)]
  const order: string[] = []
  const acquire = async (name: string) => {
    const arena = await arenas.acquire(10)
    order.push(name)
    return arena
  }
  const first = acquire('first')
  const second = acquire('second')
  await settle()
  t.same(order, [])
  t.equal(arenas.waiterCount, 2)
  t.equal(arenas.inUseBytes, 300)
  held[0]?.release()
  await settle()
  t.same(order, ['first'])
  held[1]?.release()
  t.not((await first).buffer, (await second).buffer)
  t.same(order, ['first', 'second'])
})

t.test('an oversized arena waits for the memory and gives it back', async (t) => {
  const arenas = pool()
  const small = [await arenas.acquire(1), await arenas.acquire(1)]
  let big = false
  const waiting = arenas.acquire(250).then((arena) => {
    big = true
    return arena
  })
  t.equal(arenas.tryAcquire(1), undefined, 'nobody overtakes who waits')
  small[0]?.release()
  await settle()
  t.notOk(big)
  small[1]?.release()
  const arena = await waiting
  t.equal(arena.buffer.byteLength, 250)
  arena.release()
  t.equal(arenas.inUseBytes, 0)
  t.equal((await arenas.acquire(100)).buffer.byteLength, 100)
})

t.test('refuses what can never fit, and everybody after close', async (t) => {
  const arenas = pool()
  await t.rejects(arenas.acquire(301), { code: 'BATCH_TOO_LARGE' })
  await Promise.all([arenas.acquire(1), arenas.acquire(1), arenas.acquire(1)])
  const waiting = arenas.acquire(1)
  arenas.close()
  await t.rejects(waiting, { code: 'AGENT_CLOSING' })
  await t.rejects(arenas.acquire(1), { code: 'AGENT_CLOSING' })
})

t.test('releasing twice is a bug that shows', async (t) => {
  const arena = await pool().acquire(1)
  arena.release()
  t.throws(() => arena.release())
})
