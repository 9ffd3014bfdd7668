import type { ClientInfo, Cluster, ClusterAgent } from '../broker.js'
import { isHeadraceError } from '../errors.js'
import type { PartitionRef } from '../model.js'
import type { AgentListener, Catalog } from '../ports/catalog.js'
import type { CancelTimer, Clock } from '../ports/clock.js'
import type { Logger } from '../ports/logger.js'
import { zoneOfClientId } from './client-zone.js'
import { type PlacementStrategy, placeFor, placeGroup } from './placement.js'
import { type AgentRole, coordinatingAgents, type HasRoles, servingAgents } from './roles.js'
import type { ZoneMap } from './zone-map.js'

/** Looking around costs at most one read of the registry in this time, whoever asks. */
const LOOK_INTERVAL_MS = 250
/** Who asks waits no longer than this for a catalog that does not answer. */
const LOOK_MS_MAX = 1_000

/**
 * This agent's place in the registry, and its picture of the others. The registry is in the catalog and ages by the
 * database's clock; between heartbeats everything answers from the last picture, which always contains this agent.
 *
 * Lifecycle: `join`, then `leave`.
 */
export class Membership implements Cluster {
  readonly clusterId: string
  readonly #options: MembershipOptions
  #self: Member
  #agents: readonly Member[]
  #timer: CancelTimer | undefined
  #beating: Promise<void> = Promise.resolve()
  #refreshing: Promise<void> | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #left = false

  private constructor(options: MembershipOptions, clusterId: string, nodeId: number) {
    this.#options = options
    this.clusterId = clusterId
    const { listeners, zone, roles } = options
    this.#self = { nodeId, listeners, zone, ...(roles && { roles }), ...defaultAddress(listeners) }
    this.#agents = [this.#self]
  }

  /** Registers the agent and starts its heartbeat. */
  static async join(options: MembershipOptions): Promise<Membership> {
    const membership = new Membership(options, await options.catalog.clusterId(), await register(options))
    await membership.#refresh()
    membership.#scheduleBeat()
    return membership
  }

  get nodeId(): number {
    return this.#self.nodeId
  }

  agentsFor(client: ClientInfo): readonly ClusterAgent[] {
    const zone = this.#zoneOf(client)
    const serving = servingAgents(this.#self, this.#agents)
    const near = zone === null ? [] : serving.filter((agent) => agent.zone === zone)
    return (near.length > 0 ? near : serving).map((agent) => asSeenBy(client, agent))
  }

  nodesFor(client: ClientInfo): readonly ClusterAgent[] {
    const serving = this.agentsFor(client)
    const known = new Set(serving.map(({ nodeId }) => nodeId))
    const others = coordinatingAgents(this.#agents).filter(({ nodeId }) => !known.has(nodeId))
    return [...serving, ...others.map((agent) => asSeenBy(client, agent))]
  }

  leaderOf(partition: PartitionRef, agents: readonly ClusterAgent[], client: ClientInfo): ClusterAgent {
    return placeFor(this.#options.placement, partition, agents, client)
  }

  coordinatorOf(groupId: string, client?: ClientInfo): ClusterAgent {
    const agent = placeGroup(groupId, coordinatingAgents(this.#agents))
    return client === undefined ? agent : asSeenBy(client, agent)
  }

  async lookAround(): Promise<void> {
    const { clock, logger } = this.#options
    if (this.#left || clock.monotonicMs() - this.#lookedAtMs < LOOK_INTERVAL_MS) return
    const looked = this.#refresh().catch((error: unknown) => {
      logger.debug({ error }, 'the registry of agents cannot be read now; going by what was read last')
    })
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(LOOK_MS_MAX, resolve)
      looked.then(() => {
        cancel()
        resolve()
      })
    })
  }

  isAcrossZones(client: ClientInfo): boolean {
    const zone = this.#zoneOf(client)
    return zone !== null && this.#self.zone !== null && zone !== this.#self.zone
  }

  /** Takes the agent out of the registry, so that clients go elsewhere at once. Idempotent. */
  async leave(): Promise<void> {
    if (this.#left) return
    this.#left = true
    this.#timer?.()
    await this.#beating
    await this.#options.catalog.unregisterAgent(this.nodeId, this.#options.instanceId)
  }

  #zoneOf(client: ClientInfo): string | null {
    return zoneOfClientId(client.clientId) ?? this.#options.zoneMap.zoneOf(client.remoteAddress)
  }

  #scheduleBeat(): void {
    if (this.#left) return
    this.#timer = this.#options.clock.schedule(this.#options.heartbeatIntervalMs, () => {
      this.#beating = this.#beat().then(() => this.#scheduleBeat())
    })
  }

  async #beat(): Promise<void> {
    const { catalog, instanceId, logger } = this.#options
    try {
      await catalog.heartbeat(this.nodeId, instanceId)
      await this.#refresh()
    } catch (error) {
      if (isHeadraceError(error, 'AGENT_EXPIRED')) await this.#registerAgain()
      else logger.warn({ error }, 'the heartbeat did not reach the catalog; trying again at the next one')
    }
  }

  async #registerAgain(): Promise<void> {
    try {
      this.#self = { ...this.#self, nodeId: await register(this.#options) }
      this.#options.logger.warn({ nodeId: this.nodeId }, 'the registration had expired; registered again')
      await this.#refresh()
    } catch (error) {
      this.#options.logger.warn({ error }, 'registering again failed; trying again at the next heartbeat')
    }
  }

  /** One at a time: of two answers the older one could come last. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #read(): Promise<void> {
    this.#lookedAtMs = this.#options.clock.monotonicMs()
    const agents = await this.#options.catalog.listAgents(this.#options.expiryMs)
    const others = agents.filter((agent) => agent.nodeId !== this.nodeId)
    this.#agents = [...others, this.#self].sort((a, b) => a.nodeId - b.nodeId)
  }
}

export interface MembershipOptions {
  readonly catalog: Catalog
  readonly clock: Clock
  readonly logger: Logger
  readonly instanceId: string
  /** What clients are told to connect to, by the listener they come in by. The first one is the default. */
  readonly listeners: readonly AgentListener[]
  readonly zone: string | null
  /** Absent: all. */
  readonly roles?: readonly AgentRole[]
  /** Tells the zone of clients that do not name it. */
  readonly zoneMap: ZoneMap
  readonly placement: PlacementStrategy
  readonly heartbeatIntervalMs: number
  readonly expiryMs: number
}

/** An agent as the registry knows it. */
interface Member extends ClusterAgent, HasRoles {
  readonly listeners: readonly AgentListener[]
}

function asSeenBy({ listener }: ClientInfo, { nodeId, host, port, zone, listeners }: Member): ClusterAgent {
  const address = listeners.find(({ name }) => name === listener) ?? { host, port }
  return { nodeId, host: address.host, port: address.port, zone }
}

function defaultAddress(listeners: readonly AgentListener[]): { readonly host: string; readonly port: number } {
  const [first] = listeners
  if (first === undefined) throw new Error('an agent has at least one listener')
  return { host: first.host, port: first.port }
}

function register(options: MembershipOptions): Promise<number> {
  const { catalog, instanceId, listeners, zone, roles, expiryMs } = options
  const address = defaultAddress(listeners)
  return catalog.registerAgent({ instanceId, ...address, listeners, zone, ...(roles && { roles }), expiryMs })
}
