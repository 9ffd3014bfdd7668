import { openCatalog } from '../../adapters/catalog/index.js'
import { openObjectStore } from '../../adapters/object-store/index.js'
import { sweep } from '../../engine/jobs/index.js'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import { newSegmentId, SEGMENT_PREFIX, segmentObjectKey } from '../../engine/segment-identity.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import type { StorePair, Teardown } from '../support/store-pairs.js'
import { SeededRandom } from '../support/virtual-clock.js'
import { newSoakLog, openClient, produceUntil, replay, replayUntil, type SoakLog, TOPIC } from './workload.js'

export interface SoakOptions {
  readonly loadMs: number
  readonly partitionCount: number
  readonly retentionMs: number
  readonly stores: StorePair
  /** Whether to wait until the catalog has forgotten all segments, which takes twice `commit-age-max`. */
  readonly untilForgotten: boolean
  readonly progress: (line: string) => void
}

/** What there was at one moment under load. */
export interface SoakSample {
  readonly segmentRows: number
  readonly objects: number
  readonly objectBytes: number
}

export interface SoakReport {
  readonly log: SoakLog
  /** Taken once the first records have expired, until the load ends. */
  readonly samples: readonly SoakSample[]
  /** Once all has expired and nothing may be committed any more. */
  readonly end: SoakSample
  readonly forgotten: boolean
  readonly orphansAtEnd: number
  readonly plantedOrphanGone: boolean
  /** Of the agents' own series, summed. */
  readonly series: ReadonlyMap<string, number>
  /** What the agents logged about passes that failed. */
  readonly jobFailures: readonly string[]
}

const AGENT_COUNT = 2
/** As short as the settings allow: it says when rows are forgotten and orphans judged. */
const COMMIT_AGE_MAX_MS = 10_000
const GRACE_MS = 1_500
const PRODUCERS_PER_AGENT = 2
const PAUSE_MS = 20

/** Agents under load with short retention, readers that replay all the time; then everything has to go. */
export async function runSoak(t: Teardown, options: SoakOptions): Promise<SoakReport> {
  const { args, env } = await options.stores.open(t)
  Object.assign(process.env, env)
  const flag = (name: string) => args[args.indexOf(name) + 1] ?? ''
  const catalog = openCatalog(flag('--catalog'))
  const store = openObjectStore(flag('--object-store'))
  t.teardown(() => Promise.all([catalog.close(), store.close()]).then(() => {}))
  const agents: AgentProcess[] = []
  t.teardown(() => Promise.all(agents.map((agent) => agent.stop())).then(() => {}))
  for (let number = 0; number < AGENT_COUNT; number++) {
    agents.push(await startAgentProcess({ args: [...args, ...agentFlags(options)], env }))
  }
  await createTopic(kafkajsClient(agents.map(({ address }) => address)), TOPIC, options.partitionCount)
  const planted = await plantOrphan(store)

  const log = newSoakLog(options.partitionCount)
  const samples = await loadAndSample(agents, log, { catalog, store }, options)
  options.progress('the load has ended; every partition is replayed once more, then all has to expire')
  const client = await openClient(agents[0]?.port ?? 0)
  for (let partition = 0; partition < options.partitionCount; partition++) await replay(client, partition, log)
  client.destroy()

  const end = await drained({ catalog, store }, options)
  const { orphanCount } = await sweep({
    catalog,
    objectStore: store,
    commitAgeMaxMs: COMMIT_AGE_MAX_MS,
    onOrphans: async () => {},
  })
  const plantedOrphanGone = await store.head(planted).then(
    () => false,
    () => true,
  )
  return {
    log,
    samples,
    end,
    forgotten: options.untilForgotten,
    orphansAtEnd: orphanCount,
    plantedOrphanGone,
    series: await seriesOf(agents),
    jobFailures: failuresOf(agents),
  }
}

function agentFlags({ retentionMs }: SoakOptions): string[] {
  const flags = {
    'retention-time': `${retentionMs}ms`,
    'retention-interval': '1s',
    'compaction-interval': '300ms',
    'compaction-delay': '300ms',
    'compaction-fan-in': '8',
    'compaction-bytes': '8MiB',
    'deletion-grace': `${GRACE_MS}ms`,
    'commit-age-max': `${COMMIT_AGE_MAX_MS}ms`,
    memory: '256MiB',
  }
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
}

/** An object no row claims, old enough to be judged. */
async function plantOrphan(store: ObjectStore): Promise<string> {
  const key = segmentObjectKey(newSegmentId(Date.now() - 3 * COMMIT_AGE_MAX_MS, new SeededRandom(1)))
  await store.put(key, new Uint8Array(100))
  return key
}

interface Places {
  readonly catalog: Catalog
  readonly store: ObjectStore
}

async function loadAndSample(
  agents: readonly AgentProcess[],
  log: SoakLog,
  places: Places,
  { loadMs, retentionMs, progress }: SoakOptions,
): Promise<SoakSample[]> {
  const stop = new AbortController()
  const producers = agents.flatMap(({ port }) =>
    Array.from({ length: PRODUCERS_PER_AGENT }, () => produceUntil(stop.signal, port, log, PAUSE_MS)),
  )
  const readers = agents.map(({ port }) => replayUntil(stop.signal, port, log))
  const working = Promise.all([...producers, ...readers])
  // Observed in the end; a failure must not be a stray one until then.
  working.catch(() => stop.abort())
  const startedAtMs = performance.now()
  const samples: SoakSample[] = []
  // Rows stay for twice `commitAgeMax`; until then they can only grow.
  const steadyAtMs = Math.min(loadMs / 2, retentionMs + 3 * COMMIT_AGE_MAX_MS)
  while (performance.now() - startedAtMs < loadMs && !stop.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    const sample = await takeSample(places)
    progress(
      `${Math.round((performance.now() - startedAtMs) / 1000)} s: ${sample.segmentRows} segment rows, ${sample.objects} objects, ${mib(sample.objectBytes)} MiB; produced ${mib(log.producedBytes)} MiB, replayed ${mib(log.replayedBytes)} MiB, ${log.errors.length} errors`,
    )
    if (performance.now() - startedAtMs > steadyAtMs) samples.push(sample)
  }
  stop.abort()
  await working
  return samples
}

async function takeSample({ catalog, store }: Places): Promise<SoakSample> {
  const totals = await catalog.segmentTotals()
  const sample = { segmentRows: totals.reduce((sum, total) => sum + total.segmentCount, 0), objects: 0, objectBytes: 0 }
  for await (const { bytes } of store.list(SEGMENT_PREFIX)) {
    sample.objects += 1
    sample.objectBytes += bytes
  }
  return sample
}

/** Waits until nothing is left, as long as that may take. */
async function drained(places: Places, { retentionMs, progress, untilForgotten }: SoakOptions): Promise<SoakSample> {
  const deadlineMs = performance.now() + retentionMs + 2 * COMMIT_AGE_MAX_MS + GRACE_MS + 20_000
  for (;;) {
    const sample = await takeSample(places)
    const done = sample.objects === 0 && (sample.segmentRows === 0 || !untilForgotten)
    if (done || performance.now() > deadlineMs) return sample
    progress(`${sample.segmentRows} segment rows and ${sample.objects} objects are left`)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

function failuresOf(agents: readonly AgentProcess[]): string[] {
  const lines = agents.flatMap((agent) => agent.logs().split('\n'))
  return lines.filter((line) => line.includes('a background job failed')).map((line) => line.slice(0, 600))
}

async function seriesOf(agents: readonly AgentProcess[]): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const { httpPort } of agents) {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text()
    for (const [, name = '', value] of text.matchAll(/^headrace_([a-z_]+)(?:\{[^}]*\})? ([\d.e+]+)$/gm)) {
      sums.set(name, (sums.get(name) ?? 0) + Number(value))
    }
  }
  return sums
}

export function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** What was wrong with a soak; empty when nothing was. */
export function faultsOf({
  log,
  samples,
  end,
  forgotten,
  orphansAtEnd,
  plantedOrphanGone,
  series,
  jobFailures,
}: SoakReport): string[] {
  const faults = log.errors.slice(0, 20)
  // Flat: after the first third of the steady time nothing grows beyond a half more.
  const early = samples.slice(0, Math.max(1, Math.floor(samples.length / 3)))
  for (const what of ['segmentRows', 'objects', 'objectBytes'] as const) {
    const before = Math.max(...early.map((sample) => sample[what]))
    const after = Math.max(...samples.slice(early.length).map((sample) => sample[what]))
    if (samples.length >= 9 && after > before * 1.5 + 50) faults.push(`${what} grew from ${before} to ${after}`)
  }
  if ((forgotten && end.segmentRows > 0) || end.objects > 0) {
    faults.push(`${end.segmentRows} segment rows and ${end.objects} objects are left in the end`)
  }
  if (orphansAtEnd > 0) faults.push(`${orphansAtEnd} orphans are left in the end`)
  if (!plantedOrphanGone) faults.push('the sweep has not found the orphan')
  if (log.replayCount === 0) faults.push('nothing was replayed')
  for (const name of ['compactions_total', 'retention_extents_total', 'objects_deleted_total', 'orphans_found_total']) {
    if (!(series.get(name) ?? 0)) faults.push(`headrace_${name} is 0`)
  }
  // A catalog that is too busy for a moment is no fault of a job: it comes back.
  faults.push(...jobFailures.filter((line) => !line.includes('CATALOG_CONFLICT')))
  return faults
}
