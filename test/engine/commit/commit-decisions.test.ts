import * as fc from 'fast-check'
import t from 'tap'
import {
  type CommitState,
  commitStateOf,
  decideCommit,
  type PartitionState,
  producerKey,
  TIMESTAMP_NONE,
} from '../../../engine/commit/commit-decisions.js'
import type { ProducerState } from '../../../engine/commit/producer-state.js'
import { partitionKey } from '../../../engine/model.js'
import type { BatchOutcome, CommitBatch, CommitBlock, CommitSegment } from '../../../engine/ports/catalog.js'

const TOPIC = '6f1c9a2e-0b5d-4c3a-9e57-5a4f1d2c3b4a'
const SEQUENCE_MAX = 2 ** 31 - 1

function plain(offsetCount = 1, maxTimestampMs = 0): CommitBatch {
  return { offsetCount, producerId: -1, producerEpoch: -1, baseSequence: -1, maxTimestampMs }
}

function sequenced(baseSequence: number, offsetCount = 1, producerEpoch = 0, producerId = 7): CommitBatch {
  return { offsetCount, producerId, producerEpoch, baseSequence, maxTimestampMs: 0 }
}

function block(batches: readonly CommitBatch[], position = 32, bytes = 100, partition = 0): CommitBlock {
  return { topicId: TOPIC, partition, position, bytes, batches }
}

function segment(blocks: readonly CommitBlock[], id = 1): CommitSegment {
  const segmentId = `01890000-0000-7000-8000-${id.toString().padStart(12, '0')}`
  return { segmentId, objectKey: `segments/${segmentId}.seg`, objectBytes: 4096, blocks }
}

const EMPTY: PartitionState = { logStartOffset: 0, highWatermark: 0, maxTimestampMs: TIMESTAMP_NONE }

function stateWith(producer?: ProducerState, partition: PartitionState = EMPTY): CommitState {
  const producers = new Map(producer ? [[producerKey(TOPIC, 0, 7), producer]] : [])
  return commitStateOf(new Map([[partitionKey(TOPIC, 0), partition]]), producers)
}

function outcomesOf(state: CommitState, ...batches: CommitBatch[]): string[] {
  const decision = decideCommit([segment([block(batches)])], state)
  return decision.segments[0]!.batches.map(shortOutcome)
}

function shortOutcome(outcome: BatchOutcome): string {
  return outcome.kind === 'refused' ? outcome.code : `${outcome.kind}@${outcome.baseOffset}`
}

/** A producer at epoch 3 whose last batches of ten records end at `lastSequence`, from offset 1000 on. */
function producerAt(lastSequence: number, sequenceCount: number, batchCount = 5): ProducerState {
  const batches = Array.from({ length: batchCount }, (_, index) => {
    const back = (batchCount - index) * 10
    const base = (lastSequence + 1 - back + 2 ** 31) % 2 ** 31
    return { baseSequence: base, lastSequence: (base + 9) % 2 ** 31, baseOffset: 1000 + index * 10 }
  })
  return { epoch: 3, sequenceCount, batches }
}

t.test('sequences', async (t) => {
  const settled = producerAt(99, 100)
  const cases: [string, ProducerState | undefined, CommitBatch[], string[]][] = [
    ['a new producer starts where it likes', undefined, [sequenced(500, 10)], ['accepted@0']],
    ['the next sequence', settled, [sequenced(100, 10, 3)], ['accepted@0']],
    ['a gap', settled, [sequenced(101, 10, 3)], ['SEQUENCE_GAP']],
    ['a repeat of the newest', settled, [sequenced(90, 10, 3)], ['duplicate@1040']],
    ['a repeat of the fifth', settled, [sequenced(50, 10, 3)], ['duplicate@1000']],
    ['a repeat older than the window', settled, [sequenced(40, 10, 3)], ['SEQUENCE_DUPLICATE']],
    ['a repeat cut differently', settled, [sequenced(90, 5, 3)], ['SEQUENCE_DUPLICATE']],
    ['half repeat, half new', settled, [sequenced(95, 10, 3)], ['SEQUENCE_GAP']],
    ['below the first sequence seen', producerAt(99, 50), [sequenced(40, 10, 3)], ['SEQUENCE_GAP']],
    ['an older epoch', settled, [sequenced(100, 10, 2)], ['PRODUCER_EPOCH_FENCED']],
    ['an older epoch, though it looks like a repeat', settled, [sequenced(90, 10, 2)], ['PRODUCER_EPOCH_FENCED']],
    ['a newer epoch starts at 0', settled, [sequenced(0, 10, 4)], ['accepted@0']],
    ['a newer epoch elsewhere', settled, [sequenced(100, 10, 4)], ['SEQUENCE_GAP']],
    [
      'a newer epoch forgets the window',
      settled,
      [sequenced(0, 10, 4), sequenced(90, 10, 4), sequenced(90, 10, 3), sequenced(0, 10, 4)],
      ['accepted@0', 'SEQUENCE_GAP', 'PRODUCER_EPOCH_FENCED', 'duplicate@0'],
    ],
    [
      'repeats inside one commit',
      undefined,
      [sequenced(0, 2), sequenced(2, 3), sequenced(0, 2), sequenced(2, 3), sequenced(5)],
      ['accepted@0', 'accepted@2', 'duplicate@0', 'duplicate@2', 'accepted@5'],
    ],
    [
      'the window inside one commit',
      undefined,
      [0, 1, 2, 3, 4, 5, 0, 1, 6].map((sequence) => sequenced(sequence)),
      ['accepted@0', 'accepted@1', 'accepted@2', 'accepted@3', 'accepted@4', 'accepted@5'].concat(
        'SEQUENCE_DUPLICATE',
        'duplicate@1',
        'accepted@6',
      ),
    ],
    ['after the last sequence comes 0', producerAt(SEQUENCE_MAX, 100), [sequenced(0, 10, 3)], ['accepted@0']],
    ['no sequence 2^31', producerAt(SEQUENCE_MAX, 100), [sequenced(1, 10, 3)], ['SEQUENCE_GAP']],
    [
      'a batch across the wrap, then its repeat',
      producerAt(SEQUENCE_MAX - 4, 100),
      [sequenced(SEQUENCE_MAX - 3, 10, 3), sequenced(SEQUENCE_MAX - 3, 10, 3), sequenced(6, 1, 3)],
      ['accepted@0', 'duplicate@0', 'accepted@10'],
    ],
    ['a repeat from before the wrap', producerAt(4, 100), [sequenced(SEQUENCE_MAX - 4, 10, 3)], ['duplicate@1040']],
    [
      'an old repeat from before the wrap',
      producerAt(4, 100),
      [sequenced(SEQUENCE_MAX - 69, 10, 3)],
      ['SEQUENCE_DUPLICATE'],
    ],
    ['far ahead is a gap', producerAt(9, 2 ** 40), [sequenced(2 ** 30 - 100, 1, 3)], ['SEQUENCE_GAP']],
    ['batches without a producer are always taken', settled, [plain(2), plain(3)], ['accepted@0', 'accepted@2']],
  ]
  for (const [name, producer, batches, expected] of cases) {
    t.same(outcomesOf(stateWith(producer), ...batches), expected, name)
  }
})

t.test('producers are told apart by id and by partition', async (t) => {
  const state = commitStateOf(new Map([0, 1].map((partition) => [partitionKey(TOPIC, partition), EMPTY])), new Map())
  const { segments, producers } = decideCommit(
    [
      segment([
        block([sequenced(0, 1, 0, 1), sequenced(0, 1, 0, 2)], 32, 100, 0),
        block([sequenced(0, 1, 0, 1), sequenced(5, 1, 0, 1)], 132, 100, 1),
      ]),
    ],
    state,
  )
  t.same(segments[0]!.batches.map(shortOutcome), ['accepted@0', 'accepted@1', 'accepted@0', 'SEQUENCE_GAP'])
  t.same(
    producers.map(({ partition, producerId }) => [partition, producerId]),
    [
      [0, 1],
      [0, 2],
      [1, 1],
    ],
  )
})

t.test('an unknown partition refuses its batches and no others', async (t) => {
  const { segments, partitions } = decideCommit(
    [segment([block([plain()], 32, 100, 0), block([plain()], 132, 100, 9)])],
    stateWith(),
  )
  t.same(segments[0]!.batches.map(shortOutcome), ['accepted@0', 'PARTITION_UNKNOWN'])
  t.same(partitions, [{ topicId: TOPIC, partition: 0, logStartOffset: 0, highWatermark: 1, maxTimestampMs: 0 }])
})

t.test('outcomes carry the log start, offsets begin at the high watermark', async (t) => {
  const partition = { logStartOffset: 40, highWatermark: 100, maxTimestampMs: 5 }
  const { segments, partitions } = decideCommit([segment([block([plain(3, 4)])])], stateWith(undefined, partition))
  t.same(segments[0]!.batches, [{ kind: 'accepted', baseOffset: 100, logStartOffset: 40 }])
  t.match(partitions, [{ logStartOffset: 40, highWatermark: 103, maxTimestampMs: 5 }])
  t.match(segments[0]!.extents, [{ maxTimestampMs: 4, runningMaxTimestampMs: 5 }])
})

t.test('a commit that accepts nothing changes nothing', async (t) => {
  const decision = decideCommit([segment([block([sequenced(90, 10, 3)])])], stateWith(producerAt(99, 100)))
  t.same(decision.partitions, [])
  t.same(decision.producers, [])
  t.same(decision.segments[0]!.extents, [])
})

t.test('extents', async (t) => {
  const extentsOf = (...blocks: CommitBlock[]) =>
    decideCommit([segment(blocks)], stateWith(producerAt(99, 100)))
      .segments[0]!.extents.map((extent) => [
        extent.baseOffset,
        extent.endOffset,
        extent.position,
        extent.bytes,
        extent.batchSkipCount,
        extent.batchCount,
      ])
      .map((numbers) => numbers.join(' '))
  const duplicate = sequenced(90, 10, 3)

  t.same(extentsOf(block([plain(2), plain(3)])), ['0 5 32 100 0 2'], 'adjacent batches')
  t.same(
    extentsOf(block([plain(), plain()], 32, 100), block([plain()], 132, 50), block([plain()], 182, 10)),
    ['0 4 32 160 0 4'],
    'adjacent blocks',
  )
  t.same(
    extentsOf(block([plain(), duplicate, plain(), plain()])),
    ['0 1 32 100 0 1', '1 3 32 100 2 2'],
    'a tombstone splits, and is skipped',
  )
  t.same(extentsOf(block([duplicate, plain()])), ['0 1 32 100 1 1'], 'a tombstone in front')
  t.same(
    extentsOf(block([plain(), duplicate], 32, 100), block([plain()], 132, 50)),
    ['0 1 32 100 0 1', '1 2 132 50 0 1'],
    'a tombstone at the end of a block ends the extent',
  )
  t.same(
    extentsOf(block([plain()], 32, 100), block([duplicate, plain()], 132, 50)),
    ['0 1 32 100 0 1', '1 2 132 50 1 1'],
    'a tombstone at the start of a block does, too',
  )
  t.same(
    extentsOf(block([duplicate, plain()], 32, 100), block([plain()], 132, 50)),
    ['0 2 32 150 1 2'],
    'a skip counts from the first block',
  )
  t.same(
    extentsOf(block([plain()], 32, 100), block([plain()], 200, 50)),
    ['0 1 32 100 0 1', '1 2 200 50 0 1'],
    'blocks apart are two extents',
  )
})

t.test('extents of other segments and partitions stay apart', async (t) => {
  const state = commitStateOf(new Map([0, 1].map((partition) => [partitionKey(TOPIC, partition), EMPTY])), new Map())
  const { segments } = decideCommit(
    [
      segment([block([plain(1, 9)], 32, 100, 0), block([plain(1, 2)], 132, 100, 1)], 1),
      segment([block([plain(2, 3)], 32, 100, 0), block([plain(1, 2)], 132, 100, 1)], 2),
    ],
    state,
  )
  t.match(segments[0]!.extents, [
    { partition: 0, baseOffset: 0, endOffset: 1, maxTimestampMs: 9, runningMaxTimestampMs: 9 },
    { partition: 1, baseOffset: 0, endOffset: 1, maxTimestampMs: 2, runningMaxTimestampMs: 2 },
  ])
  t.match(segments[1]!.extents, [
    { partition: 0, baseOffset: 1, endOffset: 3, maxTimestampMs: 3, runningMaxTimestampMs: 9 },
    { partition: 1, baseOffset: 1, endOffset: 2, maxTimestampMs: 2, runningMaxTimestampMs: 2 },
  ])
})

t.test('malformed batches are our own bug', async (t) => {
  t.throws(() => outcomesOf(stateWith(), plain(0)), RangeError)
  t.throws(() => outcomesOf(stateWith(), sequenced(-1)), RangeError)
})

/** The rules once more, in the slowest way: a log of records and, per producer, every accepted batch of its epoch. */
class NaiveLog {
  readonly records: number[] = []
  readonly #producers = new Map<
    number,
    { epoch: number; accepted: { base: number; count: number; offset: number }[] }
  >()

  append(batch: CommitBatch): string {
    const producer = this.#producers.get(batch.producerId)
    if (producer && producer.epoch === batch.producerEpoch) {
      const repeat = producer.accepted
        .slice(-5)
        .find(({ base, count }) => base === batch.baseSequence && count === batch.offsetCount)
      if (repeat) return `duplicate@${repeat.offset}`
      const sequences = producer.accepted.flatMap(({ base, count }) => wrapped(base, count))
      const wanted = wrapped(batch.baseSequence, batch.offsetCount)
      if (batch.baseSequence !== wrapped(sequences.at(-1)!, 2)[1]) {
        return wanted.every((sequence) => sequences.includes(sequence)) ? 'SEQUENCE_DUPLICATE' : 'SEQUENCE_GAP'
      }
      producer.accepted.push({ base: batch.baseSequence, count: batch.offsetCount, offset: this.records.length })
      return this.#write(batch)
    }
    if (producer && batch.producerEpoch < producer.epoch) return 'PRODUCER_EPOCH_FENCED'
    if (producer && batch.baseSequence !== 0) return 'SEQUENCE_GAP'
    const accepted = [{ base: batch.baseSequence, count: batch.offsetCount, offset: this.records.length }]
    this.#producers.set(batch.producerId, { epoch: batch.producerEpoch, accepted })
    return this.#write(batch)
  }

  #write(batch: CommitBatch): string {
    const offset = this.records.length
    for (const sequence of wrapped(batch.baseSequence, batch.offsetCount)) this.records.push(sequence)
    return `accepted@${offset}`
  }
}

function wrapped(base: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Number((BigInt(base) + BigInt(index)) & 0x7fffffffn))
}

t.test('agrees with a naive log, commit after commit', async () => {
  const batch = fc.record({
    offsetCount: fc.integer({ min: 1, max: 3 }),
    producerId: fc.constantFrom(1, 2),
    producerEpoch: fc.constantFrom(0, 0, 0, 1),
    // Around the wrap and around 0, so that a few batches suffice to meet every rule.
    baseSequence: fc.oneof(fc.integer({ min: SEQUENCE_MAX - 3, max: SEQUENCE_MAX }), fc.integer({ min: 0, max: 12 })),
    maxTimestampMs: fc.integer({ min: -1, max: 50 }),
  })
  const commits = fc.array(fc.array(fc.array(batch, { minLength: 1, maxLength: 5 }), { maxLength: 3 }), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(commits, (commits) => {
      const naive = new NaiveLog()
      const partitions = new Map([[partitionKey(TOPIC, 0), EMPTY]])
      const producers = new Map<string, ProducerState>()
      let offset = 0
      for (const [index, blocks] of commits.entries()) {
        const placed = blocks.map((batches, place) => block(batches, 32 + place * 100))
        const decision = decideCommit([segment(placed, index)], commitStateOf(partitions, producers))
        const { batches, extents } = decision.segments[0]!
        const expected = blocks.flat().map((item) => naive.append(item))
        if (batches.map(shortOutcome).join() !== expected.join()) {
          throw new Error(`${batches.map(shortOutcome).join()} instead of ${expected.join()}`)
        }
        for (const extent of extents) {
          if (extent.baseOffset !== offset) throw new Error(`hole or overlap at ${offset}`)
          offset = extent.endOffset
        }
        for (const change of decision.partitions) partitions.set(partitionKey(TOPIC, 0), change)
        for (const change of decision.producers) producers.set(producerKey(TOPIC, 0, change.producerId), change)
      }
      return offset === naive.records.length && partitions.get(partitionKey(TOPIC, 0))?.highWatermark === offset
    }),
    { numRuns: 500, seed: 20260101 },
  )
})
