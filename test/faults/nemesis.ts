import { setTimeout as sleep } from 'node:timers/promises'
import { kafkajsClient, withAdmin } from '../support/kafkajs-client.js'
import type { SeededRandom } from '../support/virtual-clock.js'
import type { Cluster, ClusterAgent } from './cluster.js'
import { S3_FAULTS } from './s3-fault-proxy.js'

/** A fault on one agent's side of the world; resolves once it is healed, to the number of times it took effect. */
type Fault = (agent: ClusterAgent, cluster: Cluster, faultMs: number) => Promise<number>

export const FAULT_MS = 1_500
/** Heartbeats commit too. */
const OF_RECORDS = 'INSERT INTO segments'
/** A fault that needs traffic to show is given this long to meet some. */
const EFFECT_WAIT_MS = 15_000

const s3Faults = S3_FAULTS.map((fault): [string, Fault] => [
  `S3 ${fault}`,
  ({ s3 }, _, faultMs) =>
    whileLasting(
      faultMs,
      () => s3.inject(fault),
      () => s3.heal(),
      () => s3.spoiledCount,
    ),
])

export const FAULTS: readonly (readonly [string, Fault])[] = [
  ['agent kill -9', async (agent) => ((await agent.killAndRestart()).signal === 'SIGKILL' ? 1 : 0)],
  [
    'agent SIGSTOP',
    async ({ process }, _, faultMs) => {
      process.kill('SIGSTOP')
      await sleep(faultMs)
      const silent = !(await isHealthy(process.httpPort))
      process.kill('SIGCONT')
      return silent ? 1 : 0
    },
  ],
  [
    'agent SIGSTOP beyond its registration',
    async ({ process, address }, { agents, expiryMs }, faultMs) => {
      const witness = agents.find((other) => other.address !== address)
      process.kill('SIGSTOP')
      await sleep(expiryMs + faultMs)
      const forgotten = witness !== undefined && (await isForgotten(address, witness))
      process.kill('SIGCONT')
      return forgotten ? 1 : 0
    },
  ],
  [
    'database kill -9',
    async (_, { mariadb }, faultMs) => {
      await mariadb.kill()
      await sleep(faultMs / 3)
      await mariadb.restart()
      return 1
    },
  ],
  ['COMMIT lost', ({ catalog }) => whileTrapped(catalog, () => catalog.loseNextCommit(OF_RECORDS))],
  ['answer of COMMIT lost', ({ catalog }) => whileTrapped(catalog, () => catalog.loseNextCommitAnswer(OF_RECORDS))],
  ...(['catalog', 's3Network'] as const).flatMap((network): [string, Fault][] => {
    const name = network === 'catalog' ? 'the catalog' : 'S3'
    return [
      [
        `partition from ${name}, silent`,
        ({ [network]: proxy }, _, faultMs) =>
          whileLasting(
            faultMs,
            () => proxy.pause(),
            () => proxy.resume(),
            () => proxy.disturbedCount,
          ),
      ],
      [
        `partition from ${name}, refused`,
        ({ [network]: proxy }, _, faultMs) =>
          whileLasting(
            faultMs,
            () => {
              proxy.refuse()
              proxy.cut()
            },
            () => proxy.accept(),
            () => proxy.disturbedCount,
          ),
      ],
    ]
  }),
  ...s3Faults,
]

/** Lasts until it has met something, too. */
async function whileLasting(
  faultMs: number,
  begin: () => void,
  heal: () => void,
  count: () => number,
): Promise<number> {
  const before = count()
  begin()
  await sleep(faultMs)
  await until(() => count() > before)
  heal()
  return count() - before
}

async function whileTrapped(catalog: { readonly lostCount: number }, set: () => void): Promise<number> {
  const before = catalog.lostCount
  set()
  await until(() => catalog.lostCount > before)
  return catalog.lostCount - before
}

async function until(met: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + EFFECT_WAIT_MS
  while (!met() && performance.now() < deadlineMs) await sleep(20)
}

async function isHealthy(httpPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${httpPort}/healthz`, { signal: AbortSignal.timeout(500) })).ok
  } catch {
    return false
  }
}

/** Whether another agent ceases to name the agent to its clients; it looks at the registry once per heartbeat. */
async function isForgotten(address: string, witness: ClusterAgent): Promise<boolean> {
  for (const deadlineMs = performance.now() + EFFECT_WAIT_MS; performance.now() < deadlineMs; ) {
    const { brokers } = await withAdmin(kafkajsClient([witness.address]), (admin) => admin.describeCluster())
    if (!brokers.some(({ host, port }) => `${host}:${port}` === address)) return true
    await sleep(200)
  }
  return false
}

export interface FaultCount {
  injected: number
  /** Times it met what it was to break. */
  effects: number
}

/**
 * Every kind once in seeded order, each alone. Then, until the time is over, two at a time, of different kinds and on agents
 * that may be the same, for up to several times as long.
 */
export async function runNemesis(
  cluster: Cluster,
  random: SeededRandom,
  runMs: number,
): Promise<ReadonlyMap<string, FaultCount>> {
  const counts = new Map<string, FaultCount>()
  const deadlineMs = performance.now() + runMs
  const inject = async ([name, fault]: readonly [string, Fault], faultMs: number) => {
    const agent = cluster.agents[Math.floor(random.fraction() * cluster.agents.length)]!
    const count = counts.get(name) ?? { injected: 0, effects: 0 }
    counts.set(name, count)
    count.injected += 1
    count.effects += await fault(agent, cluster, faultMs)
    await sleep(300)
  }
  for (const fault of shuffled(FAULTS, random)) await inject(fault, FAULT_MS)
  while (performance.now() < deadlineMs) {
    const pair = shuffled(FAULTS, random).slice(0, 2)
    await Promise.all(pair.map((fault) => inject(fault, FAULT_MS * (1 + 7 * random.fraction()))))
  }
  return counts
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const left = [...items]
  return items.map(() => left.splice(Math.floor(random.fraction() * left.length), 1)[0]!)
}
