import { HeadraceError } from '../../engine/errors.js'
import type { Agent, AgentRegistration } from '../../engine/ports/catalog.js'

interface FakeAgent extends AgentRegistration {
  readonly nodeId: number
  heartbeatAtMs: number
  /** Its id stays taken until it would have expired: clients may still know it. */
  gone: boolean
}

/** The registry of agents of the fake catalog. */
export class FakeAgents {
  readonly #agents = new Map<number, FakeAgent>()

  constructor(private readonly nowMs: () => number) {}

  register(agent: AgentRegistration): number {
    const nowMs = this.nowMs()
    for (const [nodeId, known] of this.#agents) {
      if (nowMs - known.heartbeatAtMs > known.expiryMs) this.#agents.delete(nodeId)
    }
    const known = [...this.#agents.values()]
    const same =
      known.find(({ instanceId, gone }) => instanceId === agent.instanceId && !gone) ??
      known.find(({ host, port }) => host === agent.host && port === agent.port) ??
      known.find((other) => shareAddress(other, agent))
    let nodeId = same?.nodeId ?? 1
    while (same === undefined && this.#agents.has(nodeId)) nodeId += 1
    for (const other of known) if (other !== same && shareAddress(other, agent)) other.gone = true
    this.#agents.set(nodeId, { ...agent, nodeId, heartbeatAtMs: nowMs, gone: false })
    return nodeId
  }

  heartbeat(nodeId: number, instanceId: string): void {
    const agent = this.#agents.get(nodeId)
    if (agent?.instanceId !== instanceId || agent.gone) {
      throw new HeadraceError(
        'AGENT_EXPIRED',
        'never',
        `agent ${nodeId} is no longer registered; it must register again`,
      )
    }
    agent.heartbeatAtMs = this.nowMs()
  }

  unregister(nodeId: number, instanceId: string): void {
    const agent = this.#agents.get(nodeId)
    if (agent?.instanceId === instanceId) agent.gone = true
  }

  list(heartbeatAgeMaxMs: number): Agent[] {
    const nowMs = this.nowMs()
    return [...this.#agents.values()]
      .filter(({ gone }) => !gone)
      .map(({ nodeId, instanceId, host, port, listeners, zone, roles, heartbeatAtMs }) => {
        const heartbeatAgeMs = nowMs - heartbeatAtMs
        return { nodeId, instanceId, host, port, listeners, zone, ...(roles && { roles }), heartbeatAgeMs }
      })
      .filter((agent) => agent.heartbeatAgeMs < heartbeatAgeMaxMs)
      .sort((a, b) => a.nodeId - b.nodeId)
  }
}

function shareAddress(one: AgentRegistration, other: AgentRegistration): boolean {
  return one.listeners.some(({ host, port }) => other.listeners.some((a) => a.host === host && a.port === port))
}
