import t from 'tap'
import { partitionPoint } from '../../../engine/fetch/partition-point.js'

t.test('counts the items that come before', async (t) => {
  for (let length = 0; length < 6; length++) {
    const items = Array.from({ length }, (_, number) => number)
    for (let point = 0; point <= length; point++)
      t.equal(
        partitionPoint(items, (item) => item < point),
        point,
      )
  }
})
