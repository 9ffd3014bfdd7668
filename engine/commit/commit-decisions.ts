import { NO_PRODUCER_ID, partitionKey, type SegmentId, type TopicId } from '../model.js'
import type { BatchOutcome, CommitBatch, CommitBlock, CommitSegment } from '../ports/catalog.js'
import { ExtentCollector, type ExtentDraft } from './extent-collector.js'
import { PartitionMap } from './partition-map.js'
import { acceptSequence, judgeSequence, type ProducerState } from './producer-state.js'

/**
 * The meaning of the commit transaction, as a pure function: from what the catalog holds (locked) and the segments in
 * order, to every batch's outcome and the rows to write. The adapter around it reads, calls this, and writes.
 */

export interface PartitionState {
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Greatest timestamp ever committed to the partition; `TIMESTAMP_NONE` while it is empty. */
  readonly maxTimestampMs: number
}

/** Below every timestamp a batch can have (-1 means none). */
export const TIMESTAMP_NONE = -2

/** What the catalog holds, asked for as it is needed. */
export interface CommitState {
  /** Undefined where the partition does not exist. */
  partition(topicId: TopicId, partition: number): PartitionState | undefined
  /** Undefined where the producer is new to the partition. */
  producer(topicId: TopicId, partition: number, producerId: number): ProducerState | undefined
}

/** By `partitionKey` and `producerKey`. */
export function commitStateOf(
  partitions: ReadonlyMap<string, PartitionState>,
  producers: ReadonlyMap<string, ProducerState>,
): CommitState {
  return {
    partition: (topicId, partition) => partitions.get(partitionKey(topicId, partition)),
    producer: (topicId, partition, producerId) => producers.get(producerKey(topicId, partition, producerId)),
  }
}

export interface CommitDecision {
  /** One per segment, in order. */
  readonly segments: readonly SegmentDecision[]
  /** States after the commit, of those that changed. */
  readonly partitions: readonly PartitionChange[]
  readonly producers: readonly ProducerChange[]
}

export interface SegmentDecision {
  readonly segmentId: SegmentId
  readonly batches: readonly BatchOutcome[]
  readonly extents: readonly ExtentDraft[]
}

export interface PartitionChange extends PartitionState {
  readonly topicId: TopicId
  readonly partition: number
}

export interface ProducerChange extends ProducerState {
  readonly topicId: TopicId
  readonly partition: number
  readonly producerId: number
}

/** Map key of a producer's state in a partition. */
export function producerKey(topicId: TopicId, partition: number, producerId: number): string {
  return `${partitionKey(topicId, partition)}/${producerId}`
}

export function decideCommit(segments: readonly CommitSegment[], state: CommitState): CommitDecision {
  const working = new WorkingState(state)
  const decisions = segments.map((segment) => decideSegment(segment, working))
  return { segments: decisions, partitions: working.partitionChanges(), producers: working.producerChanges() }
}

function decideSegment(segment: CommitSegment, working: WorkingState): SegmentDecision {
  const batches: BatchOutcome[] = []
  const extents = new ExtentCollector()
  for (const block of segment.blocks) decideBlock(block, working, batches, extents)
  return { segmentId: segment.segmentId, batches, extents: extents.extents }
}

function decideBlock(
  block: CommitBlock,
  working: WorkingState,
  outcomes: BatchOutcome[],
  extents: ExtentCollector,
): void {
  const partition = working.partition(block)
  for (const [index, batch] of block.batches.entries()) {
    const outcome = decideBatch(batch, partition)
    outcomes.push(outcome)
    if (outcome.kind !== 'accepted' || !partition) continue
    partition.accept(batch)
    const { baseOffset } = outcome
    const endOffset = baseOffset + batch.offsetCount
    extents.add(block, index, baseOffset, endOffset, batch.maxTimestampMs, partition.maxTimestampMs)
  }
}

function decideBatch(batch: CommitBatch, partition: WorkingPartition | undefined): BatchOutcome {
  assertBatch(batch)
  if (!partition) return { kind: 'refused', code: 'PARTITION_UNKNOWN' }
  const { highWatermark: baseOffset, logStartOffset } = partition
  if (batch.producerId === NO_PRODUCER_ID) return { kind: 'accepted', baseOffset, logStartOffset }
  const producer = partition.producer(batch.producerId)
  const verdict = judgeSequence(producer, batch)
  switch (verdict.kind) {
    case 'accept':
      partition.changedProducers.set(batch.producerId, acceptSequence(producer, batch, baseOffset))
      return { kind: 'accepted', baseOffset, logStartOffset }
    case 'duplicate':
      return { kind: 'duplicate', baseOffset: verdict.baseOffset, logStartOffset }
    case 'refuse':
      return { kind: 'refused', code: verdict.code }
  }
}

/** Workers validated the batches; one that arrives here malformed is our bug and must not reach the log. */
function assertBatch(batch: CommitBatch): void {
  if (!(batch.offsetCount >= 1)) throw new RangeError(`a batch takes at least one offset, not ${batch.offsetCount}`)
  if (batch.producerId !== NO_PRODUCER_ID && !(batch.baseSequence >= 0)) {
    throw new RangeError(`a batch of producer ${batch.producerId} has the base sequence ${batch.baseSequence}`)
  }
}

/** A partition as the batches before have left it: this is what dedupes inside one commit. */
class WorkingPartition {
  readonly topicId: TopicId
  readonly partition: number
  readonly logStartOffset: number
  highWatermark: number
  maxTimestampMs: number
  changed = false
  readonly changedProducers = new Map<number, ProducerState>()
  readonly #state: CommitState

  constructor({ topicId, partition }: CommitBlock, state: PartitionState, commitState: CommitState) {
    this.topicId = topicId
    this.partition = partition
    this.logStartOffset = state.logStartOffset
    this.highWatermark = state.highWatermark
    this.maxTimestampMs = state.maxTimestampMs
    this.#state = commitState
  }

  producer(producerId: number): ProducerState | undefined {
    return this.changedProducers.get(producerId) ?? this.#state.producer(this.topicId, this.partition, producerId)
  }

  accept(batch: CommitBatch): void {
    this.highWatermark += batch.offsetCount
    this.maxTimestampMs = Math.max(this.maxTimestampMs, batch.maxTimestampMs)
    this.changed = true
  }
}

/** Those partitions that the segments have met so far, in the order of meeting. */
class WorkingState {
  readonly #state: CommitState
  readonly #partitions: WorkingPartition[] = []
  readonly #byPartition = new PartitionMap<WorkingPartition>()

  constructor(state: CommitState) {
    this.#state = state
  }

  /** Undefined where it does not exist. */
  partition(block: CommitBlock): WorkingPartition | undefined {
    const { topicId, partition } = block
    const met = this.#byPartition.get(topicId, partition)
    if (met) return met
    const state = this.#state.partition(topicId, partition)
    if (!state) return undefined
    const working = new WorkingPartition(block, state, this.#state)
    this.#partitions.push(working)
    this.#byPartition.set(topicId, partition, working)
    return working
  }

  /** Literals of one shape, here and below: a spread gives each its own, and all who read them meet many. */
  partitionChanges(): PartitionChange[] {
    const changes: PartitionChange[] = []
    for (const { topicId, partition, logStartOffset, highWatermark, maxTimestampMs, changed } of this.#partitions) {
      if (changed) changes.push({ topicId, partition, logStartOffset, highWatermark, maxTimestampMs })
    }
    return changes
  }

  producerChanges(): ProducerChange[] {
    const changes: ProducerChange[] = []
    for (const { topicId, partition, changedProducers } of this.#partitions) {
      for (const [producerId, { epoch, sequenceCount, batches }] of changedProducers) {
        changes.push({ topicId, partition, producerId, epoch, sequenceCount, batches })
      }
    }
    return changes
  }
}
