import { startAgentProcess } from '../support/agent-process.js'
import { freePort } from '../support/free-port.js'
import { agentsKnowEachOther } from '../support/kafkajs-client.js'
import type { Stores, Teardown } from '../support/store-pairs.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'

/** Agents whose clients come through proxies, so that their connections can be cut. */
export interface CompatCluster {
  readonly brokers: readonly string[]
  cutConnections(): void
}

/** Ends with the test, as everything it starts. */
export async function startCompatCluster(t: Teardown, stores: Stores, agentCount: number): Promise<CompatCluster> {
  const proxies: TcpProxy[] = []
  for (let count = 0; count < agentCount; count++) {
    const port = await freePort()
    const proxy = await startTcpProxy({ targetPort: port })
    t.teardown(() => proxy.stop())
    const args = ['--listen', `127.0.0.1:${port}`, '--advertise', `127.0.0.1:${proxy.port}`]
    const agent = await startAgentProcess({ ...stores, args: [...stores.args, ...args] })
    t.teardown(async () => {
      await agent.stop()
    })
    proxies.push(proxy)
  }
  const brokers = proxies.map(({ port }) => `127.0.0.1:${port}`)
  await agentsKnowEachOther(brokers)
  return {
    brokers,
    cutConnections: () => {
      for (const proxy of proxies) proxy.cut()
    },
  }
}
