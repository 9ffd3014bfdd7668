import t from 'tap'
import { HeadraceError } from '../../../engine/errors.js'
import { WatermarkBoard } from '../../../engine/fetch/watermarks.js'
import type { PartitionRef } from '../../../engine/model.js'
import type { PartitionOffsets } from '../../../engine/ports/catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { settle, VirtualClock } from '../../support/virtual-clock.js'

const topicId = 'a'
const never = new AbortController().signal

function setUp() {
  const clock = new VirtualClock()
  const polls: (readonly PartitionRef[])[] = []
  const watermarks = new Map<number, number>()
  const catalog = {
    failure: undefined as Error | undefined,
    logStartOffset: 0,
    async partitionOffsets(refs: readonly PartitionRef[]): Promise<(PartitionOffsets | undefined)[]> {
      polls.push(refs)
      if (catalog.failure !== undefined) throw catalog.failure
      return refs.map(({ partition }) => {
        const highWatermark = watermarks.get(partition)
        return highWatermark === undefined ? undefined : { logStartOffset: catalog.logStartOffset, highWatermark }
      })
    },
  }
  const board = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER, pollIntervalMs: 50 })
  const wait = (partitions: readonly number[], seen: number, waitMs = 1000, signal = never) => {
    const waiter = { woken: false }
    void board
      .wait(
        partitions.map((partition) => ({ topicId, partition, highWatermark: seen })),
        waitMs,
        signal,
      )
      .then(() => {
        waiter.woken = true
      })
    return waiter
  }
  return { clock, polls, watermarks, catalog, board, wait }
}

t.test('a local commit wakes those who wait for the partition, at once and without a poll', async (t) => {
  const { board, polls, wait } = setUp()
  const [one, other] = [wait([0, 1], 5), wait([2], 5)]
  board.advance(topicId, 1, 5)
  await settle()
  t.notOk(one.woken, 'nothing new')
  board.advance(topicId, 1, 6)
  await settle()
  t.ok(one.woken)
  t.notOk(other.woken)
  t.equal(polls.length, 0)
  board.close()
  await settle()
  t.ok(other.woken)
})

t.test('news that came before the wait are not lost, and watermarks never fall', async (t) => {
  const { board, wait } = setUp()
  board.advance(topicId, 0, 9)
  board.advance(topicId, 0, 7)
  t.equal(board.known(topicId, 0), 9)
  const waiter = wait([0], 8)
  await settle()
  t.ok(waiter.woken)
})

t.test('commits of other agents are seen by one poll for all who wait', async (t) => {
  const { board, clock, polls, watermarks, wait } = setUp()
  for (const partition of [0, 1, 2]) watermarks.set(partition, 5)
  const waiters = [wait([0, 1], 5), wait([1, 2], 5), wait([2], 5)]
  await clock.advance(50)
  t.equal(polls.length, 1)
  t.same(polls[0]?.map(({ partition }) => partition).sort(), [0, 1, 2])
  watermarks.set(2, 6)
  await clock.advance(50)
  t.same(
    waiters.map(({ woken }) => woken),
    [false, true, true],
  )
  await clock.advance(50)
  t.same(polls[2]?.map(({ partition }) => partition).sort(), [0, 1])
  board.close()
})

t.test('nobody polls while nobody waits', async (t) => {
  const { clock, polls, watermarks, wait } = setUp()
  watermarks.set(0, 5)
  const waiter = wait([0], 5, 120)
  await clock.advance(10_000)
  t.ok(waiter.woken, 'its time is over')
  t.equal(polls.length, 2)
  t.equal(clock.timerCount, 0)
})

t.test('an abort wakes and leaves nothing behind', async (t) => {
  const { clock, wait } = setUp()
  const leaving = new AbortController()
  const waiter = wait([0], 5, 1000, leaving.signal)
  leaving.abort()
  await settle()
  t.ok(waiter.woken)
  t.equal(clock.timerCount, 0)
})

t.test('a partition that has gone wakes its waiters, who will see it themselves', async (t) => {
  const { clock, wait } = setUp()
  const waiter = wait([7], 5)
  await clock.advance(50)
  t.ok(waiter.woken)
})

t.test('a catalog that fails is asked again', async (t) => {
  const { board, clock, polls, watermarks, catalog, wait } = setUp()
  watermarks.set(0, 6)
  catalog.failure = new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'down')
  const waiter = wait([0], 5)
  await clock.advance(100)
  t.notOk(waiter.woken)
  catalog.failure = undefined
  await clock.advance(50)
  t.ok(waiter.woken)
  t.equal(polls.length, 3)
  board.close()
})

t.test('memory is bounded: the watermark not heard of longest is forgotten', async (t) => {
  const { catalog, clock } = setUp()
  const board = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER, partitionsMax: 2 })
  for (const partition of [0, 1, 2]) board.advance(topicId, partition, 1)
  t.same(
    [0, 1, 2].map((partition) => board.known(topicId, partition)),
    [-1, 1, 1],
  )
})

t.test('log starts are known from polls and from this agent, and never go back', async (t) => {
  const { board, watermarks, catalog, clock, wait } = setUp()
  t.equal(board.knownLogStart(topicId, 0), 0)
  board.advanceLogStart(topicId, 0, 4)
  board.advanceLogStart(topicId, 0, 3)
  t.equal(board.knownLogStart(topicId, 0), 4)
  watermarks.set(0, 9)
  catalog.logStartOffset = 7
  const waiter = wait([0], 9)
  await clock.advance(60)
  t.equal(board.knownLogStart(topicId, 0), 7)
  t.notOk(waiter.woken, 'no record came')
  board.close()
})
