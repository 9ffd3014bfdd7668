import t from 'tap'
import { formatHostPort, parseHostPort } from '../../../adapters/config/host-port.js'

t.test('addresses are read and written back', async (t) => {
  for (const text of [
    '127.0.0.1:9092',
    'kafka-1.example.org:9092',
    'localhost:0',
    '[::1]:9092',
    '[fe80::1%eth0]:65535',
  ]) {
    const address = parseHostPort(text)
    t.ok(address, text)
    t.equal(address && formatHostPort(address), text)
  }
  t.strictSame(parseHostPort('[::1]:9092'), { host: '::1', port: 9092 })
})

t.test('anything else is refused', async (t) => {
  const wrong = [
    '',
    'localhost',
    ':9092',
    '::1:9092',
    '[::1]',
    '[localhost]:1',
    'a:65536',
    'a:b',
    'a:-1',
    'a b:1',
    'u@h:1',
  ]
  for (const text of wrong) t.equal(parseHostPort(text), undefined, JSON.stringify(text))
})
