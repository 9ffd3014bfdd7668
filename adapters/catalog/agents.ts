import { AGENT_ROLES, type AgentRole } from '../../engine/cluster/roles.js'
import { HeadraceError } from '../../engine/errors.js'
import type { Agent, AgentListener, AgentRegistration } from '../../engine/ports/catalog.js'
import type { Database, Session } from './database.js'
import { int, intOf, intOrNullOf, type Row, textOf, textOrNullOf, tuple } from './sql-text.js'

/**
 * Gives the agent the id of its address if there is one, else the smallest that no other may hold. A row keeps its id taken
 * until its own expiry has passed since the last heartbeat, whether its agent died or left. Repeating a registration answers
 * with the same id.
 */
export async function registerAgent(database: Database, agent: AgentRegistration): Promise<number> {
  const { dialect } = database
  return database.change(async (session) => {
    // One registration at a time: the row of the cluster stands for the set of agents.
    await session.rows(`SELECT singleton FROM cluster_state WHERE singleton = 1${dialect.lockRows}`)
    const known = await readRegistrations(session, dialect.nowMs)
    const nodeId = chooseNodeId(agent, known)
    const robbed = known.filter((other) => other.nodeId !== nodeId && holdsOneOf(other, agent.listeners))
    if (robbed.length > 0) {
      await session.run(`UPDATE agents SET instance_id = NULL WHERE ${nodeIdIn(robbed.map((other) => other.nodeId))}`)
    }
    const emptied = nodeIdIn([nodeId, ...robbed.map((other) => other.nodeId)])
    await session.run(`DELETE FROM agents WHERE node_id = ${int(nodeId)}`)
    await session.run(`DELETE FROM agent_listeners WHERE ${emptied}`)
    await session.run(`DELETE FROM agent_roles WHERE ${emptied}`)
    await session.run(
      `INSERT INTO agents (node_id, instance_id, host, port, zone, expiry_ms, heartbeat_at_ms)
       VALUES (${int(nodeId)}, ?, ?, ${int(agent.port)}, ?, ${int(agent.expiryMs)}, ${dialect.nowMs})`,
      [agent.instanceId, agent.host, agent.zone],
    )
    await insertListeners(session, nodeId, agent)
    await insertRoles(session, nodeId, agent)
    return nodeId
  })
}

interface Registration {
  readonly nodeId: number
  readonly instanceId: string | null
  /** Its default address, then those of its listeners. */
  readonly addresses: { readonly host: string; readonly port: number }[]
  readonly expired: boolean
}

async function readRegistrations(session: Session, nowMs: string): Promise<Registration[]> {
  const rows = await session.rows(
    `SELECT a.node_id, a.instance_id, a.host, a.port, ${nowMs} - a.heartbeat_at_ms - a.expiry_ms AS overdue_ms,
       l.host AS listener_host, l.port AS listener_port
     FROM agents a LEFT JOIN agent_listeners l ON l.node_id = a.node_id ORDER BY a.node_id, l.position`,
  )
  const byNode = new Map<number, Registration>()
  for (const row of rows) {
    const nodeId = intOf(row, 'node_id')
    const known = byNode.get(nodeId) ?? {
      nodeId,
      instanceId: textOrNullOf(row, 'instance_id'),
      addresses: [{ host: textOf(row, 'host'), port: intOf(row, 'port') }],
      expired: intOf(row, 'overdue_ms') > 0,
    }
    const host = textOrNullOf(row, 'listener_host')
    if (host !== null) known.addresses.push({ host, port: intOf(row, 'listener_port') })
    byNode.set(nodeId, known)
  }
  return [...byNode.values()]
}

function chooseNodeId(agent: AgentRegistration, known: readonly Registration[]): number {
  const same =
    known.find(({ instanceId }) => instanceId === agent.instanceId) ??
    known.find(({ addresses }) => addresses[0]?.host === agent.host && addresses[0].port === agent.port) ??
    known.find((other) => holdsOneOf(other, agent.listeners))
  return same?.nodeId ?? smallestFree(new Set(known.filter(({ expired }) => !expired).map(({ nodeId }) => nodeId)))
}

function holdsOneOf({ addresses }: Registration, listeners: readonly AgentListener[]): boolean {
  return listeners.some(({ host, port }) => addresses.some((held) => held.host === host && held.port === port))
}

function nodeIdIn(nodeIds: readonly number[]): string {
  return `node_id IN (${nodeIds.map(int).join(', ')})`
}

async function insertListeners(session: Session, nodeId: number, agent: AgentRegistration): Promise<void> {
  const rows = agent.listeners.map(({ port }, position) => tuple(int(nodeId), int(position), '?', '?', '?', int(port)))
  await session.run(
    `INSERT INTO agent_listeners (node_id, position, instance_id, listener, host, port) VALUES ${rows.join(', ')}`,
    agent.listeners.flatMap(({ name, host }) => [agent.instanceId, name, host]),
  )
}

async function insertRoles(session: Session, nodeId: number, { instanceId, roles }: AgentRegistration): Promise<void> {
  if (roles === undefined) return
  const values = tuple(int(nodeId), '?', '?')
  await session.run(`INSERT INTO agent_roles (node_id, instance_id, roles) VALUES ${values}`, [
    instanceId,
    roles.join(','),
  ])
}

function smallestFree(taken: ReadonlySet<number>): number {
  let nodeId = 1
  while (taken.has(nodeId)) nodeId++
  return nodeId
}

export async function heartbeat(database: Database, nodeId: number, instanceId: string): Promise<void> {
  const matched = await database.change((session) =>
    session.run(
      `UPDATE agents SET heartbeat_at_ms = ${database.dialect.nowMs} WHERE node_id = ${int(nodeId)} AND instance_id = ?`,
      [instanceId],
    ),
  )
  if (matched > 0) return
  throw new HeadraceError(
    'AGENT_EXPIRED',
    'never',
    `the registration of node ${nodeId} is gone, because its heartbeats did not arrive in time; register again`,
  )
}

/** The row stays, nameless, to keep the node id taken until it would have expired. */
export async function unregisterAgent(database: Database, nodeId: number, instanceId: string): Promise<void> {
  await database.change((session) =>
    session.run(`UPDATE agents SET instance_id = NULL WHERE node_id = ${int(nodeId)} AND instance_id = ?`, [
      instanceId,
    ]),
  )
}

export async function listAgents(session: Session, nowMs: string, heartbeatAgeMaxMs: number): Promise<Agent[]> {
  const rows = await session.rows(
    `SELECT a.node_id, a.instance_id, a.host, a.port, a.zone, ${nowMs} - a.heartbeat_at_ms AS age_ms,
       l.listener, l.host AS listener_host, l.port AS listener_port, r.roles
     FROM agents a LEFT JOIN agent_listeners l ON l.node_id = a.node_id AND l.instance_id = a.instance_id
       LEFT JOIN agent_roles r ON r.node_id = a.node_id AND r.instance_id = a.instance_id
     WHERE a.instance_id IS NOT NULL ORDER BY a.node_id, l.position`,
  )
  const agents = new Map<number, Agent & { readonly listeners: AgentListener[] }>()
  for (const row of rows) {
    const nodeId = intOf(row, 'node_id')
    const agent = agents.get(nodeId) ?? {
      nodeId,
      instanceId: textOf(row, 'instance_id'),
      host: textOf(row, 'host'),
      port: intOf(row, 'port'),
      listeners: [],
      zone: textOrNullOf(row, 'zone'),
      ...rolesOf(row),
      heartbeatAgeMs: Math.max(0, intOrNullOf(row, 'age_ms') ?? 0),
    }
    agents.set(nodeId, agent)
    const name = textOrNullOf(row, 'listener')
    if (name === null) continue
    agent.listeners.push({ name, host: textOf(row, 'listener_host'), port: intOf(row, 'listener_port') })
  }
  return [...agents.values()].filter(({ heartbeatAgeMs }) => heartbeatAgeMs < heartbeatAgeMaxMs)
}

/** Roles that this version does not know are another one's affair. */
function rolesOf(row: Row): { readonly roles?: readonly AgentRole[] } {
  const text = textOrNullOf(row, 'roles')
  return text === null ? {} : { roles: AGENT_ROLES.filter((role) => text.split(',').includes(role)) }
}
