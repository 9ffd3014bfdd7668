import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentExit, type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { freePort } from '../support/free-port.js'
import { type Mariadb, startPrivateMariadb } from '../support/mariadb.js'
import { startS3Server } from '../support/s3-server.js'
import { s3Stores } from '../support/store-pairs.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { type S3FaultProxy, startS3FaultProxy } from './s3-fault-proxy.js'

/** An agent with its own way to each dependency; it comes back on the port it had. */
export interface ClusterAgent {
  readonly address: string
  readonly catalog: TcpProxy
  /** Its way to S3 as a network, and behind that as a server that fails. */
  readonly s3Network: TcpProxy
  readonly s3: S3FaultProxy
  readonly process: AgentProcess
  /** Answers how the process ended. */
  killAndRestart(): Promise<AgentExit>
}

export interface Cluster {
  readonly agents: readonly ClusterAgent[]
  readonly mariadb: Mariadb
  /** An agent that is silent for so long is gone. */
  readonly expiryMs: number
  stop(): Promise<void>
}

const RESTART_TIMEOUT_MS = 60_000
const HEARTBEATS_MISSED_MAX = 4

/** Whoever starts one stops it; what a failed start had begun is ended here. */
export async function startCluster(agentCount: number, heartbeatIntervalMs = 3_000): Promise<Cluster> {
  const ends: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const s3 = await startS3Server()
    ends.push(() => s3.stop())
    const mariadb = await startPrivateMariadb()
    ends.push(() => mariadb.stop())
    const agents: ClusterAgent[] = []
    const args = ['--workers', '1', '--heartbeat-interval', `${heartbeatIntervalMs}ms`]
    while (agents.length < agentCount) agents.push(await startAgent(s3, mariadb, args, ends))
    return { agents, mariadb, expiryMs: HEARTBEATS_MISSED_MAX * heartbeatIntervalMs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startAgent(
  s3: { readonly url: string; readonly endpoint: string },
  mariadb: Mariadb,
  args: readonly string[],
  ends: (() => Promise<unknown>)[],
): Promise<ClusterAgent> {
  const s3Proxy = await startS3FaultProxy(s3.endpoint)
  ends.push(() => s3Proxy.close())
  const s3Network = await startTcpProxy({ targetPort: Number(new URL(s3Proxy.endpoint).port) })
  ends.push(() => s3Network.stop())
  const catalog = await startTcpProxy({ targetPort: mariadb.port, targetHost: mariadb.host })
  ends.push(() => catalog.stop())
  const catalogUrl = new URL(mariadb.url)
  catalogUrl.port = `${catalog.port}`
  const stores = s3Stores(s3.url.replace(s3.endpoint, `http://127.0.0.1:${s3Network.port}`), catalogUrl.href)
  const address = `127.0.0.1:${await freePort()}`
  const start = () => startAgentProcess({ ...stores, args: [...stores.args, '--listen', address, ...args] })
  let running = await start()
  ends.push(async () => {
    running.kill('SIGCONT')
    running.kill('SIGKILL')
    await running.exited
  })
  return {
    address,
    catalog,
    s3Network,
    s3: s3Proxy,
    get process() {
      return running
    },
    killAndRestart: async () => {
      running.kill('SIGKILL')
      const exit = await running.exited
      running = await startAgain(start)
      return exit
    },
  }
}

/** As an orchestrator would: an agent ends at its start while its stores are away. */
async function startAgain(start: () => Promise<AgentProcess>): Promise<AgentProcess> {
  for (const deadlineMs = performance.now() + RESTART_TIMEOUT_MS; ; ) {
    try {
      return await start()
    } catch (error) {
      if (performance.now() > deadlineMs) throw error
      await sleep(500)
    }
  }
}
