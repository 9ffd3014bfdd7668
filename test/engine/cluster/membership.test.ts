import t from 'tap'
import { Membership } from '../../../engine/cluster/membership.js'
import { ZoneMap } from '../../../engine/cluster/zone-map.js'
import { HeadraceError } from '../../../engine/errors.js'
import type { Agent, AgentRegistration, Catalog } from '../../../engine/ports/catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { VirtualClock } from '../../support/virtual-clock.js'

function setUp() {
  const clock = new VirtualClock()
  const agents = new Map<number, Agent>()
  const state = { nextId: 1, down: false, listed: 0, delayed: Promise.resolve() }
  const catalog = {
    clusterId: async () => 'cluster',
    registerAgent: async (agent: AgentRegistration) => {
      const nodeId = state.nextId++
      agents.set(nodeId, { ...agent, nodeId, heartbeatAgeMs: 0 })
      return nodeId
    },
    heartbeat: async (nodeId: number) => {
      if (state.down) throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'down')
      if (!agents.has(nodeId)) throw new HeadraceError('AGENT_EXPIRED', 'never', 'expired')
    },
    unregisterAgent: async (nodeId: number) => void agents.delete(nodeId),
    listAgents: async () => {
      state.listed++
      await state.delayed
      if (state.down) throw new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'down')
      return [...agents.values()]
    },
  } as unknown as Catalog
  const join = (port: number, zone: string | null, listeners = [{ name: 'default', host: 'h', port }]) =>
    Membership.join({
      catalog,
      clock,
      logger: NO_LOGGER,
      instanceId: `i${port}`,
      listeners,
      zone,
      zoneMap: ZoneMap.parse('10.0.0.0/8=x'),
      placement: 'consistent-hash',
      heartbeatIntervalMs: 1000,
      expiryMs: 5000,
    })
  return { clock, agents, state, join }
}

const client = (clientId: string | null) => ({ clientId, remoteAddress: '127.0.0.1' })

t.test('agents learn of each other, and clients get those of their zone', async (t) => {
  const { clock, join } = setUp()
  const a = await join(1, 'x')
  const b = await join(2, 'y')
  t.same(
    a.agentsFor(client(null)).map((agent) => agent.port),
    [1],
  )
  await clock.advance(1000)
  t.same(
    a.agentsFor(client(null)).map((agent) => agent.port),
    [1, 2],
  )
  t.same(
    a.agentsFor(client('app,zone=y')).map((agent) => agent.port),
    [2],
  )
  t.same(
    a.agentsFor(client('app,zone=z')).map((agent) => agent.port),
    [1, 2],
    'fallback: any',
  )
  t.same(
    a.nodesFor(client('app,zone=y')).map((agent) => agent.port),
    [2, 1],
    'and knows the others, who may run its groups',
  )
  const mapped = { clientId: 'app', remoteAddress: '10.1.2.3' }
  t.same(
    b.agentsFor(mapped).map((agent) => agent.port),
    [1],
    'the zone of an address',
  )
  t.ok(b.isAcrossZones(mapped))
  t.notOk(a.isAcrossZones(mapped))
  t.notOk(b.isAcrossZones(client(null)), 'unknown is not across')
  await b.leave()
  await clock.advance(1000)
  t.same(
    a.agentsFor(client(null)).map((agent) => agent.port),
    [1],
  )
  await a.leave()
  t.equal(clock.timerCount, 0)
})

t.test('a client is told the addresses of the listener it came in by', async (t) => {
  const { clock, join } = setUp()
  const listenersOf = (number: number) => [
    { name: 'internal', host: `10.0.0.${number}`, port: 9092 },
    { name: 'external', host: `agent-${number}.example.com`, port: 19_092 },
  ]
  const a = await join(1, 'x', listenersOf(1))
  const b = await join(2, 'x', listenersOf(2))
  const plain = await join(3, 'y')
  await clock.advance(1000)
  const seenBy = (listener?: string) => {
    const from = listener === undefined ? client(null) : { ...client(null), listener }
    return a.agentsFor(from).map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])
  }
  const internal = [
    [1, '10.0.0.1:9092'],
    [2, '10.0.0.2:9092'],
    [3, 'h:3'],
  ]
  t.same(seenBy('internal'), internal)
  t.same(seenBy('external'), [
    [1, 'agent-1.example.com:19092'],
    [2, 'agent-2.example.com:19092'],
    [3, 'h:3'],
  ])
  t.same(seenBy('none such'), internal, 'an unknown one: default addresses')
  t.same(seenBy(), internal)
  t.same(a.agentsFor({ ...client('zone=x'), listener: 'external' }).length, 2, 'beside the zone')
  for (let group = 0; group < 20; group++) {
    const { nodeId } = a.coordinatorOf(`group-${group}`)
    const expected = seenBy('external').find(([id]) => id === nodeId)?.[1]
    const { host, port } = a.coordinatorOf(`group-${group}`, { ...client(null), listener: 'external' })
    t.equal(`${host}:${port}`, expected)
  }
  for (const agent of [a, b, plain]) await agent.leave()
})

t.test('an agent stays in its own picture while the catalog is away, and registers again once expired', async (t) => {
  const { clock, agents, state, join } = setUp()
  const a = await join(1, null)
  state.down = true
  await clock.advance(5000)
  t.same(
    a.agentsFor(client(null)).map((agent) => agent.nodeId),
    [1],
  )
  state.down = false
  agents.clear()
  await clock.advance(1000)
  t.equal(a.nodeId, 2)
  t.same(
    a.agentsFor(client(null)).map((agent) => agent.nodeId),
    [2],
  )
  await a.leave()
  t.equal(agents.size, 0)
})

t.test('looking around finds who left before the next heartbeat, for one read of the registry', async (t) => {
  const { clock, state, join } = setUp()
  const a = await join(1, null)
  const b = await join(2, null)
  await clock.advance(1000)
  const ports = () => a.agentsFor(client(null)).map(({ port }) => port)
  t.same(ports(), [1, 2])
  await b.leave()
  await clock.advance(300)
  const listed = state.listed
  await Promise.all([a.lookAround(), a.lookAround(), a.lookAround()])
  t.same(ports(), [1], 'gone at once')
  await a.lookAround()
  t.equal(state.listed, listed + 1, 'who asks right after that is served by the same look')
  await clock.advance(300)
  await a.lookAround()
  t.equal(state.listed, listed + 2)
  await a.leave()
})

t.test(
  'looking around keeps what is known while the catalog fails, and waits no more than a second for it',
  async (t) => {
    const { clock, state, join } = setUp()
    const a = await join(1, null)
    await join(2, null)
    await clock.advance(1000)
    const ports = () => a.agentsFor(client(null)).map(({ port }) => port)
    state.down = true
    await clock.advance(300)
    await a.lookAround()
    t.same(ports(), [1, 2])
    state.down = false
    state.delayed = new Promise(() => {})
    await clock.advance(300)
    let isDone = false
    const looking = a.lookAround().then(() => {
      isDone = true
    })
    await clock.advance(900)
    t.notOk(isDone)
    await clock.advance(100)
    await looking
    t.same(ports(), [1, 2])
  },
)
