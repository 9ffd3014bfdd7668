import t, { type Test } from 'tap'
import {
  CatalogGroupCoordinator,
  type GroupCoordinatorOptions,
} from '../../../engine/groups/catalog-group-coordinator.js'
import { DEFAULT_GROUP_LIMITS } from '../../../engine/groups/group-limits.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { createTestTopic } from '../../support/commit-segments.js'
import { FakeCatalog } from '../../support/fake-catalog.js'
import { FakeCluster, formGroup, joinRequest, refOf, syncWith, text } from '../../support/group-members.js'
import { SeededRandom, VirtualClock } from '../../support/virtual-clock.js'

interface World {
  readonly clock: VirtualClock
  readonly catalog: FakeCatalog
  readonly topicId: string
  /** One more agent on the same catalog, which takes itself for the coordinator of everything. */
  agent(changes?: Partial<GroupCoordinatorOptions>): {
    readonly coordinator: CatalogGroupCoordinator
    readonly cluster: FakeCluster
  }
}

async function world(t: Test): Promise<World> {
  const clock = new VirtualClock()
  const catalog = new FakeCatalog(clock)
  const { topicId } = await createTestTopic(catalog, 'orders', 4)
  const coordinators: CatalogGroupCoordinator[] = []
  t.teardown(() => Promise.all(coordinators.map((coordinator) => coordinator.close())))
  let agentCount = 0
  const agent = (changes: Partial<GroupCoordinatorOptions> = {}) => {
    const cluster = new FakeCluster(++agentCount)
    const coordinator = new CatalogGroupCoordinator({
      catalog,
      cluster,
      clock,
      random: new SeededRandom(agentCount),
      logger: NO_LOGGER,
      limits: DEFAULT_GROUP_LIMITS,
      memoryBytesMax: 1024 * 1024,
      ...changes,
    })
    coordinators.push(coordinator)
    return { coordinator, cluster }
  }
  return { clock, catalog, topicId, agent }
}

function offsetOf(topicId: string, offset: number, partition = 0) {
  return { topicId, partition, offset, leaderEpoch: -1, metadata: 'm' }
}

const PLACE = (topicId: string) => [{ topicId, partition: 0 }]
const committed = async (catalog: Catalog, topicId: string) =>
  (await catalog.readGroupOffsets('readers', PLACE(topicId)))[0]?.offset

t.test('members join, are assigned, commit, and leave', async (t) => {
  const { agent, topicId, catalog } = await world(t)
  const { coordinator } = agent()
  const [leader, follower] = await formGroup(coordinator, [{}, { clientId: 'other' }])
  t.equal(leader?.leaderId, leader?.memberId)
  t.equal(follower?.generationId, leader?.generationId)
  t.same(follower?.members, [])
  const ref = refOf(follower!.memberId, follower!.generationId)
  await coordinator.heartbeat(ref)
  const again = await syncWith(coordinator, follower!)
  t.equal(text(again.assignment), `for ${follower!.memberId}`)
  t.match(await coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5), offsetOf(topicId, 1, 9)] }), [
    undefined,
    { code: 'PARTITION_UNKNOWN' },
  ])
  t.same(await coordinator.fetchOffsets('readers', [...PLACE(topicId), { topicId, partition: 1 }]), [
    offsetOf(topicId, 5),
    { topicId, partition: 1, offset: -1, leaderEpoch: -1, metadata: '' },
  ])
  t.same(await coordinator.list(), [{ groupId: 'readers', protocolType: 'consumer', state: 'Stable' }])
  t.match(await coordinator.describe(['readers', 'nobody']), [
    { state: 'Stable', protocolName: 'range', members: [{ clientId: 'client' }, { clientId: 'other' }] },
    { code: 'GROUP_UNKNOWN' },
  ])
  t.match(await coordinator.delete(['readers']), [{ code: 'GROUP_NOT_EMPTY' }])
  const left = await coordinator.leave('readers', [
    { memberId: leader!.memberId, groupInstanceId: null },
    { memberId: follower!.memberId, groupInstanceId: null },
    { memberId: 'nobody', groupInstanceId: null },
  ])
  t.match(left, [undefined, undefined, { code: 'MEMBER_UNKNOWN' }])
  t.same(await catalog.listGroups(), [{ groupId: 'readers', protocolType: 'consumer', state: 'Empty' }])
  t.match(await coordinator.delete(['readers', 'nobody']), [undefined, { code: 'GROUP_UNKNOWN' }])
  t.same(await catalog.listGroups(), [])
})

t.test('another agent takes over in the same generation, and the former one can write nothing', async (t) => {
  const { agent, topicId, catalog } = await world(t)
  const { coordinator: former } = agent()
  const [leader, follower] = await formGroup(former, [{}, {}])
  const ref = refOf(follower!.memberId, follower!.generationId)
  await former.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5)] })

  const { coordinator: next } = agent()
  await next.heartbeat(ref)
  t.equal(text((await syncWith(next, follower!)).assignment), `for ${follower!.memberId}`)
  await next.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 6)] })

  await former.heartbeat(ref)
  const parked = former.join(joinRequest())
  parked.catch(() => {})
  await t.rejects(former.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 3)] }), { code: 'NOT_COORDINATOR' })
  await t.rejects(parked, { code: 'NOT_COORDINATOR' }, 'who waited is sent on')
  t.equal(await committed(catalog, topicId), 6)
  t.equal((await next.describe(['readers']))[0] instanceof Error, false)
  await next.heartbeat(refOf(leader!.memberId, leader!.generationId))
})
