/** What must hold of any log, whoever read it. */

interface Placed {
  readonly partition: number
  readonly offset: number
}

/** Records by partition, each in the order they were read. */
export function byPartition<T extends Placed>(records: readonly T[]): Map<number, T[]> {
  const partitions = new Map<number, T[]>()
  for (const record of records) {
    const log = partitions.get(record.partition)
    if (log === undefined) partitions.set(record.partition, [record])
    else log.push(record)
  }
  return partitions
}

/** The first place where offsets are not 0, 1, 2, …; undefined when they are, in every partition. */
export function firstOffsetGap(records: readonly Placed[]): string | undefined {
  const next = new Map<number, number>()
  for (const { partition, offset } of records) {
    const expected = next.get(partition) ?? 0
    if (offset !== expected) return `partition ${partition} has offset ${offset} where ${expected} belongs`
    next.set(partition, expected + 1)
  }
  return undefined
}

/**
 * Where values that count up are not there exactly once and in the order they were sent; undefined when they are.
 * `expected` is what was sent to that log, in order.
 */
export function firstDifference(read: readonly string[], expected: readonly string[]): string | undefined {
  const length = Math.max(read.length, expected.length)
  for (let number = 0; number < length; number++) {
    if (read[number] !== expected[number]) {
      return `record ${number} is ${read[number]} where ${expected[number]} belongs (${read.length} of ${expected.length})`
    }
  }
  return undefined
}
