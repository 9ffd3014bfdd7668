import { readBatchHeader, type SegmentIndex } from '../../format/index.js'
import type { ProduceResult } from '../broker.js'
import type { SealedSegment } from '../intake/segments.js'
import { NO_PRODUCER_ID, partitionKey, type TopicId } from '../model.js'
import { BATCH_COLUMNS, BATCH_PARTITION, BATCH_POSITION, BATCH_TOPIC } from '../ports/segment-uploader.js'

/** Producers remembered; the loss of more at a time means that no store answers, and then nothing overtakes anything. */
const PRODUCERS_MAX = 10_000

/**
 * The producers whose last batches for a partition this agent did not get into the log. What they sent right after is in the
 * lane already, and where the catalog has never seen the producer, any sequence may begin its log: the later batch would be
 * accepted, and the earlier one's retry refused for ever. So such batches are marked until the producer is in the log.
 */
export class LostSequences {
  readonly #producers = new Set<string>()

  get empty(): boolean {
    return this.#producers.size === 0
  }

  /** To be called while the segment's arena still holds its batches. */
  remember(sealed: SealedSegment, results: readonly ProduceResult[]): void {
    for (const [batch, result] of results.entries()) {
      if (result.ok) continue
      const key = lostKey(sealed, batch)
      if (key === undefined) continue
      this.#producers.delete(key)
      this.#producers.add(key)
    }
    for (const oldest of this.#producers) {
      if (this.#producers.size <= PRODUCERS_MAX) break
      this.#producers.delete(oldest)
    }
  }

  has(topicId: TopicId, partition: number, producerId: number): boolean {
    return this.#producers.has(sequenceKey(topicId, partition, producerId))
  }

  /**
   * The same for one commit of several segments, in which an earlier one may be refused as too old and a later one accepted:
   * what an earlier segment has counts as lost for the later ones. Where it was accepted, the catalog knows the producer.
   */
  forCommit(): {
    has(topicId: TopicId, partition: number, producerId: number): boolean
    mayBeLost(index: SegmentIndex): void
  } {
    const earlier = new Set<string>()
    return {
      has: (topicId, partition, producerId) => {
        if (this.#producers.size === 0 && earlier.size === 0) return false
        const key = sequenceKey(topicId, partition, producerId)
        return this.#producers.has(key) || earlier.has(key)
      },
      mayBeLost: ({ blocks }) => {
        for (const { topicId, partition, batches } of blocks) {
          for (const { producerId } of batches) {
            if (producerId !== NO_PRODUCER_ID) earlier.add(sequenceKey(topicId, partition, producerId))
          }
        }
      },
    }
  }

  /** The producer is in the partition's log: its sequences speak for themselves. */
  forget(topicId: TopicId, partition: number, producerId: number): void {
    this.#producers.delete(sequenceKey(topicId, partition, producerId))
  }
}

function lostKey({ input }: SealedSegment, batch: number): string | undefined {
  const row = batch * BATCH_COLUMNS
  const topicId = input.topicIds[input.batches[row + BATCH_TOPIC] ?? -1]
  if (topicId === undefined) return undefined
  try {
    const { producerId } = readBatchHeader(new Uint8Array(input.arena), input.batches[row + BATCH_POSITION] ?? 0)
    if (producerId === NO_PRODUCER_ID) return undefined
    return sequenceKey(topicId, input.batches[row + BATCH_PARTITION] ?? 0, producerId)
  } catch {
    // What cannot be read was refused for that, and its producer is not known.
    return undefined
  }
}

function sequenceKey(topicId: TopicId, partition: number, producerId: number): string {
  return `${partitionKey(topicId, partition)}/${producerId}`
}
