import { type LoadShape, THROUGHPUT } from './agent.js'
import type { Target } from './measurement.js'

/** A load, and what the project wants of it. */
export interface MatrixEntry {
  /** What makes it another than the ones before. */
  readonly name: string
  readonly shape: LoadShape
  readonly store?: 'memory'
  /** Of the rate. */
  readonly rateTarget?: Target
}

const HALF_OF_THE_ENGINE: Target = { of: 'ratio', atLeast: 0.5 }

/** Requests as librdkafka sends them from a full queue: a batch of up to 1,000,000 bytes (`batch.size`) of one partition each. */
const LIBRDKAFKA: LoadShape = {
  ...THROUGHPUT,
  payload: 'json-1k',
  partitionsPerRequest: 1,
  recordsPerBatch: 900,
}
/** As many records, a third of the bytes after LZ4: what fits into the batch grows accordingly. */
const LIBRDKAFKA_LZ4: LoadShape = { ...LIBRDKAFKA, payload: 'json-1k-lz4', recordsPerBatch: 1_800 }
const SMALL: LoadShape = { ...THROUGHPUT, recordsPerBatch: 4, connectionCount: 32 }

export const MATRIX: readonly MatrixEntry[] = [
  { name: '', shape: THROUGHPUT, rateTarget: HALF_OF_THE_ENGINE },
  { name: '', shape: { ...THROUGHPUT, payload: 'json-lz4' }, rateTarget: HALF_OF_THE_ENGINE },
  { name: '', shape: { ...THROUGHPUT, payload: 'random' }, rateTarget: HALF_OF_THE_ENGINE },
  { name: 'as librdkafka', shape: LIBRDKAFKA, rateTarget: { of: 'value', atLeast: 200 } },
  { name: 'as librdkafka', shape: LIBRDKAFKA_LZ4, rateTarget: { of: 'value', atLeast: 400 } },
  { name: 'batches of 1 KiB', shape: SMALL },
  { name: 'batches of 16 KiB', shape: { ...THROUGHPUT, recordsPerBatch: 72 } },
  { name: 'one partition', shape: { ...THROUGHPUT, partitionCount: 1, partitionsPerRequest: 1 } },
  { name: '', shape: { ...THROUGHPUT, partitionCount: 1_000 } },
  { name: '', shape: { ...THROUGHPUT, partitionCount: 5_000 } },
  { name: '500 connections', shape: { ...THROUGHPUT, connectionCount: 500, inFlightMax: 1, recordsPerBatch: 16 } },
  { name: '', shape: THROUGHPUT, store: 'memory', rateTarget: HALF_OF_THE_ENGINE },
]
