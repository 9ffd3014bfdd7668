import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { openThreadedCatalog } from '../adapters/catalog/threaded-catalog.js'
import { MemoryObjectStore } from '../adapters/object-store/index.js'
import type { ProduceBatch, ProduceRequest } from '../engine/broker.js'
import type { PutResult } from '../engine/ports/object-store.js'
import type { WritePath } from '../engine/write-path.js'
import { encodeRate } from './encode.js'
import { type Measurement, median, mibPerS } from './measurement.js'
import { PAYLOAD_NAMES, PAYLOADS, type Payload, sampleBatch } from './samples.js'
import { openWritePath } from './write-path.js'

const TOPIC_ID = '6f1e0a52-5b1c-4a52-9a39-0d5c2c1f2b11'
const PARTITION_COUNT = 64
const PARTITIONS_PER_REQUEST = 8
const RECORDS_PER_BATCH = 256
/** Of requests that wait for their acknowledgement at any time: four segments. */
const IN_FLIGHT_BYTES = 32 * 2 ** 20
const CHUNK_BYTES = 64 * 1024
const WARMUP_MS = 1_000
const DURATION_MS = 2_000
const REPETITIONS = 3
const FLUSH_BYTES = 8 * 2 ** 20
const ARENA_BYTES = 256 * 2 ** 20

/**
 * From `append` to the acknowledgement: intake, workers, an object store that keeps nothing and SQLite in memory; no network. Held against what the workers could encode if they did nothing else.
 */
export async function benchmarkEngine(): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const payload of PAYLOADS) measurements.push(...(await engineRates(payload)))
  return measurements
}

const measured = new Map<Payload, readonly Measurement[]>()

/** Bytes per second first. Measured once per run: the limit of what uses it. */
export async function engineRates(payload: Payload): Promise<readonly Measurement[]> {
  const known = measured.get(payload)
  if (known !== undefined) return known
  const measurements = await measure(payload)
  measured.set(payload, measurements)
  return measurements
}

async function measure(payload: Payload): Promise<readonly Measurement[]> {
  const workerCount = Math.max(1, availableParallelism() - 1)
  const driven: Driven[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    driven.push(await run(payload, workerCount))
  }
  const row = {
    benchmark: 'engine',
    settings: `${workerCount} worker, ${IN_FLIGHT_BYTES / 2 ** 20} MiB of requests in flight, each in ${PARTITIONS_PER_REQUEST} of ${PARTITION_COUNT} partitions, 8 MiB or 10 ms`,
  }
  const encode = encodeRate(payload)
  const name = PAYLOAD_NAMES[payload]
  return [
    {
      ...row,
      case: name,
      unit: 'MiB/s',
      values: driven.map(({ bytes, durationMs }) => mibPerS(bytes, durationMs)),
      limit: { name: 'workers x encode', values: [workerCount * median(encode.values)] },
      target: { of: 'ratio', atLeast: 0.7 },
    },
    {
      ...row,
      case: `${name}, main thread busy`,
      unit: '%',
      values: driven.map(({ mainThreadShare }) => 100 * mainThreadShare),
      target: { of: 'value', atMost: 25 },
    },
  ]
}

async function run(payload: Payload, workerCount: number): Promise<Driven> {
  const catalog = openThreadedCatalog('sqlite::memory:')
  await catalog.migrate()
  await catalog.createTopic({ topicId: TOPIC_ID, name: 'bench', partitionCount: PARTITION_COUNT, configs: {} })
  const writePath = openWritePath({
    catalog,
    objectStore: new ForgetfulObjectStore(),
    workerCount,
    uploadCountMax: ARENA_BYTES / FLUSH_BYTES,
    flushBytes: FLUSH_BYTES,
    arenaBytes: ARENA_BYTES,
    recentBytes: 16 * 2 ** 20,
  })
  try {
    return await drive(writePath, payload)
  } finally {
    await writePath.close()
    await catalog.close()
  }
}

/** Takes everything and keeps nothing: the benchmark writes more than memory holds, and reads none of it. */
class ForgetfulObjectStore extends MemoryObjectStore {
  override async put(_key: string, body: Uint8Array): Promise<PutResult> {
    return { bytes: body.byteLength, requestCount: 1 }
  }
}

interface Driven {
  readonly bytes: number
  readonly durationMs: number
  readonly mainThreadShare: number
}

async function drive(writePath: WritePath, payload: Payload): Promise<Driven> {
  const requests = Array.from({ length: PARTITION_COUNT / PARTITIONS_PER_REQUEST }, (_, number) =>
    requestFor(payload, number * PARTITIONS_PER_REQUEST),
  )
  let bytes = 0
  const measureFromMs = performance.now() + WARMUP_MS
  const endMs = measureFromMs + DURATION_MS
  const client = async (number: number) => {
    const request = requests[number % requests.length]!
    for (let now = performance.now(); now < endMs; now = performance.now()) {
      const results = await (await writePath.intake.append(request)).results
      const failed = results.find((result) => !result.ok)
      if (failed !== undefined && !failed.ok) throw failed.error
      const ackedAtMs = performance.now()
      if (ackedAtMs < measureFromMs || ackedAtMs > endMs) continue
      for (const batch of request.batches) bytes += batch.bytes
    }
  }
  const requestBytes = requests[0]!.batches.reduce((sum, batch) => sum + batch.bytes, 0)
  const clients = Array.from({ length: Math.ceil(IN_FLIGHT_BYTES / requestBytes) }, (_, number) => client(number))
  await sleep(WARMUP_MS)
  const before = performance.eventLoopUtilization()
  await Promise.all(clients)
  const mainThreadShare = performance.eventLoopUtilization(performance.eventLoopUtilization(), before).utilization
  return { bytes, durationMs: DURATION_MS, mainThreadShare }
}

/** A request as a socket would deliver it: chunks that end where they happen to end. */
function requestFor(payload: Payload, firstPartition: number): ProduceRequest {
  const batches: ProduceBatch[] = []
  const pieces: Uint8Array[] = []
  let position = 0
  for (let number = 0; number < PARTITIONS_PER_REQUEST; number++) {
    const piece = sampleBatch({ payload, recordCount: RECORDS_PER_BATCH })
    batches.push({
      topicId: TOPIC_ID,
      partition: firstPartition + number,
      position,
      bytes: piece.byteLength,
      zstdAllowed: true,
    })
    pieces.push(piece)
    position += piece.byteLength
  }
  const whole = Buffer.concat(pieces)
  const chunks: Uint8Array[] = []
  for (let start = 0; start < whole.byteLength; start += CHUNK_BYTES)
    chunks.push(whole.subarray(start, start + CHUNK_BYTES))
  return { chunks, batches }
}
