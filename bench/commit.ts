import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../adapters/catalog/index.js'
import type { Topic } from '../engine/model.js'
import type { Catalog, CommitSegment } from '../engine/ports/catalog.js'
import { commitSegment, createTestTopic, LIMITS, sequencedBatch } from '../test/support/commit-segments.js'
import { startMariadb } from '../test/support/mariadb.js'
import { type Measurement, median, type Target } from './measurement.js'
import { openBareDriver, openRecorded } from './statement-recording.js'

const PARTITION_COUNTS = [1, 10, 100, 1_000, 5_000, 20_000]
/** An agent's code is compiled long before its thousandth commit, and what commits bring is filed from the first dozens on. */
const WARMUPS = 40
const REPETITIONS = 25
/** Of the large ones, which take long and vary less. */
const WARMUPS_LARGE = 2
const REPETITIONS_LARGE = 3
const LARGE = 5_000
const TARGETS: ReadonlyMap<number, Target> = new Map([[1_000, { of: 'value', atMost: 25 }]])
const COMMITTER_COUNTS = [1, 2, 4, 8]
const COMMITTERS_PARTITION_COUNT = 100
const COMMITTERS_DURATION_MS = 1_000
const SETTINGS = 'one segment, one idempotent batch per partition, one commit at a time'

/** How long a commit takes as it grows, on each database, and how several agents share one. */
export async function benchmarkCommit(): Promise<Measurement[]> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const server = await startMariadb()
  try {
    let files = 0
    const databases: readonly [string, () => string | Promise<string>][] = [
      ['SQLite', () => `sqlite://${join(directory, `${files++}.db`)}`],
      ['MariaDB', () => server.freshDatabase()],
    ]
    const measurements: Measurement[] = []
    for (const [name, freshUrl] of databases) {
      measurements.push(...(await growing(name, await freshUrl(), await freshUrl())))
      for (const count of COMMITTER_COUNTS) measurements.push(await committers(name, await freshUrl(), count))
    }
    return measurements
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Each commit stands beside its own statements, sent to the other database by nothing but the driver. */
async function growing(name: string, url: string, bareUrl: string): Promise<Measurement[]> {
  const { catalog, take } = openRecorded(url)
  const bare = await openBareDriver(bareUrl)
  try {
    await catalog.migrate()
    await migrateAt(bareUrl)
    take()
    const topic = await createTestTopic(catalog, 'bench', Math.max(...PARTITION_COUNTS))
    await bare.replay(take())
    const measurements: Measurement[] = []
    let sequence = 0
    for (const partitionCount of PARTITION_COUNTS) {
      const runs: Run[] = []
      const [warmups, repetitions] =
        partitionCount < LARGE ? [WARMUPS, REPETITIONS] : [WARMUPS_LARGE, REPETITIONS_LARGE]
      for (let run = 0; run < warmups + repetitions; run++) {
        const segment = segmentOf(topic, partitionCount, sequence++)
        const cpuBefore = process.cpuUsage()
        const ms = await durationMs(() => catalog.commit([segment], LIMITS))
        const { user, system } = process.cpuUsage(cpuBefore)
        const messages = take()
        const filingMs = await durationMs(() => catalog.filingSettled())
        const bareMs = await durationMs(() => bare.replay(messages))
        await bare.replay(take())
        const cpuMs = (user + system) / 1_000
        if (run >= warmups) runs.push({ ms, bareMs, filingMs, cpuMs, messageCount: messages.length })
      }
      measurements.push(...rowsOf(name, partitionCount, runs))
    }
    return measurements
  } finally {
    await catalog.close()
    await bare.close()
  }
}

async function migrateAt(url: string): Promise<void> {
  const catalog = openCatalog(url)
  await catalog.migrate().finally(() => catalog.close())
}

/** One commit. */
interface Run {
  readonly ms: number
  /** Of the same statements by the driver alone. */
  readonly bareMs: number
  /** Afterwards, for filing what earlier commits and this one have brought; mostly nothing is to be filed. */
  readonly filingMs: number
  /** Of this process, whose threads are all the catalog's then; with SQLite that is the database, too. */
  readonly cpuMs: number
  readonly messageCount: number
}

function rowsOf(name: string, partitionCount: number, runs: readonly Run[]): Measurement[] {
  const row = { benchmark: 'commit', settings: SETTINGS }
  const size = `${name}, ${partitionCount.toLocaleString('en-US')} partitions`
  const target = TARGETS.get(partitionCount)
  const values = runs.map(({ ms }) => ms)
  const limit = { name: 'the same statements by the driver alone', values: runs.map(({ bareMs }) => bareMs) }
  const perPartition = (ms: number) => (ms * 1_000) / partitionCount
  return [
    { ...row, case: size, unit: 'ms', values, limit, ...(target ? { target } : {}) },
    { ...row, case: `${size}, ours beside the driver`, unit: 'ms', values: runs.map(({ ms, bareMs }) => ms - bareMs) },
    { ...row, case: `${size}, processor time`, unit: 'ms', values: runs.map(({ cpuMs }) => cpuMs) },
    {
      ...row,
      case: `${size}, filing extents after it`,
      unit: 'ms',
      values: [runs.reduce((sum, { filingMs }) => sum + filingMs, 0) / runs.length],
      settings: 'mean of all, as most have nothing to file',
    },
    {
      ...row,
      case: `${size}, each`,
      unit: 'µs per partition',
      values: values.map(perPartition),
      curve: {
        quantity: `time per partition, ${name}`,
        dimension: 'partitions',
        size: partitionCount,
        expected: 'constant',
      },
    },
    {
      ...row,
      case: `${size}, messages`,
      unit: 'messages',
      values: [median(runs.map(({ messageCount }) => messageCount))],
    },
  ]
}

async function durationMs(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

/** Agents that commit to the same partitions at the same time: what is left of the rate when they wait for each other. */
async function committers(name: string, url: string, count: number): Promise<Measurement> {
  const catalogs = Array.from({ length: count }, () => openCatalog(url))
  try {
    await catalogs[0]!.migrate()
    const topic = await createTestTopic(catalogs[0]!, 'bench', COMMITTERS_PARTITION_COUNT)
    const endMs = performance.now() + COMMITTERS_DURATION_MS
    const commits = await Promise.all(catalogs.map((catalog, number) => commitUntil(endMs, catalog, topic, number)))
    const total = commits.reduce((sum, done) => sum + done, 0)
    return {
      benchmark: 'commit',
      case: `${name}, ${count} agents on the same ${COMMITTERS_PARTITION_COUNT} partitions`,
      unit: 'partitions/s',
      values: [(total * COMMITTERS_PARTITION_COUNT) / (COMMITTERS_DURATION_MS / 1000)],
      settings: 'each agent commits one segment after the other, all in one process',
    }
  } finally {
    await Promise.all(catalogs.map((catalog) => catalog.close()))
  }
}

async function commitUntil(endMs: number, catalog: Catalog, topic: Topic, producer: number): Promise<number> {
  let done = 0
  for (; performance.now() < endMs; done++) {
    await catalog.commit([segmentOf(topic, COMMITTERS_PARTITION_COUNT, done, producer)], LIMITS)
    // The driver of SQLite is synchronous: without a turn of the event loop one agent would have it all.
    await new Promise(setImmediate)
  }
  return done
}

function segmentOf(topic: Topic, partitionCount: number, sequence: number, producer = 0): CommitSegment {
  return commitSegment(
    Array.from({ length: partitionCount }, (_, partition) => ({
      topicId: topic.topicId,
      partition,
      batches: [sequencedBatch(1_000 + producer, sequence)],
    })),
  )
}
