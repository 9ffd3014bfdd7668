import { openCatalog } from '../adapters/catalog/index.js'
import type { Topic } from '../engine/model.js'
import type { Catalog, CommitSegment } from '../engine/ports/catalog.js'
import { commitSegment, createTestTopic, LIMITS, sequencedBatch } from '../test/support/commit-segments.js'
import { startMariadb } from '../test/support/mariadb.js'
import type { Measurement } from './measurement.js'

const PARTITION_COUNTS = [1, 10, 100, 1_000, 5_000]
const REPETITIONS = 9
const WARMUPS = 3
const COMMITTER_COUNTS = [1, 4]
const COMMITTERS_PARTITION_COUNT = 100
const COMMITTERS_DURATION_MS = 2_000

/** How long a commit takes as it grows, on each database, and how several agents share one. */
export async function benchmarkCommit(): Promise<Measurement[]> {
  const sqlite = await measure('SQLite in memory', 'sqlite::memory:')
  const server = await startMariadb()
  try {
    const mysql = await measure('MariaDB', server.url)
    const together: Measurement[] = []
    for (const count of COMMITTER_COUNTS) together.push(await committers(await server.freshDatabase(), count))
    return [...sqlite, ...mysql, ...together]
  } finally {
    await server.stop()
  }
}

async function measure(name: string, url: string): Promise<Measurement[]> {
  const catalog = await open(url)
  try {
    const topic = await createTestTopic(catalog, 'bench', Math.max(...PARTITION_COUNTS))
    const measurements: Measurement[] = []
    let sequence = 0
    for (const partitionCount of PARTITION_COUNTS) {
      const values: number[] = []
      for (let run = 0; run < WARMUPS + REPETITIONS; run++) {
        const segment = segmentOf(topic, partitionCount, sequence++)
        const startedAtMs = performance.now()
        await catalog.commit([segment], LIMITS)
        if (run >= WARMUPS) values.push(performance.now() - startedAtMs)
      }
      measurements.push({
        benchmark: 'commit',
        case: `${name}, ${partitionCount} partitions`,
        unit: 'ms',
        values,
        settings: 'one segment, one idempotent batch per partition, one commit at a time',
      })
    }
    return measurements
  } finally {
    await catalog.close()
  }
}

/** Agents that commit to the same partitions at the same time: what is left of the rate when they wait for each other. */
async function committers(url: string, count: number): Promise<Measurement> {
  const catalogs = await Promise.all(Array.from({ length: count }, () => open(url)))
  try {
    const topic = await createTestTopic(catalogs[0]!, 'bench', COMMITTERS_PARTITION_COUNT)
    const endMs = performance.now() + COMMITTERS_DURATION_MS
    const commits = await Promise.all(
      catalogs.map(async (catalog, number) => {
        let done = 0
        for (; performance.now() < endMs; done++) {
          await catalog.commit([segmentOf(topic, COMMITTERS_PARTITION_COUNT, done, number)], LIMITS)
        }
        return done
      }),
    )
    const total = commits.reduce((sum, done) => sum + done, 0)
    return {
      benchmark: 'commit',
      case: `MariaDB, ${count} agents on the same ${COMMITTERS_PARTITION_COUNT} partitions`,
      unit: 'partitions/s',
      values: [(total * COMMITTERS_PARTITION_COUNT) / (COMMITTERS_DURATION_MS / 1000)],
      settings: 'each agent commits one segment after the other',
    }
  } finally {
    await Promise.all(catalogs.map((catalog) => catalog.close()))
  }
}

async function open(url: string): Promise<Catalog> {
  const catalog = openCatalog(url)
  await catalog.migrate()
  return catalog
}

function segmentOf(topic: Topic, partitionCount: number, sequence: number, producer = 0): CommitSegment {
  return commitSegment(
    Array.from({ length: partitionCount }, (_, partition) => ({
      topicId: topic.topicId,
      partition,
      batches: [sequencedBatch(1_000 + producer * PARTITION_COUNTS.length, sequence)],
    })),
  )
}
