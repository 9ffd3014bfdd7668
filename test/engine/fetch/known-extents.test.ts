import t from 'tap'
import { type ExtentLookup, KnownExtents } from '../../../engine/fetch/known-extents.js'
import type { Extent, ExtentAnswer, ExtentRequest, PartitionOffsets } from '../../../engine/ports/catalog.js'
import { extentOf } from '../../support/extents.js'

const AGE_MAX_MS = 1_000

function extentAt(baseOffset: number): Extent {
  return extentOf(baseOffset, baseOffset + 10, { topicId: 't', bytes: 100 })
}

/** A log of extents of ten records and a hundred bytes each. */
class TestCatalog {
  offsets: PartitionOffsets | undefined = { logStartOffset: 0, highWatermark: 1_000 }
  readonly calls: string[] = []

  async findExtents(requests: readonly ExtentRequest[]): Promise<(ExtentAnswer | undefined)[]> {
    this.calls.push(`extents ${requests.map(({ partition, offset }) => `${partition}/${offset}`).join(' ')}`)
    return requests.map((request) => this.offsets && { ...this.offsets, extents: this.#extents(request) })
  }

  async partitionOffsets(partitions: readonly { partition: number }[]): Promise<(PartitionOffsets | undefined)[]> {
    this.calls.push(`offsets ${partitions.map(({ partition }) => partition).join(' ')}`)
    return partitions.map(() => this.offsets)
  }

  #extents({ offset, bytesMax, extentCountMax }: ExtentRequest): Extent[] {
    const first = Math.floor(offset / 10)
    const end = Math.min((this.offsets?.highWatermark ?? 0) / 10, first + Math.min(extentCountMax, bytesMax / 100))
    return Array.from({ length: Math.max(0, end - first) }, (_, number) => extentAt((first + number) * 10))
  }
}

function setUp(extentCountMax = 1_000) {
  const catalog = new TestCatalog()
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  const known = new KnownExtents({ catalog, clock, ageMaxMs: AGE_MAX_MS, extentCountMax })
  const find = async (offset: number, changes: Partial<ExtentLookup> = {}) => {
    const lookup = { topicId: 't', partition: 0, offset, bytesWanted: 200, bytesMax: 2_000, extentCountMax: 100 }
    const [answer] = await known.find([{ ...lookup, ...changes }])
    return answer
  }
  return { catalog, clock, known, find }
}

t.test('who reads on finds what comes next, and how far the log goes now', async (t) => {
  const { catalog, find } = setUp()
  t.equal((await find(0))?.extents.length, 20)
  catalog.offsets = { logStartOffset: 5, highWatermark: 2_000 }
  const answer = await find(57)
  t.same(catalog.calls, ['extents 0/0', 'offsets 0'])
  t.equal(answer?.extents[0]?.baseOffset, 50, 'from the extent that contains the offset on')
  t.equal(answer?.extents.at(-1)?.endOffset, 200)
  t.same([answer?.logStartOffset, answer?.highWatermark], [5, 2_000])
})

t.test('the catalog is asked again before too little of what follows is known', async (t) => {
  const { catalog, find } = setUp()
  await find(0)
  t.equal((await find(100))?.extents.length, 10, 'half of a new answer')
  t.equal((await find(110))?.extents.length, 20)
  t.same(catalog.calls, ['extents 0/0', 'offsets 0', 'extents 0/110'])
})

t.test('a lookup that wants more than is known asks', async (t) => {
  const { catalog, find } = setUp()
  await find(0)
  await find(50, { bytesWanted: 1_600 })
  t.same(catalog.calls, ['extents 0/0', 'extents 0/50'])
})

t.test('an answer cut by its number of extents serves until half of that', async (t) => {
  const { catalog, find } = setUp()
  t.equal((await find(0, { extentCountMax: 10 }))?.extents.length, 10)
  t.equal((await find(50, { extentCountMax: 10 }))?.extents.length, 5)
  await find(60, { extentCountMax: 10 })
  t.same(catalog.calls, ['extents 0/0', 'offsets 0', 'extents 0/60'])
})

t.test('the last extents serve to the end of the log as it was; there the catalog is asked', async (t) => {
  const { catalog, find } = setUp()
  await find(900)
  t.equal((await find(985))?.extents.length, 2)
  t.same((await find(1_000))?.extents, [])
  t.same(catalog.calls, ['extents 0/900', 'offsets 0', 'extents 0/1000'])
})

t.test(
  'offsets before what is known ask, and so does a known place after its time, or once it proved wrong',
  async (t) => {
    const { catalog, clock, known, find } = setUp()
    await find(500)
    await find(499)
    clock.nowMs = AGE_MAX_MS + 1
    await find(500)
    known.forget({ topicId: 't', partition: 0 })
    await find(500)
    t.same(catalog.calls, ['extents 0/500', 'extents 0/499', 'extents 0/500', 'extents 0/500'])
  },
)

t.test('a partition that has gone is gone at once', async (t) => {
  const { catalog, find } = setUp()
  await find(0)
  catalog.offsets = undefined
  t.equal(await find(50), undefined)
})

t.test('several partitions are asked for together, each for what is missing, and answered in order', async (t) => {
  const { catalog, known } = setUp()
  const lookup = { topicId: 't', bytesWanted: 200, bytesMax: 2_000, extentCountMax: 100 }
  const find = (offsets: readonly number[]) =>
    known.find(offsets.map((offset, partition) => ({ ...lookup, partition, offset })))
  await find([0, 100, 200])
  const answers = await find([50, 0, 250])
  t.same(
    answers.map((answer) => answer?.extents[0]?.baseOffset),
    [50, 0, 250],
  )
  t.same(catalog.calls, ['extents 0/0 1/100 2/200', 'offsets 0 2', 'extents 1/0'])
})

t.test('only so many extents are kept: the oldest go', async (t) => {
  const { catalog, find } = setUp(50)
  for (const partition of [0, 1, 2]) await find(0, { partition })
  await find(10, { partition: 2 })
  await find(10, { partition: 1 })
  await find(10, { partition: 0 })
  t.same(catalog.calls.slice(3), ['offsets 2', 'offsets 1', 'extents 0/10'])
})

const NEWS = { topicId: 't', partition: 0, bytesMax: 2_000, extentCountMax: 100 }

t.test('who waits at the end of the log learns of commits of this agent without the catalog', async (t) => {
  const { catalog, known, find } = setUp()
  t.same((await find(1_000))?.extents, [])
  known.committed([extentAt(1_000), extentAt(1_010)])
  const news = known.findNews({ ...NEWS, offset: 1_000 }, 1_020)
  t.same(news, { extents: [extentAt(1_000), extentAt(1_010)], logStartOffset: 0, highWatermark: 1_020 })
  known.committed([extentAt(1_020)])
  t.same(news?.extents.length, 2, 'an answer does not change')
  t.same(
    known.findNews({ ...NEWS, offset: 1_015 }, 1_020)?.extents.map(({ baseOffset }) => baseOffset),
    [1_010, 1_020],
  )
  t.same(catalog.calls, ['extents 0/1000'])
  catalog.offsets = { logStartOffset: 0, highWatermark: 1_030 }
  t.equal((await find(1_020))?.extents.length, 1)
  t.same(catalog.calls, ['extents 0/1000', 'offsets 0'], 'who comes anew asks how far the log goes')
})

t.test('news that are not all known are asked for', async (t) => {
  const { clock, known, find } = setUp()
  const isKnown = (offset: number, highWatermark: number) =>
    known.findNews({ ...NEWS, offset }, highWatermark) !== undefined
  known.committed([extentAt(1_000)])
  t.notOk(isKnown(1_000, 1_010), 'nobody has looked at this partition')
  await find(1_000)
  known.committed([extentAt(1_020)])
  t.notOk(isKnown(1_000, 1_030), 'another agent has committed in between')
  known.committed([extentAt(1_000)])
  t.ok(isKnown(1_000, 1_010))
  t.notOk(isKnown(1_000, 1_020), 'and after')
  t.notOk(isKnown(990, 1_010), 'from before')
  t.notOk(isKnown(1_010, 1_010), 'there is nothing')
  clock.nowMs = AGE_MAX_MS + 1
  t.notOk(isKnown(1_000, 1_010), 'too long ago')
  known.committed([extentAt(1_010)])
  t.notOk(isKnown(1_000, 1_010))
})

t.test('a run that ends before the log does is not made longer', async (t) => {
  const { known, find } = setUp()
  t.equal((await find(0))?.extents.at(-1)?.endOffset, 200)
  known.committed([extentAt(1_000)])
  t.equal((await find(100))?.extents.at(-1)?.endOffset, 200)
})

t.test('who falls behind is not told more at once than it asks for', async (t) => {
  const { known, find } = setUp()
  await find(1_000)
  known.committed(Array.from({ length: 300 }, (_, number) => extentAt(1_000 + number * 10)))
  const news = known.findNews({ ...NEWS, offset: 1_050 }, 1_500)
  t.same([news?.extents.length, news?.extents[0]?.baseOffset, news?.highWatermark], [100, 1_050, 4_000])
  t.equal((await find(2_000))?.extents.length, 100)
})

t.test('commits are wanted as long as somebody looks for extents', async (t) => {
  const { clock, known, find } = setUp()
  t.notOk(known.isWanted)
  await find(1_000)
  t.ok(known.isWanted)
  clock.nowMs = AGE_MAX_MS + 1
  t.notOk(known.isWanted)
})

t.test('what is committed counts as known, too', async (t) => {
  const { catalog, known, find } = setUp(50)
  await find(0, { partition: 1 })
  await find(1_000)
  known.committed(Array.from({ length: 29 }, (_, number) => extentAt(1_000 + number * 10)))
  catalog.calls.length = 0
  await find(10, { partition: 1 })
  t.same(catalog.calls, ['extents 1/10'], 'the oldest had to go')
})
