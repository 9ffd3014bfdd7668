import { BLOCK_TARGET_BYTES_DEFAULT } from '../format/index.js'
import { compressLz4, decompressLz4 } from '../format/lz4.js'
import { type Measurement, mibPerS, runsPerS } from './measurement.js'
import { PAYLOAD_NAMES, type Payload, sampleBatch } from './samples.js'

const PAYLOADS: readonly Payload[] = ['json', 'random']
const REPETITIONS = 5
const DURATION_MS = 300

/** The LZ4 library alone, on blocks as segments hold them: the rate to compare encoding and compaction with. */
export function benchmarkLz4(): Measurement[] {
  return PAYLOADS.flatMap((payload) => {
    const block = blockOf(payload)
    const compressed = compressLz4(block)
    const rate = (run: () => void) =>
      Array.from({ length: REPETITIONS }, () => mibPerS(block.byteLength * runsPerS(run, DURATION_MS), 1000))
    const settings = `one thread, ${block.byteLength / 1024} KiB, stored ${Math.round((100 * compressed.byteLength) / block.byteLength)}%`
    const row = { benchmark: 'lz4', unit: 'MiB/s', settings }
    return [
      { ...row, case: `compress ${PAYLOAD_NAMES[payload]}`, values: rate(() => void compressLz4(block)) },
      {
        ...row,
        case: `decompress ${PAYLOAD_NAMES[payload]}`,
        values: rate(() => void decompressLz4(compressed, block.byteLength)),
      },
    ]
  })
}

function blockOf(payload: Payload): Uint8Array {
  const batches: Uint8Array[] = []
  for (let bytes = 0; bytes < BLOCK_TARGET_BYTES_DEFAULT; bytes += batches.at(-1)?.byteLength ?? 0) {
    batches.push(sampleBatch({ payload, recordCount: 64 }))
  }
  return new Uint8Array(Buffer.concat(batches)).slice(0, BLOCK_TARGET_BYTES_DEFAULT)
}
