import t from 'tap'
import { checkHistory } from './checker.js'
import type { HistoryEvent, HistoryFact, ReadBatch } from './history.js'

/** A run of one idempotent and one plain producer that keeps every promise: two commits, two partitions. */
const batches = {
  a0: read('a', 0, 0, 0, 2),
  a1: read('a', 1, 1, 2, 3),
  b0: read('b', 0, 0, 3, 4),
  a0other: read('a', 0, 0, 0, 1),
}
const EVENTS: readonly HistoryFact[] = [
  send('a', true, 1, 0, [sent(batches.a0, 0), sent(batches.a0other, 1)]),
  send('a', true, 1, 1, [sent(batches.a1, 0)]),
  send('b', false, 2, 0, [sent(batches.b0, 0)]),
  commit('s1', true, [0, 0, 2], [1, 0, 1]),
  answer('a', 0, [0, 0, 0], [1, 0, 0]),
  commit('s2', true, [0, 2, 4]),
  answer('a', 1, [0, 1, 2]),
  answer('b', 0, [0, 0, 3]),
  poll(0, 0, 4, [batches.a0, batches.a1, batches.b0]),
  { kind: 'producer-done', client: 'a', undone: 0 },
  finalLog('one', 0, [batches.a0, batches.a1, batches.b0]),
  finalLog('one', 1, [batches.a0other]),
  finalLog('two', 0, [batches.a0, batches.a1, batches.b0]),
  finalLog('two', 1, [batches.a0other]),
  { kind: 'final-store', objectKeys: ['s1', 's2'], committedKeys: ['s1', 's2'] },
]

t.test('a history that keeps the promises passes', async (t) => {
  t.strictSame(check(EVENTS), [])
})

t.test('each broken promise is told', async (t) => {
  const { a0, a1, b0 } = batches
  const cases: readonly [string, readonly HistoryFact[], RegExp][] = [
    ['an acknowledged batch is lost', withLog([a0, { ...b0, baseOffset: 2, endOffset: 3 }]), /batch 1 of a.* is lost/],
    ['it is at another offset', withEvent(answer('b', 0, [0, 0, 2])), /is not at offset 2/],
    ['its bytes differ', withLog([a0, a1, { ...b0, crc: 99 }]), /has other bytes than were sent/],
    ['a batch comes from nowhere', withLog([a0, a1, b0, read('c', 0, 0, 4, 5)]), /was never sent there/],
    ['an attempt is stored twice', withLog([a0, a1, b0, { ...b0, baseOffset: 4, endOffset: 5 }]), /is stored twice/],
    ['a sequence is stored again', withLog([a0, a1, b0, read('a', 1, 1, 4, 5)]), /is stored again or late/],
    ['sequences change places', withLog([read('a', 1, 1, 0, 1), read('a', 0, 0, 1, 3), b0]), /comes before batch 0/],
    [
      'a connection changes places',
      withLog([read('a', 1, 1, 0, 1), read('a', 0, 0, 1, 3), b0]),
      /was sent before what/,
    ],
    ['offsets have a hole', withLog([a0, { ...a1, baseOffset: 3, endOffset: 4 }]), /3 follows 1/],
    ['the log ends early', withLog([a0, a1]), /ends at 3, its high watermark is 4/],
    ['an offset is given twice', withEvent(commit('s3', true, [0, 3, 4])), /gave offset 3 .* not 4/],
    ['data is not durable', withEvent(commit('s3', false, [0, 4, 5])), /is not in the store/],
    ['agents disagree', withEvent(finalLog('three', 0, [a0, a1])), /read different logs/],
    ['a consumer is told too much', withEvent(poll(0, 0, 3, [a0, a1])), /told the high watermark 4, committed is 3/],
    ['a consumer reads too early', withEvent(poll(0, 0, 2, [a0, a1])), /read 2 before its commit/],
    ['a consumer misses a batch', withEvent(poll(0, 0, 4, [a0, b0])), /read what is not in the log/],
    ['a producer is stuck', withEvent({ kind: 'producer-done', client: 'a', undone: 2 }), /cannot get 2 batches/],
    ['a log cannot be read', withEvent({ kind: 'unreadable', reader: 'r', partition: 0, error: 'E' }), /cannot read/],
    [
      'an object is missing',
      withEvent({ kind: 'final-store', objectKeys: ['s1'], committedKeys: ['s1', 's2'] }),
      /s2 is committed and not in the store/,
    ],
    ['an orphan stays', withEvent({ kind: 'final-store', objectKeys: ['x'], committedKeys: [] }), /x is an orphan/],
  ]
  for (const [name, events, expected] of cases) {
    t.match(check(events).join('\n'), expected, name)
  }
})

t.test('a log that begins later is whole from there on', async (t) => {
  const { a0, a1, b0 } = batches
  const cut = (offset: number, log: readonly ReadBatch[]) => {
    const extents = [
      { baseOffset: 0, endOffset: 2, segmentId: 's1' },
      { baseOffset: 2, endOffset: 4, segmentId: 's2' },
    ]
    const other = [{ baseOffset: 0, endOffset: 1, segmentId: 's1' }]
    const layout: HistoryFact = {
      kind: 'layout',
      cause: 'delete-records',
      partitions: [
        { partition: 0, logStartOffset: offset, highWatermark: 4, extents },
        { partition: 1, logStartOffset: 0, highWatermark: 1, extents: other },
      ],
      missing: [],
    }
    const events = withLog(log).map((event) => {
      return event.kind === 'final-log' && event.partition === 0 ? { ...event, logStartOffset: offset } : event
    })
    const place = events.findIndex(({ kind }) => kind === 'producer-done')
    return [...events.slice(0, place), layout, ...events.slice(place)]
  }
  const told = (fromOffset: number, toldLogStartOffset: number): HistoryFact => {
    const range = { fromOffset, toldLogStartOffset, logStartOffset: 2 }
    return { kind: 'out-of-range', consumer: 'c', partition: 0, ...range }
  }
  t.strictSame(check(cut(2, [a1, b0])), [])
  t.strictSame(check(cut(1, [a0, a1, b0])), [], 'inside a batch, which is still read whole')
  t.strictSame(check(cut(4, [])), [], 'with nothing left')
  t.strictSame(check([...cut(2, [a1, b0]), told(1, 2)]), [])
  t.match(check(cut(2, [b0])).join('\n'), /batch 1 of a.* is lost/)
  t.match(check(cut(2, [a0, a1, b0])).join('\n'), /a batch below the log start 2 is read/)
  t.match(check([...cut(2, [a1, b0]), told(2, 2)]).join('\n'), /was told that partition 0 begins at 2/)
  t.match(check([...cut(2, [a1, b0]), told(0, 3)]).join('\n'), /was told that partition 0 begins at 3/)
  const other = poll(0, 0, 4, [{ ...a0, crc: 99 }])
  t.match(check([...cut(2, [a1, b0]), other]).join('\n'), /0 has other bytes/, 'below the log start, too')
})

t.test('a request that becomes visible in two commits is told', async (t) => {
  const events = EVENTS.flatMap((event) => {
    if (event.kind !== 'commit' || event.segments[0]?.segmentId !== 's1') return [event]
    return [commit('s1', true, [0, 0, 2]), commit('s1b', true, [1, 0, 1])]
  })
  t.match(check(events).join('\n'), /request 0 of a was half visible/)
})

function check(facts: readonly HistoryFact[]): string[] {
  const highWatermarks = [0, 0]
  const events = facts.map((fact, atMs): HistoryEvent => {
    if (fact.kind !== 'commit') return { atMs, ...fact }
    for (const { extents } of fact.segments) {
      for (const { partition, endOffset } of extents) highWatermarks[partition] = endOffset
    }
    return { atMs, ...fact, highWatermarks: [...highWatermarks] }
  })
  return checkHistory(events)
}

function withEvent(event: HistoryFact): HistoryFact[] {
  return [...EVENTS, event]
}

/** The same history with another log of partition 0. */
function withLog(log: readonly ReadBatch[]): HistoryFact[] {
  return EVENTS.map((event) => {
    return event.kind === 'final-log' && event.partition === 0 ? finalLog(event.agent, 0, log) : event
  })
}

function read(client: string, request: number, number: number, baseOffset: number, endOffset: number): ReadBatch {
  return { client, request, number, baseOffset, endOffset, crc: 10 * request + number }
}

function sent({ client, request, number, baseOffset, endOffset, crc }: ReadBatch, partition: number) {
  return { client, request, number, partition, recordCount: endOffset - baseOffset, crc }
}

function send(
  client: string,
  idempotent: boolean,
  connection: number,
  request: number,
  sentBatches: readonly ReturnType<typeof sent>[],
): HistoryFact {
  return { kind: 'send', client, idempotent, connection, agent: 'one', request, batches: sentBatches }
}

function answer(client: string, request: number, ...results: readonly [number, number, number][]): HistoryFact {
  return {
    kind: 'answer',
    client,
    request,
    results: results.map(([partition, number, baseOffset]) => ({ partition, number, baseOffset, error: undefined })),
  }
}

function commit(segmentId: string, durable: boolean, ...extents: readonly [number, number, number][]): HistoryFact {
  const facts = extents.map(([partition, baseOffset, endOffset]) => ({ partition, baseOffset, endOffset }))
  return { kind: 'commit', segments: [{ segmentId, durable, extents: facts }], highWatermarks: [] }
}

function poll(
  partition: number,
  fromOffset: number,
  committedHighWatermark: number,
  polled: readonly ReadBatch[],
): HistoryFact {
  const reader = { consumer: 'c', agent: 'one' }
  return { kind: 'poll', ...reader, partition, fromOffset, highWatermark: 4, committedHighWatermark, batches: polled }
}

function finalLog(agent: string, partition: number, log: readonly ReadBatch[]): HistoryFact {
  return {
    kind: 'final-log',
    agent,
    partition,
    logStartOffset: 0,
    highWatermark: partition === 0 ? 4 : 1,
    batches: log,
  }
}
