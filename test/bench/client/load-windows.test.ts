import t from 'tap'
import { LoadWindows } from '../../../bench/client/load-windows.js'

t.test('bytes count where they were acknowledged, latencies where they were due', async (t) => {
  const windows = new LoadWindows(2, 2_000)
  windows.acknowledged(0, 1, 1, 1)
  windows.start(10_000)
  windows.acknowledged(9_990, 10_010, 100, 1)
  windows.acknowledged(10_500, 11_500, 200, 2)
  windows.acknowledged(11_900, 14_900, 400, 4)
  const [first, second] = windows.results()
  t.strictSame([first?.bytes, first?.acknowledged.count], [100, 1], 'what was due before the start has no latency')
  t.strictSame([second?.bytes, second?.acknowledged.count], [200, 1], 'what was answered after the end has no bytes')
  const late = second?.acknowledged.p99Ms ?? 0
  t.ok(Math.abs(late - 3_000) < 10, 'but its latency counts in full')
  t.equal(windows.total().bytes, 300)
})
