import fc from 'fast-check'
import t from 'tap'
import type { FetchRequest, LogReader } from '../../../engine/broker.js'
import { createLogReader, FetchTurns, RecentSegments, WatermarkBoard } from '../../../engine/fetch/index.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { NO_METRICS } from '../../../engine/ports/metrics.js'
import { readBatchHeader } from '../../../format/index.js'
import { fetchAnswer } from '../../support/fetch-answer.js'
import { batchOf, concatenate, offsetAfter, TestLog, TOPIC_ID, type WrittenSegment } from '../../support/test-log.js'

/**
 * Random logs (several partitions and segments, tombstoned batches, compressible and incompressible blocks, compacted
 * stretches, remembered segments) read with random offsets and limits, on limits so small that every path is taken.
 */

const PARTITIONS = 3

const batch = fc.record({
  partition: fc.nat(PARTITIONS - 1),
  records: fc.integer({ min: 1, max: 5 }),
  valueBytes: fc.oneof(fc.nat(40), fc.nat(900)),
  compressible: fc.boolean(),
  // A small range of sequences: most are duplicates or gaps, and become tombstones.
  sequence: fc.option(fc.nat(8)),
})

const segment = fc.record({
  batches: fc.array(batch, { minLength: 1, maxLength: 12 }),
  blockTargetBytes: fc.constantFrom(1, 600, 2000, 128 * 1024),
  remembered: fc.boolean(),
})

const scenario = fc.record({
  segments: fc.array(segment, { minLength: 1, maxLength: 7 }),
  compactions: fc.array(fc.record({ partition: fc.nat(PARTITIONS - 1), first: fc.nat(4), count: fc.nat(4) }), {
    maxLength: 3,
  }),
  logStarts: fc.array(
    fc.record({ partition: fc.nat(PARTITIONS - 1), share: fc.double({ min: 0, max: 0.7, noNaN: true }) }),
    {
      maxLength: 1,
    },
  ),
  limits: fc.record({
    chunkBytes: fc.constantFrom(64, 500, 4096),
    wholeExtentBytesMax: fc.constantFrom(0, 300, 2000, 1e6),
    cacheBytesMax: fc.constantFrom(0, 2000, 1e6),
    segmentsPerRoundMax: fc.constantFrom(1, 2, 64),
    extentsPerRoundMax: fc.constantFrom(1, 6, 2000),
    bytesInFlightMax: fc.constantFrom(1, 5000, 1e6),
  }),
  fetches: fc.array(
    fc.record({
      bytesMax: fc.constantFrom(1, 300, 1500, 1e6),
      partitionBytesMax: fc.constantFrom(1, 300, 900, 1e6),
      bytesMin: fc.constantFrom(0, 1, 700, 1e6),
      shares: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: PARTITIONS, maxLength: PARTITIONS }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

async function build({ segments, compactions, logStarts }: Scenario) {
  const log = await TestLog.create(PARTITIONS)
  const recent = new RecentSegments(1e6)
  let fill = 0
  for (const { batches, blockTargetBytes, remembered } of segments) {
    const written = await log.write(
      batches.map(({ partition, records, valueBytes, compressible, sequence }) => {
        const options = { valueBytes, fill: compressible ? 0 : ++fill }
        const producer = sequence === null ? {} : { producerId: 1, producerEpoch: 0, baseSequence: sequence }
        return { partition, bytes: batchOf(records, { ...options, ...producer }) }
      }),
      { blockTargetBytes },
    )
    if (remembered) remember(recent, written)
  }
  for (const { partition, first, count } of compactions) {
    await log.compact(partition, first, first + count + 1, { blockTargetBytes: 1000 })
  }
  for (const { partition, share } of logStarts) {
    log.catalog.raiseLogStart({ topicId: TOPIC_ID, partition }, Math.floor(share * log.endOffset(partition)))
  }
  return { log, recent }
}

function remember(recent: RecentSegments, written: WrittenSegment): void {
  recent.remember({
    segmentId: written.segmentId,
    index: written.index,
    bytes: 1,
    batch: (number) => written.batches[number]?.bytes ?? new Uint8Array(0),
  })
}

function request(offsets: readonly number[], limits: Scenario['fetches'][number]): Omit<FetchRequest, 'whenSent'> {
  return {
    waitMaxMs: 0,
    bytesMin: limits.bytesMin,
    bytesMax: limits.bytesMax,
    turns: new FetchTurns(),
    signal: new AbortController().signal,
    partitions: offsets.map((offset, partition) => {
      return { topicId: TOPIC_ID, partition, offset, bytesMax: limits.partitionBytesMax }
    }),
  }
}

/** One fetch: whole batches of the log from the offset on, within the limits, progress where there is data. */
async function checkFetch(
  log: TestLog,
  reader: LogReader,
  asked: Omit<FetchRequest, 'whenSent'>,
): Promise<readonly Uint8Array[]> {
  const results = await fetchAnswer(reader, asked)
  const total = results.reduce((sum, result) => sum + result.bytes, 0)
  let batchCount = 0
  let behind = false
  const contents = results.map((result, partition) => {
    const { offset, bytesMax } = asked.partitions[partition] ?? { offset: -1, bytesMax: -1 }
    const content = concatenate(result.chunks)
    const expected = log.bytesFrom(partition, offset)
    if (result.error !== undefined) throw result.error
    if (offset < log.endOffset(partition)) behind = true
    if (result.highWatermark !== log.endOffset(partition)) throw new Error('wrong high watermark')
    if (result.bytes !== content.byteLength) throw new Error('wrong byte count')
    if (Buffer.compare(content, expected.subarray(0, content.byteLength)) !== 0) throw new Error('wrong bytes')
    const count = countBatches(content)
    batchCount += count
    if (result.bytes > bytesMax && count > 1) throw new Error('beyond the limit of the partition')
    return content
  })
  if (total > asked.bytesMax && batchCount > 1) throw new Error('beyond the limit of the answer')
  if (behind && batchCount === 0) throw new Error('no progress')
  return contents
}

function countBatches(content: Uint8Array): number {
  let count = 0
  for (let position = 0; position < content.byteLength; count++) position += readBatchHeader(content, position).bytes
  return count
}

t.test('random reads of random logs are byte-exact and keep their limits', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (sample) => {
      const { log, recent } = await build(sample)
      const { catalog, clock, objectStore } = log
      const board = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
      const parts = { catalog, clock, objectStore, watermarks: board, recent, metrics: NO_METRICS, logger: NO_LOGGER }
      const reader = createLogReader({ ...parts, limits: sample.limits })
      const starts = await catalog.partitionOffsets([0, 1, 2].map((partition) => ({ topicId: TOPIC_ID, partition })))
      const startOf = (partition: number) => starts[partition]?.logStartOffset ?? 0
      for (const asked of sample.fetches) {
        const offsets = asked.shares.map((share, partition) => {
          return startOf(partition) + Math.floor(share * (log.endOffset(partition) - startOf(partition)))
        })
        await checkFetch(log, reader, request(offsets, asked))
      }
      await readAll(log, reader, sample.fetches[0] as Scenario['fetches'][number], startOf)
      await reader.close()
      board.close()
    }),
    { numRuns: 150 },
  )
})

/** A consumer that goes on from where it came: all partitions together give the whole log, and it ends. */
async function readAll(
  log: TestLog,
  reader: LogReader,
  limits: Scenario['fetches'][number],
  startOf: (partition: number) => number,
): Promise<void> {
  const offsets = Array.from({ length: PARTITIONS }, (_, partition) => startOf(partition))
  const read: Uint8Array[][] = offsets.map(() => [])
  for (let round = 0; offsets.some((offset, partition) => offset < log.endOffset(partition)); round++) {
    if (round > 1000) throw new Error('it does not end')
    for (const [partition, content] of (await checkFetch(log, reader, request(offsets, limits))).entries()) {
      read[partition]?.push(content)
      offsets[partition] = offsetAfter(content, offsets[partition] ?? 0)
    }
  }
  for (const [partition, contents] of read.entries()) {
    const expected = log.bytesFrom(partition, startOf(partition))
    if (Buffer.compare(concatenate(contents), expected) !== 0) throw new Error('the parts are not the whole')
  }
}
