import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../adapters/catalog/index.js'
import { type AgentProcess, startAgentProcess } from '../test/support/agent-process.js'
import { commitSegment, createTestTopic, LIMITS, sequencedBatch } from '../test/support/commit-segments.js'
import { RawClient } from '../test/support/kafka/raw-client.js'
import { type LoadShape, type LoadTimes, runLoad, THROUGHPUT, withAgent } from './agent.js'
import { type Growth, type GrowthPoint, growthRows } from './growth.js'
import type { Measurement } from './measurement.js'
import { rssBytes } from './process-usage.js'
import { type Observed, observe, rateOf } from './produce.js'
import { READ_SEGMENT_COUNT, seedLog } from './seeded-log.js'

const PARTITION_COUNTS = [100, 1_000, 10_000]
const CONNECTION_COUNTS = [10, 100, 1_000, 5_000]
const SEGMENT_COUNTS = [100, 1_000, 10_000]
/** A generator and an agent have a descriptor each per connection, and some of their own. */
const DESCRIPTORS_SPARE = 500
const REPETITIONS = 5
const TIMES: LoadTimes = { warmupMs: 1_000, durationMs: 2_400, windowCount: 3 }
const MIB = 2 ** 20
/** Many partitions in each request, so that commits are as large as the number of partitions allows. */
const WIDE: LoadShape = { ...THROUGHPUT, partitionCount: 0, partitionsPerRequest: 50, recordsPerBatch: 4 }
const NARROW: LoadShape = { ...THROUGHPUT, inFlightMax: 1, partitionsPerRequest: 1, recordsPerBatch: 16 }

/** How time and memory grow as there are ten times as many partitions, connections and segments. */
export async function benchmarkScale(): Promise<Measurement[]> {
  const growths: Growth[] = []
  for (const measure of [segments, connections, partitions]) growths.push(...(await measure()))
  return growths.flatMap(growthRows)
}

/** Collects the points of several curves over one size. */
class Curves {
  readonly #growths: Growth[] = []

  constructor(
    private readonly dimension: string,
    private readonly settings: string,
  ) {}

  add(quantity: string, unit: string, expected: Growth['expected'], size: number, values: readonly number[]): void {
    const known = this.#growths.find((growth) => growth.quantity === quantity)
    const point: GrowthPoint = { size, values }
    if (known !== undefined) (known.points as GrowthPoint[]).push(point)
    else {
      const { dimension, settings } = this
      this.#growths.push({ quantity, dimension, expected, unit, settings, points: [point] })
    }
  }

  get growths(): readonly Growth[] {
    return this.#growths
  }
}

async function partitions(): Promise<readonly Growth[]> {
  const curves = new Curves('partitions', 'file store; 8 connections x 5 in flight, 50 batches of 1 KiB a request')
  for (const size of PARTITION_COUNTS) {
    await withAgent('file', [], async (agent) => {
      const observed = await observe(agent, agent.pid, { ...WIDE, partitionCount: size }, TIMES)
      addLoad(curves, size, observed, 'constant')
      curves.add('metadata of the topic', 'ms', 'linear', size, await metadataMs(agent, observed.result.topic))
    })
    curves.add('commit of all, SQLite in memory', 'ms', 'linear', size, await commitMs(size))
  }
  return curves.growths
}

function addLoad(curves: Curves, size: number, { result, usage }: Observed, latency: Growth['expected']): void {
  const p99Ms = result.windows.map(({ acknowledged }) => acknowledged.p99Ms)
  curves.add('produce', 'MiB/s', 'constant', size, result.windows.map(rateOf))
  curves.add('ack p99', 'ms', latency, size, p99Ms)
  curves.add('resident memory', 'MiB', 'linear', size, [usage!.rssBytesMax / MIB])
}

async function metadataMs(agent: AgentProcess, topic: string): Promise<readonly number[]> {
  const request = { topics: [{ name: topic }], allowAutoTopicCreation: false }
  return timesOf(agent, (client) => client.request('metadata', 4, request))
}

async function commitMs(partitionCount: number): Promise<readonly number[]> {
  const catalog = openCatalog('sqlite::memory:')
  try {
    await catalog.migrate()
    const { topicId } = await createTestTopic(catalog, 'bench', partitionCount)
    const values: number[] = []
    for (let sequence = 0; sequence < 1 + REPETITIONS; sequence++) {
      const batches = [sequencedBatch(1, sequence)]
      const segment = commitSegment(
        Array.from({ length: partitionCount }, (_, partition) => ({ topicId, partition, batches })),
      )
      const startedAtMs = performance.now()
      await catalog.commit([segment], LIMITS)
      if (sequence > 0) values.push(performance.now() - startedAtMs)
    }
    return values
  } finally {
    await catalog.close()
  }
}

async function connections(): Promise<readonly Growth[]> {
  const curves = new Curves('connections', 'file store; each connection has a request of one 4 KiB batch in flight')
  const descriptors = Number((process.report.getReport() as { userLimits?: Limits }).userLimits?.open_files?.soft)
  const sizes = CONNECTION_COUNTS.filter((size) => !(size + DESCRIPTORS_SPARE > descriptors))
  await withAgent('file', [], async (agent) => {
    // Arenas and compiled code are there before memory is compared.
    await runLoad(agent, THROUGHPUT, TIMES)
    const before = rssBytes(agent.pid)
    for (const size of sizes) {
      const observed = await observe(agent, agent.pid, { ...NARROW, connectionCount: size }, TIMES)
      addLoad(curves, size, observed, 'linear')
      // Below some hundred connections what they add is lost in what garbage collection leaves.
      if (size >= 1_000) {
        const perConnection = Math.max(1, observed.usage!.rssBytesMax - before) / 1024 / size
        curves.add('memory added per connection', 'KiB', 'constant', size, [perConnection])
      }
    }
  })
  return curves.growths
}

interface Limits {
  readonly open_files?: { readonly soft: string | number }
}

async function segments(): Promise<readonly Growth[]> {
  const curves = new Curves('segments', 'file store and SQLite; one partition, a record of 1 KiB a segment; no jobs')
  for (const size of SEGMENT_COUNTS) {
    const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
    const objects = join(directory, 'objects')
    const catalog = `sqlite://${join(directory, 'catalog.db')}`
    try {
      const { topic, firstTimestampMs } = await seedLog(objects, catalog, size)
      const catalogBytes = readdirSync(directory)
        .filter((name) => name.startsWith('catalog.db'))
        .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
      curves.add('catalog', 'MiB', 'linear', size, [catalogBytes / MIB])
      const args = ['--object-store', `file://${objects}`, '--catalog', catalog, '--roles', 'produce,fetch']
      const startedAtMs = performance.now()
      const agent = await startAgentProcess({ args: [...args, '--log-level', 'info'] })
      try {
        curves.add('start of an agent', 'ms', 'constant', size, [performance.now() - startedAtMs])
        const first = await timesOf(agent, (client) => client.request('fetch', 11, fetchFromStart(topic)))
        curves.add('fetch from the start', 'ms', 'constant', size, first)
        const middleMs = firstTimestampMs + READ_SEGMENT_COUNT / 2
        const lookUp = {
          isolationLevel: 0,
          topics: [{ name: topic, partitions: [{ partition: 0, timestamp: middleMs }] }],
        }
        const found = await timesOf(agent, (client) => client.request('listOffsets', 5, lookUp))
        curves.add('offset of a timestamp', 'ms', 'constant', size, found)
      } finally {
        await agent.stop()
      }
      curves.add('commit to the partition', 'ms', 'constant', size, await commitToMs(catalog, topic))
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return curves.growths
}

function fetchFromStart(topic: string): object {
  const limits = { waitMaxMs: 500, bytesMin: 1, bytesMax: 4_096, isolationLevel: 0 }
  const partition = { partition: 0, fetchOffset: 0, bytesMax: 4_096 }
  return { ...limits, sessionId: 0, sessionEpoch: -1, rackId: '', topics: [{ name: topic, partitions: [partition] }] }
}

async function commitToMs(catalogUrl: string, topic: string): Promise<readonly number[]> {
  const catalog = openCatalog(catalogUrl)
  try {
    const [found] = await catalog.topicsByName([topic])
    const values: number[] = []
    for (let sequence = 0; sequence < REPETITIONS; sequence++) {
      const segment = commitSegment([{ topicId: found!.topicId, partition: 0, batches: [sequencedBatch(1, sequence)] }])
      const startedAtMs = performance.now()
      await catalog.commit([segment], LIMITS)
      values.push(performance.now() - startedAtMs)
    }
    return values
  } finally {
    await catalog.close()
  }
}

/** How long each of some requests takes; the first one, which warms caches up, is left out. */
async function timesOf(
  { port }: Pick<AgentProcess, 'port'>,
  request: (client: RawClient) => Promise<unknown>,
): Promise<readonly number[]> {
  const client = await RawClient.open(port)
  const values: number[] = []
  for (let repetition = 0; repetition < 1 + REPETITIONS; repetition++) {
    const startedAtMs = performance.now()
    await request(client)
    if (repetition > 0) values.push(performance.now() - startedAtMs)
  }
  client.destroy()
  return values
}
