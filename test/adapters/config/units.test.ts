import fc from 'fast-check'
import t from 'tap'
import { formatBytes, formatDuration, parseBytes, parseCount, parseDurationMs } from '../../../adapters/config/units.js'

t.test('durations need a unit, except numbers from code', async (t) => {
  t.equal(parseDurationMs('250ms'), 250)
  t.equal(parseDurationMs('1s'), 1_000)
  t.equal(parseDurationMs('1.5s'), 1_500)
  t.equal(parseDurationMs(' 10 m '), 600_000)
  t.equal(parseDurationMs('2h'), 7_200_000)
  t.equal(parseDurationMs('1d'), 86_400_000)
  t.equal(parseDurationMs(40), 40)
  t.equal(parseDurationMs('0'), 0)
  for (const wrong of ['250', 'fast', '', '-1s', '1s2', '1e3ms', 's', '1.ms', '1MB']) {
    t.equal(parseDurationMs(wrong), undefined, JSON.stringify(wrong))
  }
  t.equal(parseDurationMs(Number.NaN), undefined)
  t.equal(parseDurationMs(-1), undefined)
})

t.test('bytes count in thousands or in 1024s, as written', async (t) => {
  t.equal(parseBytes('8MiB'), 8 * 2 ** 20)
  t.equal(parseBytes('512MB'), 512e6)
  t.equal(parseBytes('1 gib'), 2 ** 30)
  t.equal(parseBytes('1048588'), 1_048_588)
  t.equal(parseBytes('10B'), 10)
  t.equal(parseBytes(7), 7)
  for (const wrong of ['8 Mi', 'MiB', '-1', '1s', '99999999TiB', '0x10']) t.equal(parseBytes(wrong), undefined, wrong)
})

t.test('counts are whole', async (t) => {
  t.equal(parseCount('12'), 12)
  t.equal(parseCount(3), 3)
  for (const wrong of ['1.5', '', '1k', '-2']) t.equal(parseCount(wrong), undefined, JSON.stringify(wrong))
})

t.test('what is written back is read back', async () => {
  const size = fc.oneof(
    fc.nat(),
    fc.nat({ max: 2 ** 20 }).map((count) => count * 2 ** 20),
  )
  fc.assert(fc.property(size, (bytes) => parseBytes(formatBytes(bytes)) === bytes))
  const time = fc.oneof(
    fc.nat(),
    fc.nat({ max: 1e6 }).map((count) => count * 1000),
  )
  fc.assert(fc.property(time, (durationMs) => parseDurationMs(formatDuration(durationMs)) === durationMs))
})

t.test('values are written in their largest whole unit', async (t) => {
  t.equal(formatDuration(250), '250ms')
  t.equal(formatDuration(600_000), '10m')
  t.equal(formatBytes(8 * 2 ** 20), '8MiB')
  t.equal(formatBytes(1_048_588), '1048588')
})
