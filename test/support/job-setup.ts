import type { Test } from 'tap'
import { PiscinaSegmentMerger } from '../../adapters/worker-pool/piscina-segment-merger.js'
import type { LogReader } from '../../engine/broker.js'
import { createLogReader, FetchTurns, WatermarkBoard } from '../../engine/fetch/index.js'
import { createJobs, type Job } from '../../engine/jobs/index.js'
import { NO_JOB_METRICS } from '../../engine/ports/job-metrics.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { NO_METRICS } from '../../engine/ports/metrics.js'
import { fetchAnswer } from './fetch-answer.js'
import { concatenate, offsetAfter, type TestLog, TOPIC_ID } from './test-log.js'

export type JobName = 'retention' | 'compaction' | 'key-compaction' | 'deletion' | 'sweep'
export type JobSettings = Partial<Omit<Parameters<typeof createJobs>[0], 'compaction'>> & {
  readonly compaction?: Partial<Parameters<typeof createJobs>[0]['compaction']>
}

export const COMMIT_AGE_MAX_MS = 60_000

/** The jobs of one agent over a test log, run pass by pass. Merges run in this thread. */
export function jobsOf(log: TestLog, settings: JobSettings = {}): Readonly<Record<JobName, Job>> {
  const { catalog, clock, objectStore, random } = log
  const { compaction, ...others } = settings
  const jobs = createJobs({
    catalog,
    objectStore,
    merger: new PiscinaSegmentMerger({ objectStoreUrl: undefined, objectStore }),
    clock,
    random,
    logger: NO_LOGGER,
    metrics: NO_JOB_METRICS,
    holder: 'test',
    commitAgeMaxMs: COMMIT_AGE_MAX_MS,
    retention: {
      ageMaxMs: undefined,
      bytesMax: undefined,
      intervalMs: 1000,
      producerIdExpirationMs: 86_400_000,
    },
    deletion: { intervalMs: 1000, graceMs: 10_000 },
    ...others,
    compaction: {
      fanIn: 4,
      targetBytes: 1024 * 1024,
      ageMinMs: 0,
      batchCountMax: 100_000,
      intervalMs: 1000,
      readBytesMax: 1024 * 1024,
      ...compaction,
    },
  })
  return Object.fromEntries(jobs.map((job) => [job.name, job])) as Record<JobName, Job>
}

const NEVER = new AbortController().signal

/** Passes until there is nothing more to do at once. */
export async function runJob(job: Job, passCountMax = 100): Promise<void> {
  for (let pass = 0; pass < passCountMax; pass++) if (!(await job.run(NEVER))) return
  throw new Error(`${job.name} has more to do after ${passCountMax} passes`)
}

/** A reader without caches of earlier pictures. */
export function freshReader(t: Test, log: TestLog): LogReader {
  const { catalog, clock, objectStore } = log
  const watermarks = new WatermarkBoard({ catalog, clock, logger: NO_LOGGER })
  const reader = createLogReader({ catalog, clock, objectStore, watermarks, metrics: NO_METRICS, logger: NO_LOGGER })
  t.teardown(async () => {
    await reader.close()
    watermarks.close()
  })
  return reader
}

/** What a fetch of one partition from `offset` answers. */
export async function fetchFrom(reader: LogReader, partition: number, offset: number): Promise<Uint8Array> {
  const [result] = await fetchAnswer(reader, {
    waitMaxMs: 0,
    bytesMin: 1,
    bytesMax: 50_000_000,
    signal: NEVER,
    turns: new FetchTurns(),
    partitions: [{ topicId: TOPIC_ID, partition, offset, bytesMax: 50_000_000 }],
  })
  if (result?.error) throw result.error
  return concatenate(result?.chunks ?? [])
}

/** All batches of a partition from `offset` on, by one fetch after the other. */
export async function readFrom(reader: LogReader, partition: number, offset: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for (let next = offset; ; ) {
    const content = await fetchFrom(reader, partition, next)
    if (content.byteLength === 0) return concatenate(chunks)
    chunks.push(content)
    next = offsetAfter(content, next)
  }
}
