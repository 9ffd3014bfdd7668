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

t.test('a kept arena stays as it is until the budget is needed, the oldest goes first', async (t) => {
  const arenas = new ArenaPool({ arenaBytes: 100, budgetBytes: 400, metrics: NO_METRICS })
  const reclaimed: string[] = []
  const kept = await Promise.all(['a', 'b'].map(async (name) => ({ name, arena: await arenas.acquire(1) })))
  for (const { name, arena } of kept) {
    arena.keep(() => reclaimed.push(name))
    arena.release()
  }
  t.equal(arenas.inUseBytes, 0)
  const others = [await arenas.acquire(1), await arenas.acquire(1)]
  t.same(reclaimed, [], 'there was other memory')
  t.notOk(others.some(({ buffer }) => kept.some(({ arena }) => arena.buffer === buffer)))
  t.equal((await arenas.acquire(1)).buffer, kept[0]?.arena.buffer)
  t.same(reclaimed, ['a'])
  t.equal((await arenas.acquire(1)).buffer, kept[1]?.arena.buffer)
  t.same(reclaimed, ['a', 'b'])
  t.equal(arenas.inUseBytes, 400)
})

t.test('no more than half of the budget is kept, and nothing from those who wait', async (t) => {
  const arenas = pool()
  const reclaimed: number[] = []
  const held = [await arenas.acquire(1), await arenas.acquire(1), await arenas.acquire(1)]
  const waiting = arenas.acquire(1)
  for (const [number, arena] of held.entries()) {
    arena.keep(() => reclaimed.push(number))
    arena.release()
  }
  t.equal((await waiting).buffer, held[0]?.buffer)
  t.same(reclaimed, [0, 1], 'one for who waited, one because two are more than half')
})

t.test('an oversized kept arena gives its memory back', async (t) => {
  const arenas = new ArenaPool({ arenaBytes: 100, budgetBytes: 600, metrics: NO_METRICS })
  let reclaimed = false
  const big = await arenas.acquire(250)
  big.keep(() => {
    reclaimed = true
  })
  big.release()
  t.notOk(reclaimed)
  t.equal((await arenas.acquire(550)).buffer.byteLength, 550)
  t.ok(reclaimed)
})

t.test('nothing is kept by a pool that closes', async (t) => {
  const arenas = pool()
  let reclaimedCount = 0
  const [first, second] = [await arenas.acquire(1), await arenas.acquire(1)]
  for (const arena of [first, second]) arena.keep(() => reclaimedCount++)
  first.release()
  arenas.close()
  t.equal(reclaimedCount, 1)
  second.release()
  t.equal(reclaimedCount, 2)
})
