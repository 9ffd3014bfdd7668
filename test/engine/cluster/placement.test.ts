import t from 'tap'
import type { ClusterAgent } from '../../../engine/broker.js'
import { zoneOfClientId } from '../../../engine/cluster/client-zone.js'
import { placeFor, placeGroup, placePartition } from '../../../engine/cluster/placement.js'

const agents = (...ids: number[]): ClusterAgent[] => ids.map((nodeId) => ({ nodeId, host: 'h', port: 1, zone: null }))
const topicId = '5bd1f5b2-7a2e-4d0c-9d53-111111111111'

t.test('spreads evenly', async (t) => {
  const counts = new Map<number, number>()
  for (let partition = 0; partition < 6000; partition++) {
    const { nodeId } = placePartition({ topicId, partition }, agents(1, 2, 3, 4, 5, 6))
    counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1)
  }
  for (const [nodeId, count] of counts) t.ok(count > 850 && count < 1150, `agent ${nodeId} has ${count} of 6000`)
})

t.test('only the partitions of an agent that went move', async (t) => {
  let moved = 0
  for (let partition = 0; partition < 1000; partition++) {
    const before = placePartition({ topicId, partition }, agents(1, 2, 3, 4))
    const after = placePartition({ topicId, partition }, agents(1, 2, 4))
    if (before.nodeId === 3) moved++
    else if (before.nodeId !== after.nodeId)
      t.fail(`partition ${partition} moved from ${before.nodeId} to ${after.nodeId}`)
  }
  t.ok(moved > 150 && moved < 350)
})

t.test('the order in which agents are listed does not matter', async (t) => {
  for (let partition = 0; partition < 100; partition++) {
    t.equal(
      placePartition({ topicId, partition }, agents(7, 8, 9)).nodeId,
      placePartition({ topicId, partition }, agents(9, 7, 8)).nodeId,
    )
  }
})

t.test('single-agent: a client has one agent for everything, clients spread', async (t) => {
  const used = new Set<number>()
  for (let client = 0; client < 50; client++) {
    const info = { clientId: `client-${client}`, remoteAddress: '127.0.0.1' }
    const place = (partition: number) => placeFor('single-agent', { topicId, partition }, agents(1, 2, 3), info).nodeId
    for (let partition = 1; partition < 20; partition++) t.equal(place(partition), place(0))
    used.add(place(0))
  }
  t.equal(used.size, 3)
})

t.test('the zone in a client id', async (t) => {
  t.equal(zoneOfClientId('zone=a'), 'a')
  t.equal(zoneOfClientId('orders,zone=eu-west-1a'), 'eu-west-1a')
  t.equal(zoneOfClientId('x|ws_az=b'), 'b')
  t.equal(zoneOfClientId('warpstream_az=c,y'), 'c')
  t.equal(zoneOfClientId('automq_az=d'), 'd')
  t.equal(zoneOfClientId('a=b,diskless_az= e '), 'e')
  t.equal(zoneOfClientId('zone='), null)
  t.equal(zoneOfClientId('timezone=x'), null)
  t.equal(zoneOfClientId(null), null)
})

t.test('groups spread over the agents, and move only when theirs goes', async (t) => {
  const groups = Array.from({ length: 300 }, (_, number) => `group-${number}`)
  const before = groups.map((groupId) => placeGroup(groupId, agents(1, 2, 3)).nodeId)
  t.equal(new Set(before).size, 3)
  for (const [number, groupId] of groups.entries()) {
    const after = placeGroup(groupId, agents(1, 2)).nodeId
    if (before[number] !== 3) t.equal(after, before[number])
  }
})
