import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
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
  readonly s3: S3FaultProxy
  readonly process: AgentProcess
  killAndRestart(): Promise<void>
}

export interface Cluster {
  readonly agents: readonly ClusterAgent[]
  readonly mariadb: Mariadb
  stop(): Promise<void>
}

/** Whoever starts one stops it; what a failed start had begun is ended here. */
export async function startCluster(agentCount: number): Promise<Cluster> {
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
    for (let number = 0; number < agentCount; number++) agents.push(await startAgent(s3, mariadb, ends))
    return { agents, mariadb, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startAgent(
  s3: { readonly url: string; readonly endpoint: string },
  mariadb: Mariadb,
  ends: (() => Promise<unknown>)[],
): Promise<ClusterAgent> {
  const s3Proxy = await startS3FaultProxy(s3.endpoint)
  ends.push(() => s3Proxy.close())
  const catalog = await startTcpProxy({ targetPort: mariadb.port, targetHost: mariadb.host })
  ends.push(() => catalog.stop())
  const catalogUrl = new URL(mariadb.url)
  catalogUrl.port = `${catalog.port}`
  const stores = s3Stores(s3.url.replace(s3.endpoint, s3Proxy.endpoint), catalogUrl.href)
  const address = `127.0.0.1:${await freePort()}`
  const start = () => startAgentProcess({ ...stores, args: [...stores.args, '--listen', address, '--workers', '1'] })
  let running = await start()
  ends.push(async () => {
    running.kill('SIGCONT')
    running.kill('SIGKILL')
    await running.exited
  })
  return {
    address,
    catalog,
    s3: s3Proxy,
    get process() {
      return running
    },
    killAndRestart: async () => {
      running.kill('SIGKILL')
      await running.exited
      running = await start()
    },
  }
}
