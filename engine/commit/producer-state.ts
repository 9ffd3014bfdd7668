/**
 * What the catalog remembers of one producer in one partition, and how a batch's sequence is judged against it
 * (Kafka's rules of idempotence). Pure.
 *
 * Sequences run from 0 to 2^31 - 1 and then start at 0 again; the sign bit never appears.
 */

/** Accepted batches whose repeats are answered with their original offset: Kafka's number, and its clients' limit in flight. */
export const PRODUCER_BATCHES_MAX = 5

const SEQUENCE_MODULUS = 2 ** 31
/** A sequence farther back than half the circle is read as lying ahead. */
const SEQUENCE_BACK_MAX = 2 ** 30

export interface ProducerState {
  readonly epoch: number
  /**
   * Sequences accepted without a gap up to the newest. Tells a repeat older than `batches`, which is surely in the log,
   * from a sequence below the first one this state ever saw, which may never have been written.
   */
  readonly sequenceCount: number
  /** The last accepted batches, oldest first: 1 to `PRODUCER_BATCHES_MAX`. */
  readonly batches: readonly ProducerBatch[]
}

export interface ProducerBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

/** A batch as its producer numbered it. */
export interface SequencedBatch {
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Records, each of which takes one sequence. */
  readonly offsetCount: number
  readonly afterLoss?: boolean
}

export type SequenceVerdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refuse'; readonly code: 'PRODUCER_EPOCH_FENCED' | 'SEQUENCE_DUPLICATE' | 'SEQUENCE_GAP' }

const ACCEPT: SequenceVerdict = { kind: 'accept' }
const GAP: SequenceVerdict = { kind: 'refuse', code: 'SEQUENCE_GAP' }

/** The sequence `count` records after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCE_MODULUS
}

/** Judges a batch in the order in which Kafka does: repeat, fencing, epoch change, continuation. */
export function judgeSequence(state: ProducerState | undefined, batch: SequencedBatch): SequenceVerdict {
  // An unknown producer may begin anywhere, as its state may have expired; but not where its beginning was just lost.
  if (!state) return batch.afterLoss === true && batch.baseSequence !== 0 ? GAP : ACCEPT
  if (batch.producerEpoch === state.epoch) return judgeSameEpoch(state, batch)
  if (batch.producerEpoch < state.epoch) return { kind: 'refuse', code: 'PRODUCER_EPOCH_FENCED' }
  return batch.baseSequence === 0 ? ACCEPT : GAP
}

function judgeSameEpoch(state: ProducerState, batch: SequencedBatch): SequenceVerdict {
  const lastSequence = sequenceAfter(batch.baseSequence, batch.offsetCount - 1)
  for (const known of state.batches) {
    if (known.baseSequence === batch.baseSequence && known.lastSequence === lastSequence) {
      return { kind: 'duplicate', baseOffset: known.baseOffset }
    }
  }
  const next = sequenceAfter(newest(state).lastSequence, 1)
  if (batch.baseSequence === next) return ACCEPT
  return { kind: 'refuse', code: isRepeat(state, batch, next) ? 'SEQUENCE_DUPLICATE' : 'SEQUENCE_GAP' }
}

/** Whether every sequence of the batch is surely in the log: clients take SEQUENCE_DUPLICATE for success. */
function isRepeat(state: ProducerState, batch: SequencedBatch, next: number): boolean {
  const back = (next - batch.baseSequence + SEQUENCE_MODULUS) % SEQUENCE_MODULUS
  return back <= Math.min(state.sequenceCount, SEQUENCE_BACK_MAX) && batch.offsetCount <= back
}

/** The state once `batch`, which was judged `accept`, stands at `baseOffset`. */
export function acceptSequence(
  state: ProducerState | undefined,
  batch: SequencedBatch,
  baseOffset: number,
): ProducerState {
  const accepted: ProducerBatch = {
    baseSequence: batch.baseSequence,
    lastSequence: sequenceAfter(batch.baseSequence, batch.offsetCount - 1),
    baseOffset,
  }
  if (state?.epoch !== batch.producerEpoch) {
    return { epoch: batch.producerEpoch, sequenceCount: batch.offsetCount, batches: [accepted] }
  }
  return {
    epoch: state.epoch,
    sequenceCount: state.sequenceCount + batch.offsetCount,
    batches: [...state.batches.slice(1 - PRODUCER_BATCHES_MAX), accepted],
  }
}

function newest(state: ProducerState): ProducerBatch {
  const batch = state.batches.at(-1)
  if (!batch) throw new RangeError('a producer state holds at least one batch')
  return batch
}
