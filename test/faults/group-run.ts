import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic, kafkajsClient, withAdmin } from '../support/kafkajs-client.js'
import { SeededRandom } from '../support/virtual-clock.js'
import { type Cluster, startCluster } from './cluster.js'
import { GroupMembers } from './group-members.js'
import { GROUP_TOPIC, GroupProgress, produceToAll, readCommitted, watchCommitted } from './group-workload.js'
import { FAULT_MS, FAULTS } from './nemesis.js'

export interface GroupRunOptions {
  readonly seed: number
  readonly runMs: number
  readonly memberCount: number
  readonly partitionCount: number
}

export interface GroupRun {
  readonly faults: ReadonlyMap<string, number>
  readonly storedCount: number
  readonly processedCount: number
  readonly repeatedCount: number
  readonly committedReadCount: number
  /** From the last fault until all that was stored was processed and committed. */
  readonly drainMs: number
  readonly violations: readonly string[]
  /** What made members of kafkajs give up. */
  readonly crashes: readonly string[]
}

const AGENT_COUNT = 2
const DRAIN_MS_MAX = 90_000
/** What a group meets most is that members and agents go; the rest of the nemesis comes between. */
const AGENT_FAULTS = FAULTS.filter(([name]) => !name.startsWith('S3'))
const AGENT_KILL = AGENT_FAULTS.filter(([name]) => name === 'agent kill -9')

/** A group of processes that commit after they processed, while members and agents die every few seconds. */
export async function runGroupFaults(options: GroupRunOptions): Promise<GroupRun> {
  const cluster = await startCluster(AGENT_COUNT)
  let members: GroupMembers | undefined
  try {
    const addresses = cluster.agents.map(({ address }) => address)
    const kafka = kafkajsClient(addresses, { requestTimeout: 8_000, connectionTimeout: 2_000 })
    await createTopic(kafka, GROUP_TOPIC, options.partitionCount)
    const progress = new GroupProgress(options.partitionCount)
    members = new GroupMembers(addresses, progress, options.memberCount)
    const [stopSending, stopWatching] = [new AbortController(), new AbortController()]
    const sending = produceToAll(addresses, options.partitionCount, stopSending.signal)
    const watching = watchCommitted(addresses, progress, stopWatching.signal)
    let faults = new Map<string, number>()
    try {
      faults = await injectFaults(cluster, members, options)
    } finally {
      stopSending.abort()
    }
    const acknowledged = await sending
    const startedMs = performance.now()
    const drained = await drain(kafka, progress, startedMs + DRAIN_MS_MAX)
    const drainMs = performance.now() - startedMs
    stopWatching.abort()
    const committedReadCount = await watching
    return summary(faults, progress, acknowledged, drained, { committedReadCount, drainMs })
  } finally {
    await members?.stop()
    await cluster.stop()
  }
}

async function injectFaults(
  cluster: Cluster,
  members: GroupMembers,
  { seed, runMs }: GroupRunOptions,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const random = new SeededRandom(seed)
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random.fraction() * items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
  const deadlineMs = performance.now() + runMs
  while (performance.now() < deadlineMs) {
    await sleep(1_500 + random.fraction() * 2_500)
    const dice = random.fraction()
    const [name, inject] = pick(dice < 0.8 ? AGENT_KILL : AGENT_FAULTS)
    if (dice < 0.6) {
      const signal = pick(['SIGKILL', 'SIGKILL', 'SIGTERM'] as const)
      members.end(pick, signal)
      count(counts, `member ${signal}`)
    } else {
      await inject(pick(cluster.agents), cluster, FAULT_MS)
      count(counts, name)
    }
  }
  return counts
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

/** By partition. */
interface Drained {
  readonly ends: readonly number[]
  readonly committed: readonly number[]
}

/** Waits until all that is stored was processed and committed; answers where the partitions then end. */
async function drain(
  kafka: ReturnType<typeof kafkajsClient>,
  progress: GroupProgress,
  deadlineMs: number,
): Promise<Drained> {
  const { partitionCount } = progress
  for (;;) {
    const topic = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(GROUP_TOPIC))
    const ends = new Array<number>(partitionCount).fill(0)
    for (const { partition, high } of topic) ends[partition] = Number(high)
    const committed = await readCommitted(kafka, partitionCount)
    const isDone = ends.every((end, partition) => committed[partition] === end)
    if (isDone || performance.now() > deadlineMs) return { ends, committed }
    await sleep(500)
  }
}

function summary(
  faults: Map<string, number>,
  progress: GroupProgress,
  acknowledged: ReadonlySet<string>,
  { ends, committed }: Drained,
  rest: Pick<GroupRun, 'committedReadCount' | 'drainMs'>,
): GroupRun {
  const violations = [...progress.violations, ...progress.committedTwice()]
  for (const [partition, end] of ends.entries()) {
    for (let offset = 0; offset < end; offset++) {
      if (!progress.processed.has(`${partition}/${offset}`)) {
        violations.push(`offset ${offset} of partition ${partition} was not processed`)
      }
    }
    // A member may never have heard of its last commit: it died, or its agent did.
    const next = committed[partition] ?? 0
    if (next !== end) violations.push(`partition ${partition} ends at ${end}, committed is ${next}`)
  }
  const values = new Set([...progress.processed.values()].map(({ value }) => value))
  for (const value of acknowledged) if (!values.has(value)) violations.push(`${value} was not processed`)
  const processed = [...progress.processed.values()]
  return {
    faults,
    storedCount: ends.reduce((sum, end) => sum + end, 0),
    processedCount: processed.length,
    repeatedCount: processed.filter((record) => record.count > 1).length,
    violations,
    crashes: progress.crashes,
    ...rest,
  }
}

export function describeGroupRun(run: GroupRun): string {
  return [
    ...[...run.faults].map(([name, times]) => `${times} x ${name}`),
    `stored ${run.storedCount} records, processed ${run.processedCount}, of them ${run.repeatedCount} again after a fault`,
    `all processed and committed ${Math.round(run.drainMs)} ms after the last fault; ${run.committedReadCount} reads of the committed offsets`,
    `violations ${run.violations.length}`,
    ...run.violations.slice(0, 20),
    ...run.crashes.slice(0, 20),
  ].join('\n')
}
