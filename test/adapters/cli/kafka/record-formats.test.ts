import t from 'tap'
import { type InputFormat, linesOf, recordOf } from '../../../../adapters/cli/kafka/input-records.js'
import { parseOffsetSpec } from '../../../../adapters/cli/kafka/offset-spec.js'
import { recordJson, recordLine } from '../../../../adapters/cli/kafka/record-text.js'

const plain: InputFormat = { json: false, keySeparator: undefined, nullValue: undefined, headers: {} }

async function lines(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const found: string[] = []
  const input = (async function* () {
    yield* chunks
  })()
  for await (const line of linesOf(input)) found.push(line.toString('latin1'))
  return found
}

t.test('lines, wherever chunks are cut', async (t) => {
  t.strictSame(await lines(), [])
  t.strictSame(await lines('a\nb\n'), ['a', 'b'])
  t.strictSame(await lines('a\n', '\nb'), ['a', '', 'b'])
  t.strictSame(await lines('a', 'b', 'c\nd', ''), ['abc', 'd'])
  t.strictSame(await lines(Uint8Array.of(0xff, 10, 0xfe)), ['\xff', '\xfe'], 'bytes, not text')
})

t.test('records from lines', async (t) => {
  const of = (line: string, format: Partial<InputFormat> = {}) =>
    recordOf(Buffer.from(line), 7, { ...plain, ...format })
  t.match(of('a=b'), { key: undefined, value: Buffer.from('a=b') })
  t.match(of('a::b::c', { keySeparator: '::' }), { key: Buffer.from('a'), value: Buffer.from('b::c') })
  t.match(of('a:', { keySeparator: ':' }), { key: Buffer.from('a'), value: Buffer.alloc(0) })
  t.notOk('value' in of('a:-', { keySeparator: ':', nullValue: '-' }))
  t.strictSame([...of('x', { headers: { h: 'v' } }).headers].map(String), ['h,v'])
  t.match(of('{"key":"k","value":{"a":1},"partition":3}', { json: true }), {
    partition: 3,
    value: Buffer.from('{"a":1}'),
  })
  t.match(of('{"value":"/w==","valueEncoding":"base64"}', { json: true }), { value: Buffer.from([0xff]) })
  t.notOk('value' in of('{"key":"k","value":null}', { json: true }))
  for (const bad of [
    '[]',
    'null',
    '3',
    '{"partition":-1}',
    '{"timestamp":"x"}',
    '{"headers":{}}',
    '{"headers":[{}]}',
  ]) {
    t.throws(() => of(bad, { json: true }), /line 7/, bad)
  }
  t.throws(() => of('{"value":"a","valueEncoding":"hex"}', { json: true }), /valueEncoding must be base64/)
})

t.test('records as text', async (t) => {
  const record = {
    topic: 'events',
    partition: 2,
    offset: 5n,
    timestampMs: 0,
    key: null,
    value: Buffer.from('a\tb\u001b[2J'),
    headers: [{ key: Buffer.from('h'), value: null }],
  }
  t.equal(recordLine(record), '2:5\t1970-01-01T00:00:00.000Z\t-\ta\\tb\\u001b[2J\th=-\n', 'one line, and no control')
  t.equal(
    recordLine({ ...record, timestampMs: -1, headers: [], value: Uint8Array.of(0xff) }),
    '2:5\t-\t-\tbase64:/w==\n',
  )
  t.strictSame(JSON.parse(recordJson({ ...record, value: Uint8Array.of(0xff) })), {
    topic: 'events',
    partition: 2,
    offset: 5,
    timestamp: 0,
    key: null,
    value: '/w==',
    valueEncoding: 'base64',
    headers: [{ key: 'h', value: null }],
  })
})

t.test('places in a log', async (t) => {
  t.strictSame(parseOffsetSpec('earliest'), { kind: 'earliest' })
  t.strictSame(parseOffsetSpec('42'), { kind: 'offset', offset: 42n })
  t.strictSame(parseOffsetSpec('1700000000000'), { kind: 'time', timestampMs: 1_700_000_000_000 })
  t.strictSame(parseOffsetSpec('2024-02-29T12:00:00Z'), { kind: 'time', timestampMs: Date.UTC(2024, 1, 29, 12) })
  for (const bad of ['', '-1', 'now', '12:30', '2024-13-99', '99999999999999999'])
    t.throws(() => parseOffsetSpec(bad), bad)
})
