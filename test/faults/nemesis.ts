import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededRandom } from '../support/virtual-clock.js'
import type { Cluster, ClusterAgent } from './cluster.js'
import { S3_FAULTS } from './s3-fault-proxy.js'

/** A fault on one agent's side of the world; resolves once it is healed. */
type Fault = (agent: ClusterAgent, cluster: Cluster) => Promise<void>

const FAULT_MS = 1_500

const s3Faults = S3_FAULTS.map((fault): [string, Fault] => [
  `S3 ${fault}`,
  async ({ s3 }) => {
    s3.inject(fault)
    await sleep(FAULT_MS)
    s3.heal()
  },
])

export const FAULTS: readonly (readonly [string, Fault])[] = [
  ['agent kill -9', async (agent) => void (await agent.killAndRestart())],
  [
    'agent SIGSTOP',
    async ({ process }) => {
      process.kill('SIGSTOP')
      await sleep(FAULT_MS)
      process.kill('SIGCONT')
    },
  ],
  [
    'database kill -9',
    async (_, { mariadb }) => {
      await mariadb.kill()
      await sleep(FAULT_MS / 3)
      await mariadb.restart()
    },
  ],
  ['COMMIT lost', async ({ catalog }) => afterTrap(() => catalog.loseNextCommit())],
  ['answer of COMMIT lost', async ({ catalog }) => afterTrap(() => catalog.loseNextCommitAnswer())],
  [
    'partition from the catalog, silent',
    async ({ catalog }) => {
      catalog.pause()
      await sleep(FAULT_MS)
      catalog.resume()
    },
  ],
  [
    'partition from the catalog, refused',
    async ({ catalog }) => {
      catalog.refuse()
      catalog.cut()
      await sleep(FAULT_MS)
      catalog.accept()
    },
  ],
  ...s3Faults,
]

async function afterTrap(set: () => void): Promise<void> {
  set()
  await sleep(FAULT_MS)
}

/** Every kind once in seeded order, then again, until the time is over and each was there. Answers counts by kind. */
export async function runNemesis(cluster: Cluster, random: SeededRandom, runMs: number): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const deadlineMs = performance.now() + runMs
  const below = (limit: number) => (random.bytes(4)[0] ?? 0) % limit
  do {
    const left = [...FAULTS]
    while (left.length > 0 && (counts.size < FAULTS.length || performance.now() < deadlineMs)) {
      const [name, inject] = left.splice(below(left.length), 1)[0] ?? ['', async () => {}]
      const agent = cluster.agents[below(cluster.agents.length)]
      if (agent === undefined) throw new Error('a cluster has agents')
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await inject(agent, cluster)
      await sleep(300)
    }
  } while (performance.now() < deadlineMs)
  return counts
}
