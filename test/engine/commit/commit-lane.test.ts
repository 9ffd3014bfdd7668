import t from 'tap'
import type { ProduceResult } from '../../../engine/broker.js'
import { CommitLane } from '../../../engine/commit/commit-lane.js'
import { HeadraceError } from '../../../engine/errors.js'
import type { SealedSegment } from '../../../engine/intake/segments.js'
import type { BatchOutcome, Catalog, CommitSegment, SegmentOutcome } from '../../../engine/ports/catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import type { SegmentInput, SegmentOutput, SegmentUploader } from '../../../engine/ports/segment-uploader.js'
import type { BlockEntry } from '../../../format/index.js'
import { SeededRandom, settle, VirtualClock } from '../../support/virtual-clock.js'

const topicId = '5bd1f5b2-7a2e-4d0c-9d53-111111111111'

interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: Error): void
}

function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((res, rej) => {
    resolve = res
    reject = rej
  })
  return { promise, resolve, reject }
}

function setUp(options: { groupBatchCountMax?: number } = {}) {
  const clock = new VirtualClock()
  const uploads = new Map<string, Deferred<SegmentOutput>>()
  const commits: { readonly ids: string[]; readonly answer: Deferred<SegmentOutcome[]> }[] = []
  const committed: string[] = []
  const uploader: SegmentUploader = {
    upload: (input: SegmentInput) => {
      const upload = defer<SegmentOutput>()
      uploads.set(input.segmentId, upload)
      return upload.promise
    },
    close: async () => {},
  }
  const catalog = {
    commit: (segments: readonly CommitSegment[]) => {
      const answer = defer<SegmentOutcome[]>()
      commits.push({ ids: segments.map((segment) => segment.segmentId), answer })
      return answer.promise
    },
  } as unknown as Catalog
  const lane = new CommitLane({
    uploader,
    catalog,
    clock,
    random: new SeededRandom(1),
    metrics: NO_METRICS,
    logger: NO_LOGGER,
    limits: { commitAgeMaxMs: 60_000, commitRetryMaxMs: 10_000 },
    groupBatchCountMax: options.groupBatchCountMax ?? 1000,
    onUploadSettled: () => {},
    onCommitted: (segment) => committed.push(segment.uploaded.sealed.segmentId),
  })
  return { clock, lane, uploads, commits, committed }
}

/** A sealed segment of `batchCount` one-batch requests, and what each was answered. */
function segment(segmentId: string, batchCount = 1) {
  const answers: (readonly ProduceResult[])[] = []
  const state = { released: 0 }
  const sealed: SealedSegment = {
    stage: 'sealed',
    segmentId,
    input: {
      segmentId,
      objectKey: `segments/${segmentId}`,
      createdAtMs: 0,
      arena: new SharedArrayBuffer(1),
      topicIds: [topicId],
      batches: new Int32Array(0),
    },
    arena: { buffer: new SharedArrayBuffer(1), keep() {}, release: () => state.released++ },
    requests: Array.from({ length: batchCount }, (_, firstBatch) => ({
      firstBatch,
      batchCount: 1,
      arrivedAtMs: 0,
      settle: (results: readonly ProduceResult[]) => answers.push(results),
    })),
    batchCount,
    bytes: batchCount,
    openedAtMs: 0,
    sealedAtMs: 0,
  }
  return { sealed, answers, state }
}

function output(
  segmentId: string,
  batchOrder: readonly number[],
  refusals: SegmentOutput['refusals'] = [],
): SegmentOutput {
  const batch = {
    position: 0,
    bytes: 70,
    baseOffset: -1,
    lastOffsetDelta: 0,
    recordCount: 1,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    maxTimestampMs: 1,
  }
  const block: BlockEntry = {
    topicId,
    partition: 0,
    position: 100,
    bytes: 200,
    rawBytes: 200,
    codec: 0,
    storedCrc: 0,
    recordCount: batchOrder.length,
    minTimestampMs: 1,
    maxTimestampMs: 1,
    batches: batchOrder.map(() => batch),
  }
  return {
    objectBytes: batchOrder.length === 0 ? 0 : 1000,
    index: { segmentId, level: 0, createdAtMs: 0, blocks: batchOrder.length === 0 ? [] : [block] },
    batchOrder: Uint32Array.from(batchOrder),
    refusals,
    putRequestCount: 1,
    encodeMs: 1,
    uploadMs: 1,
  }
}

function outcome(segmentId: string, ...baseOffsets: number[]): SegmentOutcome {
  const batches = baseOffsets.map((baseOffset): BatchOutcome => ({ kind: 'accepted', baseOffset, logStartOffset: 0 }))
  return { segmentId, committed: true, batches }
}

t.test('uploads run together; commits keep seal order, and what got ready meanwhile goes together', async (t) => {
  const { lane, uploads, commits, committed } = setUp()
  const [a, b, c] = [segment('a'), segment('b'), segment('c')]
  for (const { sealed } of [a, b, c]) lane.submit(sealed)
  t.equal(lane.uploads.inFlightCount, 3)
  uploads.get('b')?.resolve(output('b', [0]))
  await settle()
  t.equal(commits.length, 0, 'b waits for a')
  uploads.get('a')?.resolve(output('a', [0]))
  await settle()
  t.same(commits[0]?.ids, ['a', 'b'])
  uploads.get('c')?.resolve(output('c', [0]))
  await settle()
  t.equal(commits.length, 1, 'one commit at a time')
  t.equal(a.answers.length, 0, 'no answer before the commit')
  commits[0]?.answer.resolve([outcome('a', 0), outcome('b', 1)])
  await settle()
  t.same(commits[1]?.ids, ['c'])
  commits[1]?.answer.resolve([outcome('c', 2)])
  await lane.drain()
  t.same(committed, ['a', 'b', 'c'])
  t.same(
    [a, b, c].map((each) => each.answers),
    [
      [[{ ok: true, baseOffset: 0, logStartOffset: 0 }]],
      [[{ ok: true, baseOffset: 1, logStartOffset: 0 }]],
      [[{ ok: true, baseOffset: 2, logStartOffset: 0 }]],
    ],
  )
  t.same(
    [a, b, c].map((each) => each.state.released),
    [1, 1, 1],
  )
})

t.test('a failed upload fails its own requests, retriably, and holds up nobody', async (t) => {
  const { lane, uploads, commits } = setUp()
  const [a, b] = [segment('a'), segment('b')]
  lane.submit(a.sealed)
  lane.submit(b.sealed)
  uploads.get('b')?.resolve(output('b', [0]))
  uploads.get('a')?.reject(new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'unknown', 'gone'))
  await settle()
  t.match(a.answers, [[{ ok: false, error: { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' } }]])
  t.equal(a.state.released, 1)
  t.same(commits[0]?.ids, ['b'])
  commits[0]?.answer.resolve([outcome('b', 0)])
  await lane.drain()
})

t.test('an unknown outcome is asked for again with the same segments', async (t) => {
  const { clock, lane, uploads, commits } = setUp()
  const a = segment('a')
  lane.submit(a.sealed)
  uploads.get('a')?.resolve(output('a', [0]))
  await settle()
  commits[0]?.answer.reject(new HeadraceError('CATALOG_OUTCOME_UNKNOWN', 'unknown', 'connection lost'))
  await clock.advance(100)
  t.same(commits[1]?.ids, ['a'])
  t.equal(a.answers.length, 0)
  commits[1]?.answer.resolve([outcome('a', 7)])
  await lane.drain()
  t.same(a.answers, [[{ ok: true, baseOffset: 7, logStartOffset: 0 }]])
})

t.test('it gives up in the end, and says what is known', async (t) => {
  for (const [errors, expected] of [
    [['CATALOG_UNAVAILABLE'], { code: 'CATALOG_UNAVAILABLE', retry: 'safe' }],
    [['CATALOG_OUTCOME_UNKNOWN', 'CATALOG_UNAVAILABLE'], { code: 'CATALOG_OUTCOME_UNKNOWN', retry: 'unknown' }],
  ] as const) {
    const { clock, lane, uploads, commits } = setUp()
    const a = segment('a')
    lane.submit(a.sealed)
    uploads.get('a')?.resolve(output('a', [0]))
    await settle()
    for (let attempt = 0; a.answers.length === 0 && attempt < 1000; attempt++) {
      const code = errors[attempt] ?? 'CATALOG_UNAVAILABLE'
      const retry = code === 'CATALOG_UNAVAILABLE' ? 'safe' : 'unknown'
      commits[attempt]?.answer.reject(new HeadraceError(code, retry, 'no'))
      await clock.advance(4000)
    }
    t.match(a.answers, [[{ ok: false, error: expected }]])
    t.ok(commits.length > 3 && commits.length < 30, `${commits.length} attempts`)
    await lane.drain()
  }
})

t.test('answers map back to arrival order, refusals included', async (t) => {
  const { lane, uploads, commits } = setUp()
  const a = segment('a', 4)
  lane.submit(a.sealed)
  uploads.get('a')?.resolve(output('a', [3, 0, 1], [{ batch: 2, code: 'BATCH_CORRUPT', message: 'crc' }]))
  await settle()
  commits[0]?.answer.resolve([
    {
      segmentId: 'a',
      committed: true,
      batches: [
        { kind: 'accepted', baseOffset: 30, logStartOffset: 0 },
        { kind: 'duplicate', baseOffset: 5, logStartOffset: 1 },
        { kind: 'refused', code: 'SEQUENCE_GAP' },
      ],
    },
  ])
  await lane.drain()
  t.match(a.answers, [
    [{ ok: true, baseOffset: 5, logStartOffset: 1 }],
    [{ ok: false, error: { code: 'SEQUENCE_GAP', retry: 'never' } }],
    [{ ok: false, error: { code: 'BATCH_CORRUPT' } }],
    [{ ok: true, baseOffset: 30 }],
  ])
})

t.test('a segment without a valid batch is answered without a commit', async (t) => {
  const { lane, uploads, commits } = setUp()
  const a = segment('a')
  lane.submit(a.sealed)
  uploads.get('a')?.resolve(output('a', [], [{ batch: 0, code: 'BATCH_INVALID', message: 'bad' }]))
  await lane.drain()
  t.equal(commits.length, 0)
  t.match(a.answers, [[{ ok: false, error: { code: 'BATCH_INVALID' } }]])
})

t.test('a segment that is too old is given up with a retriable error', async (t) => {
  const { lane, uploads, commits, committed } = setUp()
  const a = segment('a')
  lane.submit(a.sealed)
  uploads.get('a')?.resolve(output('a', [0]))
  await settle()
  commits[0]?.answer.resolve([{ segmentId: 'a', committed: false, code: 'SEGMENT_TOO_OLD' }])
  await lane.drain()
  t.match(a.answers, [[{ ok: false, error: { code: 'SEGMENT_TOO_OLD', retry: 'safe' } }]])
  t.same(committed, [])
})

t.test('a group is bounded in batches', async (t) => {
  const { lane, uploads, commits } = setUp({ groupBatchCountMax: 3 })
  const segments = ['a', 'b', 'c'].map((id) => segment(id, 2))
  for (const { sealed } of segments) lane.submit(sealed)
  for (const id of ['c', 'b', 'a']) uploads.get(id)?.resolve(output(id, [0, 1]))
  await settle()
  t.same(commits[0]?.ids, ['a'])
  for (const [number, id] of ['a', 'b', 'c'].entries()) {
    commits[number]?.answer.resolve([outcome(id, 0, 1)])
    await settle()
  }
  await lane.drain()
  t.same(
    commits.map((commit) => commit.ids),
    [['a'], ['b'], ['c']],
  )
})
