import { randomBytes, randomUUID } from 'node:crypto'
import type { Topic } from '../../engine/model.js'
import type {
  BatchOutcome,
  Catalog,
  CommitBatch,
  CommitBlock,
  CommitSegment,
  SegmentOutcome,
} from '../../engine/ports/catalog.js'
import { newSegmentId, segmentObjectKey } from '../../engine/segment-identity.js'

/** Builders of what a commit lane hands to a catalog, with places in the object that add up. */

export const BLOCK_BYTES = 100
const HEADER_BYTES = 32

/** Generous: only tests of the age give another. */
export const LIMITS = { commitAgeMaxMs: 600_000 }

export function plainBatch(offsetCount = 1, maxTimestampMs = 1000): CommitBatch {
  return { offsetCount, producerId: -1, producerEpoch: -1, baseSequence: -1, maxTimestampMs }
}

export function sequencedBatch(
  producerId: number,
  baseSequence: number,
  offsetCount = 1,
  producerEpoch = 0,
): CommitBatch {
  return { offsetCount, producerId, producerEpoch, baseSequence, maxTimestampMs: 1000 }
}

export interface BlockSpec {
  readonly topicId: string
  readonly partition: number
  readonly batches: readonly CommitBatch[]
}

export function commitSegment(blocks: readonly BlockSpec[], options: { readonly ageMs?: number } = {}): CommitSegment {
  const segmentId = newSegmentId(Date.now() - (options.ageMs ?? 0), {
    bytes: (count) => randomBytes(count),
    fraction: Math.random,
  })
  const placed = blocks.map((block, index): CommitBlock => {
    return { ...block, position: HEADER_BYTES + index * BLOCK_BYTES, bytes: BLOCK_BYTES }
  })
  const objectBytes = HEADER_BYTES + blocks.length * BLOCK_BYTES + 200
  return { segmentId, objectKey: segmentObjectKey(segmentId), objectBytes, blocks: placed }
}

/** `accepted@5`, `duplicate@5`, or the code of a refusal. */
export function shortOutcome(outcome: BatchOutcome): string {
  return outcome.kind === 'refused' ? outcome.code : `${outcome.kind}@${outcome.baseOffset}`
}

export function shortOutcomes(outcome: SegmentOutcome | undefined): string[] {
  if (!outcome) return ['none']
  return outcome.committed ? outcome.batches.map(shortOutcome) : [outcome.code]
}

/** Commits one segment with these blocks, and answers what became of its batches. */
export async function commitBlocks(catalog: Catalog, ...blocks: BlockSpec[]): Promise<string[]> {
  const [outcome] = await catalog.commit([commitSegment(blocks)], LIMITS)
  return shortOutcomes(outcome)
}

export function createTestTopic(catalog: Catalog, name: string, partitionCount = 1): Promise<Topic> {
  return catalog.createTopic({ topicId: randomUUID(), name, partitionCount, configs: {} })
}

/** Reads a partition's extents from its start and checks that they are dense; answers them. */
export async function readLog(catalog: Catalog, topicId: string, partition: number) {
  const request = { topicId, partition, bytesMax: Number.MAX_SAFE_INTEGER, extentCountMax: 100_000 }
  const [start] = await catalog.partitionOffsets([{ topicId, partition }])
  const [answer] = await catalog.findExtents([{ ...request, offset: start?.logStartOffset ?? 0 }])
  if (!answer) throw new Error(`partition ${partition} does not exist`)
  let offset = answer.logStartOffset
  for (const extent of answer.extents) {
    if (extent.baseOffset !== offset) throw new Error(`partition ${partition} has a hole or an overlap at ${offset}`)
    offset = extent.endOffset
  }
  if (offset !== answer.highWatermark) throw new Error(`extents end at ${offset}, not at ${answer.highWatermark}`)
  return answer.extents
}
