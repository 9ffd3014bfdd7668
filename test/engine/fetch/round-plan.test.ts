import t from 'tap'
import { chunkKey } from '../../../engine/fetch/chunk-cache.js'
import type { HeldChunks } from '../../../engine/fetch/chunk-holds.js'
import type { ChunkState } from '../../../engine/fetch/open-chunks.js'
import {
  chunksAhead,
  type PlanPartition,
  planRound,
  type RoundLimits,
  readBytesBound,
} from '../../../engine/fetch/round-plan.js'
import type { Extent } from '../../../engine/ports/catalog.js'
import { extentOf } from '../../support/extents.js'

const unlimited = {
  bytesLeft: 1e9,
  loadBytesLeft: 1e9,
  segmentsMax: 1e9,
  openChunksMax: 1e9,
  isDueForced: false,
  lookaheadBytes: 1e9,
}
const NOTHING_LOADED: ChunkState = {
  chunkBytes: 1000,
  isLoaded: () => false,
  isLagging: () => true,
  isRecent: () => false,
  loadedKeys: () => [],
}
const NOTHING_HELD: HeldChunks = { isHeld: () => false }

function partitionOf(extents: readonly Extent[], rest: Partial<PlanPartition> = {}): PlanPartition {
  return { nextOffset: 0, bytesLeft: 1e6, dueCount: 0, extents, ...rest }
}

/** Partition, base offset and byte limit of each read. */
const reads = (
  partitions: readonly PlanPartition[],
  limits: RoundLimits,
  state = NOTHING_LOADED,
  held = NOTHING_HELD,
) =>
  planRound(partitions, limits, state, held).map(({ partition, extent, bytesMax }) => [
    partition,
    extent.baseOffset,
    bytesMax,
  ])

/** Partition and base offset of each read. */
const places = (...args: Parameters<typeof reads>) => reads(...args).map((read) => read.slice(0, 2))

t.test('nothing to read, nothing planned', async (t) => {
  t.same(reads([], unlimited), [])
  t.same(reads([partitionOf([])], unlimited), [])
})

t.test('oldest segments first, each from its beginning, until the budgets are spent', async (t) => {
  const first = [
    extentOf(0, 10, { segmentId: 'a', position: 9000 }),
    extentOf(10, 20, { segmentId: 'b', position: 9000 }),
    extentOf(20, 30, { segmentId: 'c', position: 9000 }),
  ]
  const second = [
    extentOf(50, 60, { segmentId: 'a', position: 100 }),
    extentOf(60, 70, { segmentId: 'b', position: 100 }),
  ]
  const partitions = [partitionOf(first, { bytesLeft: 1500 }), partitionOf([]), partitionOf(second)]
  t.same(reads(partitions, unlimited), [
    [2, 50, 1e6],
    [0, 0, 1500],
    [2, 60, 999_000],
    [0, 10, 500],
  ])
  t.same(reads(partitions, { ...unlimited, bytesLeft: 1800 }), [
    [2, 50, 1800],
    [0, 0, 800],
  ])
})

t.test('a partition keeps the order of its offsets where segments were committed in another order', async (t) => {
  const extents = [
    extentOf(0, 10, { segmentId: 'b', position: 5000 }),
    extentOf(10, 20, { segmentId: 'a', position: 100 }),
    extentOf(20, 30, { segmentId: 'c', position: 50 }),
  ]
  t.same(places([partitionOf(extents)], unlimited), [
    [0, 0],
    [0, 10],
    [0, 20],
  ])
})

t.test('a partition that is due comes first, with one extent', async (t) => {
  const old = partitionOf([extentOf(0, 10, { segmentId: 'a' }), extentOf(10, 20, { segmentId: 'b' })])
  const due = partitionOf([extentOf(50, 60, { segmentId: 'y' }), extentOf(60, 70, { segmentId: 'z' })], { dueCount: 8 })
  t.same(places([old, due], unlimited), [
    [1, 50],
    [0, 0],
    [0, 10],
    [1, 60],
  ])
})

t.test('a partition whose next segment is one too many waits, those in segments already read go on', async (t) => {
  const shared = [extentOf(0, 10, { segmentId: 'a' }), extentOf(10, 20, { segmentId: 'a' })]
  const other = [extentOf(50, 60, { segmentId: 'b' }), extentOf(60, 70, { segmentId: 'c' })]
  t.same(places([partitionOf(shared), partitionOf(other)], { ...unlimited, segmentsMax: 1 }), [
    [0, 0],
    [0, 10],
  ])
})

t.test('an extent entered late counts for what is left of it', async (t) => {
  const extents = [extentOf(0, 10), extentOf(10, 20)]
  t.same(reads([partitionOf(extents, { nextOffset: 9, bytesLeft: 1000 })], unlimited), [
    [0, 0, 1000],
    [0, 10, 900],
  ])
})

t.test('one read at least, whatever the limits; segments are bounded', async (t) => {
  const extents = [extentOf(0, 10), extentOf(10, 20), extentOf(20, 30)]
  t.same(reads([partitionOf(extents, { bytesLeft: 0 })], { ...unlimited, bytesLeft: 0, segmentsMax: 1 }), [[0, 0, 1]])
  t.equal(reads([partitionOf(extents)], { ...unlimited, segmentsMax: 2 }).length, 2)
  const shared = extents.map((extent) => ({ ...extent, segmentId: 'same' }))
  t.equal(reads([partitionOf(shared)], { ...unlimited, segmentsMax: 1 }).length, 3)
})

t.test('what a read may hold is bounded by extent and budget', async (t) => {
  const read = (bytes: number, bytesMax: number) => {
    return {
      partition: 0,
      extent: extentOf(0, 10, { bytes }),
      fromOffset: 0,
      bytesMax,
      span: { extent: extentOf(0, 10), first: 0, end: 1 },
    }
  }
  t.equal(readBytesBound(read(900, 1), 1000), 900)
  t.equal(readBytesBound(read(9000, 1), 1000), 1000)
  t.equal(readBytesBound(read(9000, 3000), 1000), 3000)
  t.equal(readBytesBound(read(9000, 30_000), 1000), 9000)
})

/** Four partitions in three segments of one chunk each: partition 0 has most of the first one. */
const behind = () => [
  partitionOf(
    [
      extentOf(0, 20, { segmentId: 'a', objectKey: 'a', bytes: 500 }),
      extentOf(20, 30, { segmentId: 'c', objectKey: 'c', bytes: 50 }),
    ],
    { bytesLeft: 100 },
  ),
  ...[1, 2, 3].map((number) =>
    partitionOf([
      extentOf(100 * number, 100 * number + 10, { segmentId: 'a', objectKey: 'a', position: 600 + number, bytes: 1 }),
      extentOf(100 * number + 10, 100 * number + 20, {
        segmentId: 'b',
        objectKey: 'b',
        position: 100 + number,
        bytes: 1,
      }),
      extentOf(100 * number + 20, 100 * number + 30, {
        segmentId: 'c',
        objectKey: 'c',
        position: 200 + number,
        bytes: 1,
      }),
    ]),
  ),
]

t.test('where a partition stays behind the others go on as far as open chunks allow', async (t) => {
  const inFirst = [
    [0, 0],
    [1, 100],
    [2, 200],
    [3, 300],
  ]
  const inSecond = [
    [1, 110],
    [2, 210],
    [3, 310],
  ]
  const inThird = [
    [1, 120],
    [2, 220],
    [3, 320],
  ]
  t.same(places(behind(), { ...unlimited, openChunksMax: 1 }), inFirst, 'the first chunk stays open')
  t.same(places(behind(), { ...unlimited, openChunksMax: 2 }), [...inFirst, ...inSecond, ...inThird])
  const isLoaded = () => true
  t.same(
    places(behind(), { ...unlimited, openChunksMax: 0 }, { ...NOTHING_LOADED, isLoaded }),
    [...inFirst, ...inSecond, ...inThird],
    'what is loaded is free',
  )
  const isRecent = () => true
  t.same(places(behind(), { ...unlimited, openChunksMax: 0 }, { ...NOTHING_LOADED, isRecent }), [
    ...inFirst,
    ...inSecond,
    ...inThird,
  ])
})

t.test('one partition that is due comes first, unless it opens too much; when it is forced, always', async (t) => {
  const partitions = behind().map((partition, number) => ({ ...partition, dueCount: [0, 8, 9, 8][number] ?? 0 }))
  const first = (limits: Partial<RoundLimits>) => places(partitions, { ...unlimited, ...limits })[0]
  t.same(first({}), [2, 200])
  t.same(first({ openChunksMax: 0 }), [0, 0])
  t.same(first({ openChunksMax: 0, isDueForced: true }), [2, 200])
})

t.test('partitions wait for others that are behind also where this fetch does not ask for them', async (t) => {
  const [, ahead] = behind()
  const isHeld = (chunkKey: string) => ['a', 'b', 'c'].some((object) => chunkKey.startsWith(object))
  const held = { isHeld }
  const limited = (openChunksMax: number, of = [ahead!]) =>
    places(of, { ...unlimited, openChunksMax }, NOTHING_LOADED, held)
  const all = [
    [0, 100],
    [0, 110],
    [0, 120],
  ]
  t.same(limited(3), all)
  t.same(limited(2), all.slice(0, 2))
  t.same(limited(0), all.slice(0, 1), 'one read at least')
})

t.test('the chunks ahead of a partition, each once, up to a number', async (t) => {
  const extents = [
    extentOf(0, 10, { objectKey: 'a', position: 500, bytes: 1000 }),
    extentOf(10, 20, { objectKey: 'a', position: 1500, bytes: 2000 }),
    extentOf(20, 30, { objectKey: 'b', position: 0, bytes: 10 }),
  ]
  const ahead = (nextOffset: number, countMax: number, state = NOTHING_LOADED) => [
    ...chunksAhead(extents, nextOffset, countMax, state),
  ]
  const [first, ...rest] = [chunkKey('a', 0), chunkKey('a', 1), chunkKey('a', 2), chunkKey('a', 3), chunkKey('b', 0)]
  t.same(ahead(0, 9), [first, ...rest])
  t.same(ahead(5, 9), rest, 'half of the first extent is behind it')
  t.same(ahead(0, 2), [first, rest[0]])
  t.same(ahead(30, 9), [])
  const isRecent = ({ objectKey }: Extent) => objectKey === 'a'
  t.same(ahead(0, 9, { ...NOTHING_LOADED, isRecent }), [chunkKey('b', 0)])
})

t.test('one round loads no more than it may, each object as far as it goes', async (t) => {
  const lone = (objectBytes: number) =>
    partitionOf(
      [0, 10, 20, 30].map((offset) => {
        const name = `segment-${offset}`
        return extentOf(offset, offset + 10, { segmentId: name, objectKey: name, objectBytes, position: 0, bytes: 100 })
      }),
    )
  const readCount = (objectBytes: number, state = NOTHING_LOADED) =>
    reads([lone(objectBytes)], { ...unlimited, loadBytesLeft: 2000 }, state).length
  t.equal(readCount(10_000), 2)
  t.equal(readCount(600), 3)
  t.equal(readCount(500), 4)
  t.equal(readCount(10_000, { ...NOTHING_LOADED, isLoaded: ({ objectKey }) => objectKey !== 'segment-0' }), 4)
  t.equal(reads([lone(10_000)], { ...unlimited, loadBytesLeft: 0 }).length, 1, 'one read at least')
})
