import t from 'tap'
import { DELETION_GRACE_MS, type HistoryEvent, type HistoryFact, type LayoutCause } from './history.js'
import { checkLayouts } from './layout-checker.js'

type Extents = readonly (readonly [baseOffset: number, endOffset: number, segmentId: string])[]

/** Three commits, a compaction of two of them, a cut inside its output, and retention; what is dead goes after its grace. */
const STORY: readonly HistoryEvent[] = [
  at(0, commit('a', 0, 2)),
  at(1, commit('b', 2, 4)),
  at(2, commit('c', 4, 6)),
  at(3, layout('swap', 0, [0, 4, 'ab'], [4, 6, 'c'])),
  at(4, layout('delete-records', 3, [0, 4, 'ab'], [4, 6, 'c'])),
  at(5, layout('retention', 4, [0, 4, 'ab'], [4, 6, 'c'])),
  at(6, layout('removal', 4, [4, 6, 'c'])),
  at(10 + DELETION_GRACE_MS, { kind: 'object-deleted', segmentId: 'a' }),
  at(10 + DELETION_GRACE_MS, { kind: 'object-deleted', segmentId: 'ab' }),
  at(11 + DELETION_GRACE_MS, { kind: 'object-deleted', segmentId: 'an orphan' }),
  at(5000, { kind: 'final-log', agent: 'one', partition: 0, logStartOffset: 4, highWatermark: 6, batches: [] }),
  at(5000, { kind: 'final-store', objectKeys: ['c'], committedKeys: ['c'] }),
]

t.test('jobs that keep the promises pass', async (t) => {
  t.strictSame(checkLayouts(STORY), [])
})

t.test('each promise that jobs break is told', async (t) => {
  const compacted: Extents = [
    [0, 4, 'ab'],
    [4, 6, 'c'],
  ]
  const cases: readonly [string, number, HistoryFact, RegExp][] = [
    ['a swap loses offsets', 3, layout('swap', 0, [0, 2, 'a'], [4, 6, 'c']), /the extent from 4 on follows 1/],
    ['it loses the first', 3, layout('swap', 0, [2, 4, 'b'], [4, 6, 'c']), /the extent from 2 on follows -1/],
    ['it loses the last', 3, layout('swap', 0, [0, 4, 'ab']), /its extents end at 4, its high watermark is 6/],
    ['it comes twice', 3, layout('swap', 0, [0, 4, 'x'], ...compacted), /the extent from 0 on follows 3/],
    ['it moves the log start', 3, layout('swap', 2, ...compacted), /the log start went from 0 to 2/],
    ['the log start goes back', 5, layout('retention', 2, ...compacted), /the log start went from 3 to 2/],
    ['it goes beyond the end', 5, layout('retention', 7, ...compacted), /the log start went from 3 to 7/],
    ['readable extents go', 5, layout('removal', 3, [4, 6, 'c']), /the extent from 4 on follows 2/],
    [
      'an output is not durable',
      3,
      { ...layout('swap', 0, ...compacted), missing: ['ab'] },
      /leaves ab, which is not in the store/,
    ],
    ['a live object goes', 3, { kind: 'object-deleted', segmentId: 'a' }, /a was deleted with extents pointing at it/],
    ['a dead one goes too early', 4, { kind: 'object-deleted', segmentId: 'b' }, /within its grace/],
    ['an orphan becomes live', 3, { kind: 'object-deleted', segmentId: 'ab' }, /ab became live after it was deleted/],
    [
      'the dead live again',
      4,
      layout('swap', 0, [0, 2, 'a'], [2, 4, 'b'], [4, 6, 'c']),
      /a was dead and is live again/,
    ],
    [
      'an agent reads from elsewhere',
      20,
      { kind: 'final-log', agent: 'one', partition: 0, logStartOffset: 3, highWatermark: 6, batches: [] },
      /reads partition 0 from 3, its log start is 4/,
    ],
    [
      'the catalog miscounts',
      20,
      { kind: 'final-store', objectKeys: [], committedKeys: [] },
      /c has extents and does not count as live/,
    ],
    ['it counts the dead', 20, { kind: 'final-store', objectKeys: [], committedKeys: ['c', 'b'] }, /they would stay/],
  ]
  for (const [name, place, fact, expected] of cases) {
    const story = [...STORY]
    story.splice(place, 0, at(story[place]?.atMs ?? 6000, fact))
    t.match(checkLayouts(story).join('\n'), expected, name)
  }
})

function at(atMs: number, fact: HistoryFact): HistoryEvent {
  return { atMs, ...fact }
}

function commit(segmentId: string, baseOffset: number, endOffset: number): HistoryFact {
  const extents = [{ partition: 0, baseOffset, endOffset }]
  return { kind: 'commit', segments: [{ segmentId, durable: true, extents }], highWatermarks: [endOffset] }
}

function layout(cause: LayoutCause, logStartOffset: number, ...extents: Extents) {
  const facts = extents.map(([baseOffset, endOffset, segmentId]) => ({ baseOffset, endOffset, segmentId }))
  const partitions = [{ partition: 0, logStartOffset, highWatermark: 6, extents: facts }]
  return { kind: 'layout' as const, cause, partitions, missing: [] }
}
