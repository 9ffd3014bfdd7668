import t from 'tap'
import { findViolations, type Observation, type Poll, recordValue, type Send, type ViolationKind } from './checker.js'

const send = (sequence: number, change: Partial<Send> = {}): Send => ({
  producer: 'p',
  idempotent: true,
  partition: 0,
  sequence,
  outcome: 'acknowledged',
  ...change,
})
const sends = [send(0), send(1), send(2)]
const log = (...values: readonly string[]): Observation[] =>
  values.map((value, offset) => ({ partition: 0, offset, value }))
const read = (records: readonly Observation[], reader = 'r'): Poll => ({ reader, records })
const [a, b, c] = sends.map(recordValue) as [string, string, string]
const kinds = (polls: readonly Poll[], final: Poll, sent: readonly Send[] = sends): ViolationKind[] =>
  findViolations(sent, polls, final).map(({ kind }) => kind)

t.same(kinds([read(log(a)), read(log(a, b))], read(log(a, b, c))), [], 'a good history')
t.same(kinds([], read(log(a, b))), ['lost'])
t.same(kinds([], read(log(a, b)), [send(0), send(1), send(2, { outcome: 'unknown' })]), [], 'unknown may be absent')
t.same(kinds([], read(log(a, b, c, c))), ['duplicate'])
const plain = sends.map((each) => ({ ...each, idempotent: false }))
t.same(kinds([], read(log(a, b, c, c)), plain), [], 'a plain producer may store twice')
t.same(kinds([read(log(b))], read(log(a, b, c))), ['two-values'])
t.same(kinds([read(log(a, b)), read(log(a))], read(log(a, b, c))), ['backwards'])
t.same(kinds([read(log(a, b, c))], read(log(a, b)), [send(0), send(1)]), ['backwards'])
t.same(kinds([read(log(a, b), 'r'), read(log(a), 's')], read(log(a, b, c))), [], 'readers are apart')
t.same(kinds([], read(log(a, c, b))), ['order'])
const pipelined = (idempotent: boolean) => sends.map((each) => ({ ...each, idempotent, pipelined: true }))
t.same(kinds([], read(log(a, c, b)), pipelined(true)), ['order'], 'idempotence keeps the order of what is in flight')
t.same(kinds([], read(log(a, c, b)), pipelined(false)), [], 'and nothing else does')
t.same(kinds([], read(log(a, b, c).map((each) => ({ ...each, offset: each.offset * 2 })))), ['gap', 'gap'])
t.same(kinds([], read(log(a, b, c, 'q/0/0'))), ['invented'])
