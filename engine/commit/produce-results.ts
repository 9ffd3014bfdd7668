import type { ProduceResult } from '../broker.js'
import { HeadraceError } from '../errors.js'
import type { SealedSegment, UploadedSegment } from '../intake/segments.js'
import type { BatchOutcome, BatchRefusal, SegmentOutcome } from '../ports/catalog.js'
import {
  BATCH_COLUMNS,
  BATCH_FLAG_LOG_APPEND_TIME,
  BATCH_FLAGS,
  type SegmentInput,
  type SegmentOutput,
} from '../ports/segment-uploader.js'

/** What each batch of a segment is answered with, in arrival order: refusals of the worker and outcomes of the commit. */
export function segmentResults(uploaded: UploadedSegment, outcome: SegmentOutcome): readonly ProduceResult[] {
  if (!outcome.committed) return failedResults(uploaded.sealed, tooOld())
  const results = refusedResults(uploaded.sealed, uploaded.output)
  for (const [position, batch] of outcome.batches.entries()) {
    const inputNumber = uploaded.output.batchOrder[position]
    if (inputNumber === undefined) throw new Error('the commit answered more batches than the segment has')
    results[inputNumber] = batchResult(batch, appendTimeOf(uploaded.sealed.input, inputNumber))
  }
  return results
}

/** The worker's refusals; other batches fail as not written until something better is known. */
export function refusedResults(sealed: SealedSegment, output: SegmentOutput): ProduceResult[] {
  const unwritten = new HeadraceError('WORKER_FAILED', 'safe', 'the batch was not written')
  const results: ProduceResult[] = new Array(sealed.batchCount).fill({ ok: false, error: unwritten })
  for (const refusal of output.refusals) {
    const { code, message, recordErrors } = refusal
    const error = new HeadraceError(code, 'never', message)
    results[refusal.batch] = { ok: false, error, ...(recordErrors === undefined ? {} : { recordErrors }) }
  }
  return results
}

export function failedResults(sealed: SealedSegment, error: HeadraceError): readonly ProduceResult[] {
  return new Array(sealed.batchCount).fill({ ok: false, error })
}

/** The time that the worker has given the batch, if any. */
function appendTimeOf(input: SegmentInput, batch: number): number | undefined {
  const flags = input.batches[batch * BATCH_COLUMNS + BATCH_FLAGS] ?? 0
  return (flags & BATCH_FLAG_LOG_APPEND_TIME) === 0 ? undefined : input.createdAtMs
}

function batchResult(outcome: BatchOutcome, logAppendTimeMs: number | undefined): ProduceResult {
  if (outcome.kind === 'refused')
    return { ok: false, error: new HeadraceError(outcome.code, 'never', REFUSALS[outcome.code]) }
  const { kind, baseOffset, logStartOffset } = outcome
  if (kind === 'accepted' && logAppendTimeMs !== undefined)
    return { ok: true, baseOffset, logStartOffset, logAppendTimeMs }
  return { ok: true, baseOffset, logStartOffset }
}

function tooOld(): HeadraceError {
  return new HeadraceError('SEGMENT_TOO_OLD', 'safe', 'the segment waited too long for its commit and was given up')
}

const REFUSALS: Readonly<Record<BatchRefusal, string>> = {
  PARTITION_UNKNOWN: 'the topic was deleted or has no such partition',
  PRODUCER_EPOCH_FENCED: 'a newer instance of this producer has written to the partition',
  SEQUENCE_DUPLICATE: 'the batch repeats one that was written earlier than the last five',
  SEQUENCE_GAP: 'the batch does not follow the last sequence number of its producer',
}
