import t from 'tap'
import { chunkKey } from '../../../engine/fetch/chunk-cache.js'
import { type ChunkState, OpenChunks } from '../../../engine/fetch/open-chunks.js'
import type { Extent } from '../../../engine/ports/catalog.js'

const extent = { objectKey: 'old', segmentId: 'old', level: 0 } as Extent
const other = { ...extent, objectKey: 'near', segmentId: 'near' }
const state: ChunkState = {
  chunkBytes: 100,
  isLoaded: (_, chunk) => chunk === 0,
  isLagging: ({ objectKey }) => objectKey === 'old',
  isRecent: () => false,
  loadedKeys: (pool) => (pool === 'lagging' ? [chunkKey('old', 0)] : []),
}
const NOTHING_HELD = { isHeld: () => false }

t.test('spans are whole chunks; nothing, and what is in memory anyway, has none', async (t) => {
  const open = new OpenChunks(state, 1, NOTHING_HELD)
  const span = (position: number, bytes: number) => {
    const { first, end } = open.spanOf(extent, position, bytes)
    return [first, end]
  }
  t.same(
    [span(0, 1), span(99, 1), span(99, 2), span(100, 100)],
    [
      [0, 1],
      [0, 1],
      [0, 2],
      [1, 2],
    ],
  )
  t.same(span(5, 0), [0, 0])
  const recent = new OpenChunks({ ...state, isRecent: () => true }, 1, NOTHING_HELD).spanOf(extent, 150, 200)
  t.same([recent.first, recent.end], [0, 0])
})

t.test('a read is admitted unless it leaves too many chunks loaded and wanted', async (t) => {
  const open = new OpenChunks(state, 1, NOTHING_HELD)
  for (const position of [0, 120, 150, 220]) open.want(open.spanOf(extent, position, 10))
  const first = open.spanOf(extent, 0, 10)
  const second = open.spanOf(extent, 120, 10)
  t.ok(open.admits(first, true), 'chunk 0 is loaded')
  t.notOk(open.admits(second, true), 'the other part of chunk 1 would stay wanted, beside chunk 0')
  t.ok(open.admits(open.spanOf(extent, 220, 10), true), 'all that is wanted of chunk 2')
  t.notOk(open.admits(open.spanOf(extent, 220, 10), false))
  open.read(first, true)
  t.ok(open.admits(second, true), 'chunk 0 is read to its end')
  open.read(second, true)
  t.ok(open.admits(open.spanOf(extent, 150, 10), true), 'chunk 1 is loaded by now')
})

t.test('the caches do not take room from each other', async (t) => {
  const open = new OpenChunks(state, 1, NOTHING_HELD)
  open.want(open.spanOf(extent, 0, 10))
  open.want(open.spanOf(other, 120, 10))
  t.ok(open.admits(open.spanOf(other, 120, 10), false))
})

t.test(
  'what is loaded and held stays open after it was read; what is held and not loaded takes no room yet',
  async (t) => {
    const isHeldByOthers = (...chunks: number[]) => {
      const keys = chunks.map((chunk) => chunkKey('old', chunk))
      return new OpenChunks(state, 1, { isHeld: (key) => keys.includes(key) })
    }
    const chunk = (open: OpenChunks, number: number) => open.spanOf(extent, 100 * number, 10)

    const behind = isHeldByOthers(0)
    for (const number of [0, 1]) behind.want(chunk(behind, number))
    t.ok(behind.admits(chunk(behind, 0), true))
    behind.read(chunk(behind, 0), true)
    t.ok(behind.admits(chunk(behind, 1), true), 'read to its end at once')
    t.notOk(behind.admits(chunk(behind, 1), false), 'chunk 0 is open for somebody else')

    const ahead = isHeldByOthers(1, 2)
    for (const number of [1, 2]) ahead.want(chunk(ahead, number))
    t.ok(ahead.admits(chunk(ahead, 1), true))
    ahead.read(chunk(ahead, 1), true)
    t.notOk(ahead.admits(chunk(ahead, 2), true), 'chunk 1 stays open')
    t.ok(ahead.admits(chunk(ahead, 1), true))
  },
)

t.test('what nobody has announced is looked up when it is asked for', async (t) => {
  const open = new OpenChunks(state, 1, { isHeld: (key) => key === chunkKey('old', 0) })
  t.ok(open.admits(open.spanOf(extent, 0, 10), true))
  t.notOk(open.admits(open.spanOf(extent, 300, 10), false))
})
