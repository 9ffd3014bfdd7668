import { randomBytes } from 'node:crypto'
import { crc32c } from '../format/index.js'
import { type Measurement, mibPerS, runsPerS } from './measurement.js'

const SIZES_BYTES = [1024, 16 * 1024, 1024 * 1024]
const REPETITIONS = 5
const DURATION_MS = 200

/** CRC32C as the format computes it, beside copying the same bytes, which is what memory allows. */
export function benchmarkCrc(): Measurement[] {
  return SIZES_BYTES.map((bytes) => {
    const input = new Uint8Array(randomBytes(bytes))
    const copy = new Uint8Array(bytes)
    const values: number[] = []
    const copies: number[] = []
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      values.push(mibPerS(bytes * runsPerS(() => void crc32c(input), DURATION_MS), 1000))
      copies.push(mibPerS(bytes * runsPerS(() => copy.set(input), DURATION_MS), 1000))
    }
    return {
      benchmark: 'crc',
      case: `${bytes / 1024} KiB`,
      unit: 'MiB/s',
      values,
      limit: { name: 'memory copy', values: copies },
      settings: 'one thread, CRC32C',
    }
  })
}
