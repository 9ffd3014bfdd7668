import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { AgentRegistration } from '../../engine/ports/catalog.js'
import { type OpenFixture, onCatalog } from './catalog.js'

function registration(overrides: Partial<AgentRegistration> = {}): AgentRegistration {
  return { instanceId: randomUUID(), host: 'agent.example', port: 9092, zone: 'a', expiryMs: 60_000, ...overrides }
}

export async function agentCases(t: Test, open: OpenFixture): Promise<void> {
  await onCatalog(t, open, 'agents get node ids of their own and are listed', async (t, catalog, fixture) => {
    const other = await fixture.connect()
    const first = registration()
    const second = registration({ zone: null, port: 9093 })
    const nodeIds = [await catalog.registerAgent(first), await other.registerAgent(second)]
    t.not(nodeIds[0], nodeIds[1])
    t.ok(nodeIds.every((nodeId) => Number.isInteger(nodeId) && nodeId >= 0 && nodeId < 2 ** 31))
    t.equal(await other.registerAgent(first), nodeIds[0], 'registering again keeps the id')
    const agents = await other.listAgents(60_000)
    t.match(agents, [
      { nodeId: nodeIds[0], instanceId: first.instanceId, host: 'agent.example', port: 9092, zone: 'a' },
      { nodeId: nodeIds[1], instanceId: second.instanceId, host: 'agent.example', port: 9093, zone: null },
    ])
    t.ok(agents.every(({ heartbeatAgeMs }) => heartbeatAgeMs >= 0 && heartbeatAgeMs < 60_000))
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
