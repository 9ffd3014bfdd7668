import t from 'tap'
import type { PendingProduce, ProduceRequest } from '../../../engine/broker.js'
import { ArenaPool } from '../../../engine/intake/arena-pool.js'
import { SegmentIntake } from '../../../engine/intake/segment-intake.js'
import type { SealedSegment } from '../../../engine/intake/segments.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { BATCH_BYTES, BATCH_COLUMNS, BATCH_PARTITION, BATCH_POSITION } from '../../../engine/ports/segment-uploader.js'
import { segmentTimeMs } from '../../../engine/segment-identity.js'
import { SeededRandom, settle, VirtualClock } from '../../support/virtual-clock.js'

const topicId = '5bd1f5b2-7a2e-4d0c-9d53-111111111111'

function setUp(options: { arenaBytes?: number; budgetBytes?: number } = {}) {
  const clock = new VirtualClock()
  const arenaBytes = options.arenaBytes ?? 100
  const arenas = new ArenaPool({ arenaBytes, budgetBytes: options.budgetBytes ?? 2 * arenaBytes, metrics: NO_METRICS })
  const sealed: SealedSegment[] = []
  let uploads = 0
  const intake = new SegmentIntake({
    arenas,
    flush: { flushBytes: arenaBytes, flushIntervalMs: 250 },
    clock,
    random: new SeededRandom(1),
    uploads: () => ({ inFlightCount: uploads, recentMs: undefined }),
    submit: (segment) => {
      sealed.push(segment)
      uploads++
    },
  })
  return { clock, arenas, sealed, intake }
}

/** One batch per size; every byte of batch n is `fill + n`. */
function request(fill: number, ...sizes: number[]): ProduceRequest {
  const bytes = Uint8Array.from(sizes.flatMap((size, n) => new Array(size).fill(fill + n)))
  let position = 0
  const batches = sizes.map((size, partition) => {
    const batch = { topicId, partition, position, bytes: size, zstdAllowed: true }
    position += size
    return batch
  })
  return { chunks: [bytes.subarray(0, 3), bytes.subarray(3)], batches }
}

t.test('a lone request is sealed after a few ms, with its bytes and rows', async (t) => {
  const { clock, sealed, intake } = setUp()
  await intake.append(request(10, 5, 7))
  await clock.advance(4.9)
  t.equal(sealed.length, 0)
  await clock.advance(0.2)
  const [segment] = sealed
  t.ok(segment)
  if (segment === undefined) return
  t.equal(segment.batchCount, 2)
  t.equal(segmentTimeMs(segment.segmentId), segment.input.createdAtMs)
  t.equal(segment.input.objectKey, `segments/${segment.segmentId}.seg`)
  const { batches, arena } = segment.input
  t.equal(batches.length, 2 * BATCH_COLUMNS)
  for (const [row, fill] of [
    [0, 10],
    [1, 11],
  ] as const) {
    const position = batches[row * BATCH_COLUMNS + BATCH_POSITION]!
    const bytes = new Uint8Array(arena).subarray(position, position + batches[row * BATCH_COLUMNS + BATCH_BYTES]!)
    t.ok(bytes.length > 0 && bytes.every((byte) => byte === fill))
    t.equal(batches[row * BATCH_COLUMNS + BATCH_PARTITION], row)
  }
})

t.test('a request that does not fit seals the open segment and is never split', async (t) => {
  const { sealed, intake } = setUp()
  await intake.append(request(0, 60))
  await intake.append(request(1, 30, 30))
  t.same(
    sealed.map((segment) => segment.batchCount),
    [1],
  )
  await intake.append(request(2, 40))
  t.same(
    sealed.map((segment) => segment.batchCount),
    [1, 3],
    'a full segment is sealed at once',
  )
})

t.test('without a free arena requests wait, in order, until one is released', async (t) => {
  const { sealed, intake, arenas } = setUp()
  await intake.append(request(0, 100))
  await intake.append(request(0, 100))
  const order: number[] = []
  const third = intake.append(request(0, 80)).then(() => order.push(3))
  const fourth = intake.append(request(0, 10)).then(() => order.push(4))
  await settle()
  t.same(order, [])
  t.equal(arenas.waiterCount, 1, 'one asks for all')
  sealed[0]?.arena.release()
  await Promise.all([third, fourth])
  t.same(order, [3, 4])
})

t.test('a request beyond the segment size gets a segment of its own, one beyond the budget an error', async (t) => {
  const { sealed, intake } = setUp({ budgetBytes: 300 })
  await intake.append(request(0, 150))
  t.equal(sealed[0]?.bytes, 150)
  const pending = await intake.append(request(0, 301))
  t.match(await pending.results, [{ ok: false, error: { code: 'BATCH_TOO_LARGE', retry: 'never' } }])
})

t.test('with uploads in flight the interval decides', async (t) => {
  const { clock, sealed, intake } = setUp()
  await intake.append(request(0, 100))
  await intake.append(request(0, 10))
  await clock.advance(249)
  t.equal(sealed.length, 1)
  await clock.advance(2)
  t.equal(sealed.length, 2)
  t.equal(clock.timerCount, 0)
})

t.test('close seals what is open and refuses the rest', async (t) => {
  const { sealed, intake } = setUp()
  await intake.append(request(0, 100))
  const open: PendingProduce = await intake.append(request(0, 10))
  await intake.append(request(0, 90))
  const waiting = intake.append(request(0, 10))
  intake.close()
  await t.rejects(waiting, { code: 'AGENT_CLOSING' })
  await t.rejects(intake.append(request(0, 10)), { code: 'AGENT_CLOSING' })
  t.equal(sealed.length, 2)
  sealed[1]?.requests[0]?.settle([{ ok: true, baseOffset: 5, logStartOffset: 0 }])
  t.same(await open.results, [{ ok: true, baseOffset: 5, logStartOffset: 0 }])
})

t.test('a request without batches needs no segment', async (t) => {
  const { intake, sealed } = setUp()
  t.same(await (await intake.append({ chunks: [], batches: [] })).results, [])
  intake.close()
  t.equal(sealed.length, 0)
})
