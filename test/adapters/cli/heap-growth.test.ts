import t from 'tap'
import { heapGrowingPercent } from '../../../adapters/cli/heap-growth.js'

const MIB = 1024 * 1024

t.test('small heaps may grow by a fixed number of bytes', (t) => {
  t.equal(heapGrowingPercent(64 * MIB), 100)
  t.equal(heapGrowingPercent(32 * MIB), 200)
  t.equal(heapGrowingPercent(128 * MIB), 50)
  t.end()
})

t.test('none by more than V8 lets any', (t) => {
  t.equal(heapGrowingPercent(1 * MIB), 300)
  t.equal(heapGrowingPercent(20 * MIB), 300)
  t.end()
})

t.test('large ones are left to V8', (t) => {
  t.equal(heapGrowingPercent(129 * MIB), 0)
  t.equal(heapGrowingPercent(4096 * MIB), 0)
  t.end()
})
