import type { Test } from 'tap'
import type { FetchRequest } from '../../engine/broker.js'
import {
  createLogReader,
  type FetchLimits,
  FetchTurns,
  type LogReaderOptions,
  WatermarkBoard,
} from '../../engine/fetch/index.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { NO_METRICS } from '../../engine/ports/metrics.js'
import { fetchAnswer } from './fetch-answer.js'
import { concatenate, TestLog, TOPIC_ID } from './test-log.js'

/** What one fetch of the test asks for; offsets are those of partition 0, 1, … */
export type Ask = Partial<Omit<FetchRequest, 'partitions'>> & {
  readonly offsets?: readonly number[]
  readonly partitionBytesMax?: number
}

/** A log, a reader of it, and ways to ask it. */
export async function setUpLogReader(
  t: Test,
  options: { partitionCount?: number; limits?: Partial<FetchLimits> } = {},
) {
  const log = await TestLog.create(options.partitionCount ?? 1)
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const open = (changes: Partial<LogReaderOptions> = {}) => {
    const reader = createLogReader({
      catalog,
      clock,
      objectStore,
      watermarks,
      metrics: NO_METRICS,
      logger: NO_LOGGER,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...changes,
    })
    t.teardown(() => reader.close())
    return reader
  }
  const reader = open()
  t.teardown(() => watermarks.close())
  const turns = new FetchTurns()
  const fetch = ({ offsets = [0], partitionBytesMax = 1e6, ...request }: Ask = {}, from = reader) =>
    fetchAnswer(from, {
      waitMaxMs: 0,
      bytesMin: 1,
      bytesMax: 1e6,
      signal: new AbortController().signal,
      turns,
      partitions: offsets.map((offset, partition) => ({
        topicId: TOPIC_ID,
        partition,
        offset,
        bytesMax: partitionBytesMax,
      })),
      ...request,
    })
  const one = async (request: Ask, from = reader) => {
    const [result] = await fetch(request, from)
    if (result === undefined) throw new Error('no result')
    return { ...result, content: concatenate(result.chunks) }
  }
  return { log, reader, watermarks, fetch, one, open }
}
