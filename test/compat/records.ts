import type { ReadRecord, SentRecord } from './driver.js'

export function recordsOf(count: number, partitionCount: number, label = 'record'): SentRecord[] {
  return Array.from({ length: count }, (_, number) => ({
    partition: number % partitionCount,
    key: number % 7 === 0 ? null : `key-${number}`,
    value: `${label} ${number} grüße ${'x'.repeat((number * 37) % 500)}`,
  }))
}

/**
 * Every sent record once, in the order of its partition, at offsets without a gap. @throws Error with the first difference
 */
export function checkSame(sent: readonly SentRecord[], read: readonly ReadRecord[], reader: string): void {
  if (read.length !== sent.length) throw new Error(`${reader} read ${read.length} of ${sent.length} records`)
  for (const partition of new Set(sent.map((record) => record.partition))) {
    const expected = sent.filter((record) => record.partition === partition)
    const found = read.filter((record) => record.partition === partition)
    const first = found[0]?.offset ?? 0
    for (const [place, { key, value }] of expected.entries()) {
      const record = found[place]
      // Some clients cannot write a key that is null, or do not tell it from an empty one.
      const same = (record?.key ?? '') === (key ?? '') && record?.value === value
      if (!same) {
        const shown = JSON.stringify(record)?.slice(0, 200)
        throw new Error(`${reader}: record ${place} of partition ${partition} is ${shown}, sent with key ${key}`)
      }
      if (record.offset !== first + place) throw new Error(`${reader}: offset ${record.offset}, not ${first + place}`)
    }
  }
}

export function placesOf(records: readonly ReadRecord[]): Set<string> {
  return new Set(records.map(({ partition, offset }) => `${partition}:${offset}`))
}
