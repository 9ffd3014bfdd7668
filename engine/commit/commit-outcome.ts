import { HeadraceError } from '../errors.js'
import type { BatchOutcome, BatchRefusal, CommitSegment } from '../ports/catalog.js'

/**
 * A segment's outcome as it is kept on the segment's catalog row, so that a repeated commit is answered from one row
 * whatever compaction and retention have done to the extents since. Runs, because most batches are accepted in a row.
 *
 *   version   u8       1
 *   batches   uvarint  number of batches, all runs together
 *   runs, each:
 *     kind    u8       RUN_*
 *     count   uvarint  batches in the run, >= 1
 *     baseOffset, logStartOffset  uvarint each; accepted and duplicate runs only
 *
 * Inside an accepted or duplicate run each batch begins where the one before ended, by the batches' own offset counts: the
 * repeat carries the same batches, so they need not be stored.
 */
const VERSION = 1

/** Persisted, never reused. */
const RUN_ACCEPTED = 0
const RUN_DUPLICATE = 1
const RUN_REFUSALS: Readonly<Record<BatchRefusal, number>> = {
  PARTITION_UNKNOWN: 2,
  PRODUCER_EPOCH_FENCED: 3,
  SEQUENCE_DUPLICATE: 4,
  SEQUENCE_GAP: 5,
}
const REFUSAL_OF_RUN = new Map(Object.entries(RUN_REFUSALS).map(([code, run]) => [run, code as BatchRefusal]))

/** One per batch, in order. */
export function offsetCountsOf({ blocks }: Pick<CommitSegment, 'blocks'>): number[] {
  const counts: number[] = []
  for (const { batches } of blocks) for (const { offsetCount } of batches) counts.push(offsetCount)
  return counts
}

/** `offsetCounts`: one per batch, in the same order. */
export function encodeOutcome(outcomes: readonly BatchOutcome[], offsetCounts: readonly number[]): Uint8Array {
  assertSameLength(outcomes.length, offsetCounts.length)
  const bytes: number[] = [VERSION]
  writeVarint(bytes, outcomes.length)
  for (let start = 0; start < outcomes.length; ) {
    const end = runEnd(outcomes, offsetCounts, start)
    const first = at(outcomes, start)
    bytes.push(runKind(first))
    writeVarint(bytes, end - start)
    if (first.kind !== 'refused') {
      writeVarint(bytes, first.baseOffset)
      writeVarint(bytes, first.logStartOffset)
    }
    start = end
  }
  return Uint8Array.from(bytes)
}

/** Decodes what `encodeOutcome` wrote for the same batches. @throws CATALOG_SCHEMA_MISMATCH */
export function decodeOutcome(bytes: Uint8Array, offsetCounts: readonly number[]): BatchOutcome[] {
  const reader = new OutcomeReader(bytes)
  if (reader.u8() !== VERSION) throw damaged('a newer agent wrote it')
  if (reader.varint() !== offsetCounts.length) throw damaged('it is of another number of batches')
  const outcomes: BatchOutcome[] = []
  while (outcomes.length < offsetCounts.length) readRun(reader, offsetCounts, outcomes)
  if (!reader.atEnd) throw damaged('bytes follow it')
  return outcomes
}

function readRun(reader: OutcomeReader, offsetCounts: readonly number[], outcomes: BatchOutcome[]): void {
  const run = reader.u8()
  const count = reader.varint()
  if (count < 1 || count > offsetCounts.length - outcomes.length) throw damaged('a run is too long')
  if (run !== RUN_ACCEPTED && run !== RUN_DUPLICATE) {
    const code = REFUSAL_OF_RUN.get(run)
    if (!code) throw damaged(`its kind of run ${run} is unknown`)
    for (let index = 0; index < count; index++) outcomes.push({ kind: 'refused', code })
    return
  }
  const kind = run === RUN_ACCEPTED ? 'accepted' : 'duplicate'
  let baseOffset = reader.varint()
  const logStartOffset = reader.varint()
  for (let index = 0; index < count; index++) {
    const offsetCount = at(offsetCounts, outcomes.length)
    outcomes.push({ kind, baseOffset, logStartOffset })
    baseOffset += offsetCount
  }
}

function runEnd(outcomes: readonly BatchOutcome[], offsetCounts: readonly number[], start: number): number {
  let end = start + 1
  while (end < outcomes.length && continues(at(outcomes, end - 1), at(offsetCounts, end - 1), at(outcomes, end))) end++
  return end
}

function continues(before: BatchOutcome, offsetCount: number, after: BatchOutcome): boolean {
  if (before.kind === 'refused' || after.kind === 'refused') {
    return before.kind === 'refused' && after.kind === 'refused' && before.code === after.code
  }
  return (
    before.kind === after.kind &&
    after.baseOffset === before.baseOffset + offsetCount &&
    after.logStartOffset === before.logStartOffset
  )
}

function runKind(outcome: BatchOutcome): number {
  if (outcome.kind === 'refused') return RUN_REFUSALS[outcome.code]
  return outcome.kind === 'accepted' ? RUN_ACCEPTED : RUN_DUPLICATE
}

/** Seven bits a byte, least significant first. Arithmetic, not shifts: offsets exceed 32 bits. */
function writeVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

class OutcomeReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length
  }

  u8(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw damaged('it ends early')
    this.#position++
    return byte
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (!Number.isSafeInteger(value)) throw damaged('a number in it is too large')
      if (byte < 0x80) return value
    }
  }
}

function damaged(why: string): HeadraceError {
  return new HeadraceError(
    'CATALOG_SCHEMA_MISMATCH',
    'never',
    `the outcome stored for a committed segment cannot be read: ${why}; run agents of one version, and check the catalog`,
  )
}

function assertSameLength(outcomeCount: number, batchCount: number): void {
  if (outcomeCount !== batchCount) throw new RangeError(`${outcomeCount} outcomes for ${batchCount} batches`)
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`no item ${index} of ${items.length}`)
  return item
}
