import { hostname } from 'node:os'
import t from 'tap'
import { advertisedAddress, loadOptions, resolveConfig } from '../../../adapters/config/index.js'
import { isHeadraceError } from '../../../engine/errors.js'

const listenersOf = (listen: string, advertise?: string) =>
  resolveConfig({ listen, ...(advertise === undefined ? {} : { advertise }) }).listeners

function messageOf(listen: string, advertise?: string): string {
  try {
    loadOptions({ flags: { listen, advertise }, env: {} })
  } catch (error) {
    if (isHeadraceError(error, 'CONFIG_INVALID')) return error.message
    throw error
  }
  return 'accepted'
}

t.test('one listener needs no name', async (t) => {
  const listen = { host: '0.0.0.0', port: 9092 }
  t.same(listenersOf('0.0.0.0:9092'), [{ name: 'default', listen, advertise: null }])
  const advertise = { host: 'a.example', port: 9000 }
  t.same(listenersOf('0.0.0.0:9092', 'a.example:9000'), [{ name: 'default', listen, advertise }])
  t.same(listenersOf('Plain://0.0.0.0:9092', 'PLAIN://a.example:9000'), [{ name: 'plain', listen, advertise }])
  t.same(listenersOf('plain://0.0.0.0:9092', 'a.example:9000'), [{ name: 'plain', listen, advertise }])
})

t.test('several, each with its advertised address or without', async (t) => {
  t.same(
    listenersOf('internal://10.0.0.1:9092, external://[::]:19092', 'EXTERNAL://a.example:443'),
    [
      { name: 'internal', listen: { host: '10.0.0.1', port: 9092 }, advertise: null },
      { name: 'external', listen: { host: '::', port: 19_092 }, advertise: { host: 'a.example', port: 443 } },
    ],
    'by name',
  )
  t.same(
    listenersOf('127.0.0.1:1,127.0.0.1:2', 'a.example:1,b.example:2').map(({ name, advertise }) => [name, advertise]),
    [
      ['default', { host: 'a.example', port: 1 }],
      ['listener-2', { host: 'b.example', port: 2 }],
    ],
    'by place',
  )
  t.equal(listenersOf('127.0.0.1:0,127.0.0.1:0').length, 2, 'free ports are not the same')
})

t.test('what is wrong is said', async (t) => {
  const both = 'internal://127.0.0.1:1,external://127.0.0.1:2'
  for (const listen of [
    '',
    'a',
    'a://',
    'a://h',
    'a b://h:1',
    'h:1,',
    'a://h:1,a://h:2',
    'a://h:1,b://h:1',
    'h:70000',
  ]) {
    t.match(messageOf(listen), `--listen: got ${JSON.stringify(listen)}, expected HOST:PORT, or a comma-separated`)
  }
  t.match(messageOf('h:1,default://h:2'), 'a name of its own for each listener, and two are called default')
  t.match(messageOf(both, 'outside://h:1'), 'and there is no outside: the listeners are internal, external')
  t.match(messageOf(both, 'h:1,i:1,j:1'), '--advertise: got "h:1,i:1,j:1", expected no more addresses than listen has')
  t.match(messageOf(both, 'h:1,internal://i:1'), 'one address per listener, and internal has two')
  t.match(messageOf(both, 'internal://h:0'), '--advertise: got "internal://h:0", expected')
  t.equal(messageOf(both, 'internal://h:1,external://h:2'), 'accepted')
})

t.test('the advertised address is one that clients can use', async (t) => {
  const none = { advertise: null }
  t.strictSame(advertisedAddress(none, { host: '127.0.0.1', port: 4 }), { host: '127.0.0.1', port: 4 })
  t.strictSame(advertisedAddress(none, { host: '0.0.0.0', port: 4 }), { host: hostname(), port: 4 })
  t.strictSame(advertisedAddress(none, { host: '::', port: 4 }), { host: hostname(), port: 4 })
  const chosen = { host: 'broker.example.org', port: 9092 }
  t.strictSame(advertisedAddress({ advertise: chosen }, { host: '0.0.0.0', port: 4 }), chosen)
})
