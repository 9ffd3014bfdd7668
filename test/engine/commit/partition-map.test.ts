import t from 'tap'
import { PartitionMap } from '../../../engine/commit/partition-map.js'

t.test('values by topic and partition', async (t) => {
  const map = new PartitionMap<string>()
  t.equal(map.get('orders', 0), undefined)
  map.set('orders', 0, 'a')
  map.set('orders', 1, 'b')
  map.set('payments', 0, 'c')
  map.set('orders', 0, 'd')
  t.same([map.get('orders', 0), map.get('orders', 1), map.get('payments', 0)], ['d', 'b', 'c'])
  t.equal(map.get('payments', 1), undefined)
})
