import t from 'tap'
import { EncodeTurns } from '../../workers/encode-turns.js'

t.test('encodings run one after the other, and other work between their steps', async (t) => {
  const turns = new EncodeTurns()
  const seen: string[] = []
  function* steps(name: string): Generator<void, string, undefined> {
    for (let step = 1; step <= 3; step++) {
      seen.push(`${name}${step}`)
      yield
    }
    return name
  }
  const first = turns.run(() => steps('a'))
  const second = turns.run(() => steps('b'))
  const other = new Promise<void>((resolve) => setImmediate(resolve)).then(() => seen.push('other work'))
  t.same(await Promise.all([first, second]), ['a', 'b'])
  await other
  t.same(
    seen.filter((event) => event !== 'other work'),
    ['a1', 'a2', 'a3', 'b1', 'b2', 'b3'],
  )
  t.ok(seen.indexOf('other work') < seen.indexOf('a3'), `not after all of it: ${seen.join(', ')}`)
})

t.test('a failed encoding does not hold up the next', async (t) => {
  const turns = new EncodeTurns()
  const failed = turns.run<void>(function* () {
    yield
    throw new Error('bad bytes')
  })
  const next = turns.run<number>(function* () {
    yield
    return 1
  })
  await t.rejects(failed, { message: 'bad bytes' })
  t.equal(await next, 1)
})
