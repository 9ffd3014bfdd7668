import { HeadraceError } from '../../engine/errors.js'
import type { Agent, AgentRegistration } from '../../engine/ports/catalog.js'
import type { Database, Session } from './database.js'
import { int, intOf, intOrNullOf, textOf, textOrNullOf } from './sql-text.js'

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
    const rows = await session.rows(
      `SELECT node_id, instance_id, host, port, ${dialect.nowMs} - heartbeat_at_ms - expiry_ms AS overdue_ms
       FROM agents ORDER BY node_id`,
    )
    const taken = new Set<number>()
    let own: number | undefined
    let sameAddress: number | undefined
    for (const row of rows) {
      const nodeId = intOf(row, 'node_id')
      if (row['instance_id'] === agent.instanceId) own = nodeId
      if (textOf(row, 'host') === agent.host && intOf(row, 'port') === agent.port) sameAddress = nodeId
      if (intOf(row, 'overdue_ms') <= 0) taken.add(nodeId)
    }
    const nodeId = own ?? sameAddress ?? smallestFree(taken)
    await session.run(`DELETE FROM agents WHERE node_id = ${int(nodeId)}`)
    await session.run(
      `INSERT INTO agents (node_id, instance_id, host, port, zone, expiry_ms, heartbeat_at_ms)
       VALUES (${int(nodeId)}, ?, ?, ${int(agent.port)}, ?, ${int(agent.expiryMs)}, ${dialect.nowMs})`,
      [agent.instanceId, agent.host, agent.zone],
    )
    return nodeId
  })
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
    `SELECT node_id, instance_id, host, port, zone, ${nowMs} - heartbeat_at_ms AS age_ms FROM agents
     WHERE instance_id IS NOT NULL ORDER BY node_id`,
  )
  return rows
    .map((row) => ({
      nodeId: intOf(row, 'node_id'),
      instanceId: textOf(row, 'instance_id'),
      host: textOf(row, 'host'),
      port: intOf(row, 'port'),
      zone: textOrNullOf(row, 'zone'),
      heartbeatAgeMs: Math.max(0, intOrNullOf(row, 'age_ms') ?? 0),
    }))
    .filter(({ heartbeatAgeMs }) => heartbeatAgeMs < heartbeatAgeMaxMs)
}
