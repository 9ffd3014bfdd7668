import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { AgentRegistration } from '../../engine/ports/catalog.js'
import { type OpenFixture, onCatalog } from './catalog.js'

let nextPort = 10_000

/** An agent at an address of its own. */
function registration(overrides: Partial<AgentRegistration> = {}): AgentRegistration {
  const { host = 'agent.example', port = nextPort++ } = overrides
  const listeners = [{ name: 'default', host, port }]
  return { instanceId: randomUUID(), host, port, listeners, zone: 'a', expiryMs: 60_000, ...overrides }
}

export async function agentCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'agents get node ids of their own and are listed', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const first = registration()
    const second = registration({ zone: null })
    const nodeIds = [await catalog.registerAgent(first), await other.registerAgent(second)]
    t.not(nodeIds[0], nodeIds[1])
    t.ok(nodeIds.every((nodeId) => Number.isInteger(nodeId) && nodeId >= 0 && nodeId < 2 ** 31))
    t.equal(await other.registerAgent(first), nodeIds[0], 'registering again keeps the id')
    const agents = await other.listAgents(60_000)
    t.match(agents, [
      { nodeId: nodeIds[0], instanceId: first.instanceId, host: 'agent.example', port: first.port, zone: 'a' },
      { nodeId: nodeIds[1], instanceId: second.instanceId, host: 'agent.example', port: second.port, zone: null },
    ])
    t.ok(agents.every(({ heartbeatAgeMs }) => heartbeatAgeMs >= 0 && heartbeatAgeMs < 60_000))
  })

  await onCatalog(t, open, 'agents say what they do, or do everything', async (t, catalog) => {
    const working = registration({ roles: ['fetch', 'jobs'] })
    await catalog.registerAgent(working)
    await catalog.registerAgent(registration())
    const rolesOf = async () => (await catalog.listAgents(60_000)).map(({ roles }) => roles)
    t.same(await rolesOf(), [['fetch', 'jobs'], undefined])
    await catalog.registerAgent({ ...working, roles: ['produce'] })
    t.same(await rolesOf(), [['produce'], undefined], 'registering again says it anew')
  })

  await onCatalog(t, open, 'ids are unique though many register at once', async (t, catalog, fixture) => {
    const agents = [catalog, await fixture.connect(), await fixture.connect()]
    const nodeIds = await Promise.all(
      Array.from({ length: 15 }, (_, index) => agents[index % 3]!.registerAgent(registration())),
    )
    t.equal(new Set(nodeIds).size, 15)
  })

  await onCatalog(t, open, 'a heartbeat keeps the age down', async (t, catalog) => {
    const [silent, beating] = [registration(), registration()]
    await catalog.registerAgent(silent)
    const nodeId = await catalog.registerAgent(beating)
    await sleep(300)
    const beatAtMs = performance.now()
    await catalog.heartbeat(nodeId, beating.instanceId)
    t.same(
      // Between the two ages, however slow the machine is.
      (await catalog.listAgents(Math.round(performance.now() - beatAtMs) + 150)).map(({ instanceId }) => instanceId),
      [beating.instanceId],
    )
    t.equal((await catalog.listAgents(60_000)).length, 2, 'and listing removes none')
  })

  await onCatalog(t, open, 'an id is reused only once its agent has expired', async (t, catalog) => {
    const dead = registration({ expiryMs: 1000 })
    const nodeId = await catalog.registerAgent(dead)
    t.not(await catalog.registerAgent(registration()), nodeId, 'not yet')
    await sleep(1050)
    await catalog.heartbeat(nodeId, dead.instanceId)
    t.not(await catalog.registerAgent(registration()), nodeId, 'it came back')
    await sleep(1050)
    t.equal(await catalog.registerAgent(registration()), nodeId, 'now')
    await t.rejects(catalog.heartbeat(nodeId, dead.instanceId), { code: 'AGENT_EXPIRED' })
    await catalog.unregisterAgent(nodeId, dead.instanceId)
    t.equal((await catalog.listAgents(60_000)).length, 3, 'the old agent cannot remove the new one')
    t.not(await catalog.registerAgent(dead), nodeId, 'and gets another id')
  })

  await onCatalog(t, open, 'an agent that starts at the address of another takes its id over', async (t, catalog) => {
    const [killed, left, other] = [registration(), registration(), registration()]
    const ids = [await catalog.registerAgent(killed), await catalog.registerAgent(left)]
    const otherId = await catalog.registerAgent(other)
    await catalog.unregisterAgent(ids[1]!, left.instanceId)
    const successors = [killed, left].map(({ port }) => registration({ port, zone: 'b' }))
    for (const [index, successor] of successors.entries()) {
      t.equal(await catalog.registerAgent(successor), ids[index])
      await catalog.heartbeat(ids[index]!, successor.instanceId)
    }
    await t.rejects(catalog.heartbeat(ids[0]!, killed.instanceId), { code: 'AGENT_EXPIRED' })
    t.same(
      (await catalog.listAgents(60_000)).map(({ nodeId, instanceId }) => [nodeId, instanceId]),
      [
        [ids[0], successors[0]!.instanceId],
        [ids[1], successors[1]!.instanceId],
        [otherId, other.instanceId],
      ],
    )
    t.not(await catalog.registerAgent(registration({ host: 'elsewhere.example', port: other.port })), otherId)
  })

  await onCatalog(t, open, 'an agent has an address per listener, and one id for all of them', async (t, catalog) => {
    const listeners = [
      { name: 'internal', host: '10.0.0.1', port: 9092 },
      { name: 'external', host: 'agent-1.example.com', port: 19_092 },
    ]
    const first = registration({ host: '10.0.0.1', port: 9092, listeners })
    const nodeId = await catalog.registerAgent(first)
    const other = registration()
    const otherId = await catalog.registerAgent(other)
    t.match(await catalog.listAgents(60_000), [
      { nodeId, host: '10.0.0.1', port: 9092, listeners },
      { nodeId: otherId, host: other.host, port: other.port, listeners: [{ name: 'default' }] },
    ])
    const turned = [...listeners].reverse()
    const successor = registration({ host: 'agent-1.example.com', port: 19_092, listeners: turned })
    t.equal(await catalog.registerAgent(successor), nodeId, 'found by an address that was not the default one')
    const [listed] = await catalog.listAgents(60_000)
    t.match(listed, { nodeId, instanceId: successor.instanceId, host: 'agent-1.example.com', port: 19_092 })
    t.same(listed?.listeners, turned)

    const both = [...listeners, { name: 'third', host: other.host, port: other.port }]
    const heir = registration({ host: '10.0.0.1', port: 9092, listeners: both })
    t.equal(await catalog.registerAgent(heir), nodeId, 'the id of the default address goes first')
    t.same(
      (await catalog.listAgents(60_000)).map((agent) => agent.nodeId),
      [nodeId],
      'no two nodes at one address',
    )
    await t.rejects(catalog.heartbeat(otherId, other.instanceId), { code: 'AGENT_EXPIRED' })
    t.not(await catalog.registerAgent(registration()), otherId, 'whose id stays taken for a while')
  })

  await onCatalog(t, open, 'an agent that leaves is gone at once, its id a while later', async (t, catalog) => {
    const leaving = registration({ expiryMs: 1000 })
    const nodeId = await catalog.registerAgent(leaving)
    await catalog.unregisterAgent(nodeId, leaving.instanceId)
    await catalog.unregisterAgent(nodeId, leaving.instanceId)
    t.same(await catalog.listAgents(60_000), [])
    await t.rejects(catalog.heartbeat(nodeId, leaving.instanceId), { code: 'AGENT_EXPIRED' })
    await t.rejects(catalog.heartbeat(4711, leaving.instanceId), { code: 'AGENT_EXPIRED' })
    t.not(await catalog.registerAgent(registration()), nodeId)
    await sleep(1050)
    t.equal(await catalog.registerAgent(registration()), nodeId)
  })
}
