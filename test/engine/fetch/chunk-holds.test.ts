import t from 'tap'
import { ChunkHolds, type ChunkHoldsLimits } from '../../../engine/fetch/chunk-holds.js'

const ref = (partition: number) => ({ topicId: '11111111-0000-4000-8000-000000000000', partition })
const never = new AbortController().signal
const LIMITS: ChunkHoldsLimits = { perPartitionMax: 4, perConsumerMax: 16, holdsMax: 100, idleMs: 5_000 }

function setUp(limits: Partial<ChunkHoldsLimits> = {}) {
  const holds = new ChunkHolds({ ...LIMITS, ...limits })
  const move = (consumer: object, partition: number, chunks: string, nowMs = 0, signal = never) =>
    holds.move(consumer, ref(partition), chunks, signal, nowMs)
  /** Which of the chunks a to h are held besides these partitions of the consumer. */
  const held = (consumer: object, ...partitions: number[]) => {
    const { isHeld } = holds.besides(consumer, partitions.map(ref))
    return [...'abcdefgh'].filter((chunk) => isHeld(chunk)).join('')
  }
  return { holds, move, held }
}

t.test('held is what others will read, and the partitions that were not asked for', async (t) => {
  const { holds, move, held } = setUp()
  const [one, other] = [{}, {}]
  move(one, 1, 'ab')
  move(one, 2, 'bc')
  move(other, 3, 'ad')
  t.equal(held({}), 'abcd')
  t.equal(held(one, 1, 2), 'ad')
  t.equal(held(one, 1), 'abcd')
  t.equal(held(other, 3), 'abc')
  move(one, 1, 'c')
  t.equal(held(other, 3), 'bc', 'it has moved on')
  move(one, 2, '')
  t.equal(held(other, 3), 'c')
  t.equal(holds.holdCount, 3)
})

t.test('the chunk that nobody holds makes room first, then the one that is read last', async (t) => {
  const { holds, move } = setUp()
  t.equal(holds.leastMissed(''), undefined)
  move({}, 1, 'abcd')
  t.equal(holds.leastMissed('axyb'), 'x', 'least recently used first')
  t.equal(holds.leastMissed('cdab'), 'd')
  move({}, 1, 'cd')
  t.equal(holds.leastMissed('abcd'), 'd', 'each has one more before it than the others')
  move({}, 2, 'd')
  t.equal(holds.leastMissed('abcd'), 'b', 'd is the next of somebody now')
  t.equal(holds.leastMissed('acd'), 'd', 'of equals the later segment')
})

t.test('a partition that is not asked for any more holds nothing after some answers', async (t) => {
  const { holds, move, held } = setUp()
  const consumer = {}
  for (const partition of [1, 2, 3, 4, 5]) move(consumer, partition, 'a')
  move(consumer, 6, 'b')
  for (let answer = 0; answer < 12; answer++) {
    for (const partition of [1, 2, 3, 4, 5]) move(consumer, partition, 'a')
    holds.answered(consumer, 0)
  }
  t.equal(held({}), 'ab', 'twice as many answers as partitions')
  holds.answered(consumer, 0)
  t.equal(held({}), 'a')
  for (let answer = 0; answer < 20; answer++) holds.answered(consumer, 0)
  t.same([holds.consumerCount, holds.holdCount], [0, 0])
})

t.test('a consumer that has gone, or does not fetch, holds nothing', async (t) => {
  const { holds, move, held } = setUp()
  const [gone, silent, busy] = [{}, {}, {}]
  const connection = new AbortController()
  move(gone, 1, 'a', 0, connection.signal)
  move(silent, 2, 'b', 0)
  move(busy, 3, 'c', 0)
  connection.abort()
  holds.answered(busy, 2_000)
  t.equal(held({}), 'bc')
  holds.answered(busy, 2_500)
  move(silent, 2, 'b', 2_500)
  holds.answered(busy, 6_000)
  t.equal(held({}), 'c', 'what counts is when it was answered')
  t.equal(holds.consumerCount, 1)
  holds.answered({}, 9_000)
  t.equal(held({}), 'c')
  holds.answered({}, 12_000)
  t.equal(held({}), '')
})

t.test('what is remembered is bounded, for one consumer and for all', async (t) => {
  const { holds, move, held } = setUp({ holdsMax: 5 })
  t.same(
    [0, 1, 4, 8, 1000].map((partitionCount) => holds.chunksPerPartition(partitionCount)),
    [4, 4, 4, 2, 1],
  )
  move({}, 1, 'abc')
  move({}, 2, 'defg')
  t.equal(held({}), 'abcde')
  const late = {}
  move(late, 3, 'h')
  t.equal(held({}), 'abcde')
  holds.answered(late, 0)
  t.equal(holds.consumerCount, 2)
})
