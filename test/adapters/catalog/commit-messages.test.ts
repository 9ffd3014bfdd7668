import { randomUUID } from 'node:crypto'
import t from 'tap'
import {
  packOutcomes,
  packSegments,
  unpackOutcomes,
  unpackSegments,
} from '../../../adapters/catalog/commit-messages.js'
import type { BatchOutcome, CommitBatch, CommitSegment, SegmentOutcome } from '../../../engine/ports/catalog.js'
import { commitSegment, plainBatch, sequencedBatch } from '../../support/commit-segments.js'
import { SeededRandom } from '../../support/virtual-clock.js'

const random = new SeededRandom(5)
const below = (count: number) => Math.floor(random.fraction() * count)
const TOPIC_IDS = [randomUUID(), randomUUID(), randomUUID()]

function someBatch(): CommitBatch {
  const batch = below(2) === 0 ? plainBatch(1 + below(9), -1) : sequencedBatch(2 ** 50 + below(5), below(2 ** 31), 7, 3)
  return below(3) === 0 ? { ...batch, afterLoss: true } : batch
}

function someSegment(): CommitSegment {
  const segment = commitSegment(
    Array.from({ length: below(6) }, (_, partition) => ({
      topicId: TOPIC_IDS[below(3)]!,
      partition,
      batches: Array.from({ length: below(5) }, someBatch),
    })),
  )
  return { ...segment, objectBytes: 2 ** 40 + below(100) }
}

function someOutcome(): BatchOutcome {
  if (below(3) === 0) return { kind: 'refused', code: below(2) === 0 ? 'SEQUENCE_GAP' : 'PARTITION_UNKNOWN' }
  return { kind: below(2) === 0 ? 'accepted' : 'duplicate', baseOffset: below(2 ** 40), logStartOffset: below(10) }
}

t.test('segments and outcomes arrive as they left, through a message', async (t) => {
  for (let round = 0; round < 200; round++) {
    const segments = Array.from({ length: below(4) }, someSegment)
    const arrived = unpackSegments(structuredClone(packSegments(segments)))
    t.same(arrived, segments)
    const outcomes = segments.map(({ segmentId, blocks }): SegmentOutcome => {
      if (below(4) === 0) return { segmentId, committed: false, code: 'SEGMENT_TOO_OLD' }
      return { segmentId, committed: true, batches: blocks.flatMap(({ batches }) => batches.map(someOutcome)) }
    })
    t.same(unpackOutcomes(structuredClone(packOutcomes(outcomes, arrived)), segments), outcomes)
  }
})

t.test('numbers that do not add up are our bug', async (t) => {
  const packed = packSegments([commitSegment([{ topicId: TOPIC_IDS[0]!, partition: 0, batches: [plainBatch()] }])])
  t.throws(() => unpackSegments({ ...packed, numbers: packed.numbers.slice(0, -1) }), RangeError)
  t.throws(() => unpackSegments({ ...packed, topicIds: [] }), RangeError)
})
