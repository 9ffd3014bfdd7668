import t from 'tap'
import { ByteGate } from '../../../engine/fetch/byte-gate.js'
import { settle } from '../../support/virtual-clock.js'

const never = new AbortController().signal

t.test('shares are given in order, as long as they fit', async (t) => {
  const gate = new ByteGate(10)
  const admitted: string[] = []
  const release = await gate.acquire(6, never)
  const big = gate.acquire(8, never).then((give) => {
    admitted.push('big')
    return give
  })
  const small = gate.acquire(2, never).then((give) => {
    admitted.push('small')
    return give
  })
  await settle()
  t.same(admitted, [], 'the small one would fit, but came later')
  release()
  release()
  await settle()
  t.same(admitted, ['big', 'small'])
  t.equal(gate.bytesHeld, 10)
  for (const give of await Promise.all([big, small])) give()
  t.equal(gate.bytesHeld, 0)
})

t.test('more than the whole waits for its turn alone', async (t) => {
  const gate = new ByteGate(10)
  const give = await gate.acquire(1000, never)
  t.equal(gate.bytesHeld, 10)
  give()
  t.equal(gate.bytesHeld, 0)
})

t.test('who gives up frees the way for those behind', async (t) => {
  const gate = new ByteGate(10)
  const give = await gate.acquire(5, never)
  const leaving = new AbortController()
  const left = gate.acquire(9, leaving.signal)
  const next = gate.acquire(5, never)
  leaving.abort(new Error('gone'))
  await t.rejects(left, { message: 'gone' })
  for (const release of [give, await next]) release()
  t.equal(gate.bytesHeld, 0)
})

t.test('who gives up at the moment of admission gives the share back', async (t) => {
  const gate = new ByteGate(10)
  const give = await gate.acquire(10, never)
  const leaving = new AbortController()
  const left = gate.acquire(10, leaving.signal)
  leaving.abort(new Error('gone'))
  give()
  await t.rejects(left)
  t.equal(gate.bytesHeld, 0)
})
