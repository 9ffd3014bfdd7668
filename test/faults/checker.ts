/** What clients saw, and what must hold of it: the Kafka workload of Jepsen in spirit. Pure. */

export type SendOutcome = 'acknowledged' | 'unknown'

export interface Send {
  readonly producer: string
  readonly idempotent: boolean
  /**
   * Sent before the one before it was answered. Without idempotence nobody promises an order then: the retry of a request that
   * one agent did not answer meets later ones at another.
   */
  readonly pipelined?: boolean
  readonly partition: number
  /** Counts up by one per producer and partition, in the order of sending. */
  readonly sequence: number
  readonly outcome: SendOutcome
}

export interface Observation {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** One read of whole partitions, from offset 0 to the end they had then. Reads of a reader follow each other. */
export interface Poll {
  readonly reader: string
  readonly records: readonly Observation[]
}

export type ViolationKind = 'lost' | 'duplicate' | 'two-values' | 'backwards' | 'order' | 'gap' | 'invented'

export interface Violation {
  readonly kind: ViolationKind
  readonly text: string
}

export function recordValue({
  producer,
  partition,
  sequence,
}: Pick<Send, 'producer' | 'partition' | 'sequence'>): string {
  return `${producer}/${partition}/${sequence}`
}

/** @param final the log after all faults were healed, complete */
export function findViolations(sends: readonly Send[], polls: readonly Poll[], final: Poll): Violation[] {
  return [
    ...checkOffsets([...polls, final]),
    ...checkMonotonic(polls, final),
    ...checkGaps([...polls, final]),
    ...checkRecords(sends, final),
  ]
}

function checkOffsets(polls: readonly Poll[]): Violation[] {
  const values = new Map<string, string>()
  const violations = new Map<string, Violation>()
  for (const { reader, records } of polls) {
    for (const { partition, offset, value } of records) {
      const place = `${partition}:${offset}`
      const known = values.get(place) ?? value
      values.set(place, known)
      if (known !== value) {
        violations.set(place, { kind: 'two-values', text: `${place} is ${known}, and ${value} to ${reader}` })
      }
    }
  }
  return [...violations.values()]
}

/** A later read of the same reader never ends before an earlier one. */
function checkMonotonic(polls: readonly Poll[], final: Poll): Violation[] {
  const ends = new Map<string, number>()
  const highest = new Map<number, number>()
  const violations: Violation[] = []
  const visit = (name: string, partition: number, end: number, before: number) => {
    if (end < before) {
      violations.push({
        kind: 'backwards',
        text: `${name} saw partition ${partition} end at ${before}, then at ${end}`,
      })
    }
  }
  for (const poll of polls) {
    for (const [partition, end] of endsOf(poll)) {
      const key = `${poll.reader}/${partition}`
      visit(poll.reader, partition, end, ends.get(key) ?? 0)
      ends.set(key, end)
      highest.set(partition, Math.max(highest.get(partition) ?? 0, end))
    }
  }
  const finalEnds = endsOf(final)
  for (const [partition, end] of highest) visit('the final read', partition, finalEnds.get(partition) ?? 0, end)
  return violations
}

function endsOf(poll: Poll): Map<number, number> {
  const ends = new Map<number, number>()
  for (const { partition, offset } of poll.records) ends.set(partition, Math.max(ends.get(partition) ?? 0, offset + 1))
  return ends
}

function checkGaps(polls: readonly Poll[]): Violation[] {
  const violations: Violation[] = []
  for (const { reader, records } of polls) {
    const next = new Map<number, number>()
    for (const { partition, offset } of records) {
      const expected = next.get(partition) ?? 0
      if (offset !== expected) {
        violations.push({ kind: 'gap', text: `${reader} got ${partition}:${offset} where ${expected} belongs` })
      }
      next.set(partition, offset + 1)
    }
  }
  return violations
}

function checkRecords(sends: readonly Send[], final: Poll): Violation[] {
  const offsets = new Map<string, number[]>()
  for (const { value, offset } of final.records) offsets.set(value, [...(offsets.get(value) ?? []), offset])
  const violations: Violation[] = []
  const last = new Map<string, { readonly offset: number; readonly value: string }>()
  const sent = new Set<string>()
  for (const send of sends) {
    const value = recordValue(send)
    sent.add(value)
    const found = offsets.get(value) ?? []
    if (send.outcome === 'acknowledged' && found.length === 0) violations.push({ kind: 'lost', text: value })
    if (send.idempotent && found.length > 1) {
      violations.push({ kind: 'duplicate', text: `${value} is at ${found.join(' and ')}` })
    }
    const [first] = found
    // What was given up may still arrive, behind its successors.
    if (first === undefined || send.outcome !== 'acknowledged') continue
    if (send.pipelined === true && !send.idempotent) continue
    const log = `${send.producer}/${send.partition}`
    const before = last.get(log)
    // A plain producer's lost answer may leave an early copy; the first copies are in the order of sending all the same.
    if (before !== undefined && before.offset > first) {
      violations.push({ kind: 'order', text: `${value} at ${first} is before ${before.value} at ${before.offset}` })
    }
    last.set(log, { offset: first, value })
  }
  for (const value of offsets.keys()) {
    if (!sent.has(value)) violations.push({ kind: 'invented', text: `${value} was never sent` })
  }
  return violations
}
