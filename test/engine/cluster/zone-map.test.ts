import t from 'tap'
import { ZoneMap } from '../../../engine/cluster/zone-map.js'

t.test('the longest prefix wins, in both address families', async (t) => {
  const map = ZoneMap.parse('10.0.0.0/8=wide, 10.1.0.0/16=a,10.1.2.0/24=b,fd00::/8=six,')
  t.equal(map.zoneOf('10.9.9.9'), 'wide')
  t.equal(map.zoneOf('10.1.9.9'), 'a')
  t.equal(map.zoneOf('10.1.2.3'), 'b')
  t.equal(map.zoneOf('::ffff:10.1.2.3'), 'b', 'as a dual-stack socket shows it')
  t.equal(map.zoneOf('fd00::1'), 'six')
  t.equal(map.zoneOf('192.168.0.1'), null)
  t.equal(map.zoneOf('::1'), null)
  t.equal(map.zoneOf(''), null)
  t.equal(ZoneMap.parse('').zoneOf('10.0.0.1'), null)
})

t.test('a wrong entry is named', async (t) => {
  for (const entry of [
    '10.0.0.0=a',
    '10.0.0.0/33=a',
    '10.0.0.0/8',
    '10.0.0.0/8=',
    '10.0.0.0/8=a b',
    '10.0.0.0/8=a=b',
  ]) {
    t.throws(() => ZoneMap.parse(`10.0.0.0/8=ok,${entry}`), { code: 'CONFIG_INVALID', message: entry })
  }
})
