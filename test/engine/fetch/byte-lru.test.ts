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
