import t from 'tap'
import { ByteLru } from '../../../engine/fetch/byte-lru.js'

t.test('the least recently used values make room', async (t) => {
  const lru = new ByteLru<string>(10)
  lru.put('a', 'A', 4)
  lru.put('b', 'B', 4)
  lru.get('a')
  lru.put('c', 'C', 4)
  t.same([lru.get('a'), lru.get('b'), lru.get('c')], ['A', undefined, 'C'])
  t.equal(lru.bytes, 8)
})

t.test('who keeps them may know better which value makes room', async (t) => {
  let asked: string[] = []
  const lru = new ByteLru<string>(10, (keys) => {
    asked = [...keys]
    return asked.find((key) => key !== 'a')
  })
  for (const key of ['a', 'b', 'c']) lru.put(key, key, 4)
  t.same(asked, ['a', 'b', 'c'], 'least recently used first')
  t.same([...lru.keys()], ['a', 'c'])
  lru.put('a', 'a', 4)
  lru.put('d', 'd', 10)
  t.same([...lru.keys()], ['a'], 'as many as it takes')
  const undecided = new ByteLru<string>(4, () => undefined)
  undecided.put('a', 'a', 4)
  undecided.put('b', 'b', 4)
  t.same([...undecided.keys()], ['b'])
})

t.test('a value put again is weighed again; one that can never fit is not kept', async (t) => {
  const lru = new ByteLru<string>(10)
  lru.put('a', 'A', 4)
  lru.put('a', 'AA', 8)
  t.equal(lru.bytes, 8)
  lru.put('a', 'AAA', 11)
  t.equal(lru.get('a'), undefined)
  t.equal(lru.bytes, 0)
  lru.put('b', 'B', 10)
  t.ok(lru.delete('b'))
  t.notOk(lru.delete('b'))
  lru.put('c', 'C', 1)
  lru.clear()
  t.same([lru.count, lru.bytes], [0, 0])
})
