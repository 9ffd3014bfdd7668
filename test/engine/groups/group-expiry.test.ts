import t, { type Test } from 'tap'
import { GroupExpiry } from '../../../engine/groups/group-expiry.js'
import { NO_LOGGER } from '../../../engine/ports/logger.js'
import { createTestTopic } from '../../support/commit-segments.js'
import { formGroup, refOf, subscription } from '../../support/group-members.js'
import { type GroupWorld, groupWorld, offsetOf } from '../../support/group-world.js'
import { SeededRandom } from '../../support/virtual-clock.js'

const DAY_MS = 86_400_000

function withExpiry({ agent, catalog, clock }: GroupWorld, t: Test, retentionMs = 7 * DAY_MS) {
  const { coordinator, cluster } = agent()
  const random = new SeededRandom(1)
  const options = { groups: coordinator, catalog, cluster, clock, random, logger: NO_LOGGER, retentionMs }
  const expiry = new GroupExpiry(options)
  t.teardown(() => expiry.close())
  return { coordinator, cluster, expiry }
}

t.test('groups without members are forgotten when nobody committed for long', async (t) => {
  const world = await groupWorld(t)
  const { catalog, clock, topicId } = world
  const { coordinator, expiry, cluster } = withExpiry(world, t)
  expiry.start()
  for (const groupId of ['old', 'used']) {
    await coordinator.commitOffsets({ ...refOf('', -1), groupId, offsets: [offsetOf(topicId, 1)] })
  }
  const [member] = await formGroup(coordinator, [{ groupId: 'unused' }])
  await coordinator.leave('unused', [{ memberId: member!.memberId, groupInstanceId: null }])
  const names = async () => (await catalog.listGroups()).map(({ groupId }) => groupId).sort()
  await clock.advance(3_600_000)
  t.same(await names(), ['old', 'used'], 'nothing was ever committed to the third one')
  await clock.advance(6 * DAY_MS)
  await coordinator.commitOffsets({ ...refOf('', -1), groupId: 'used', offsets: [offsetOf(topicId, 2)] })
  cluster.coordinatorId = 2
  await clock.advance(2 * DAY_MS)
  t.same(await names(), ['old', 'used'], 'one agent does it for all')
  cluster.coordinatorId = cluster.nodeId
  await clock.advance(3_600_000)
  t.same(await names(), ['used'])
  t.match(await coordinator.fetchOffsets('old', [{ topicId, partition: 0 }]), [{ offset: -1 }])
})

t.test('of a group that works, offsets of topics it reads no more', async (t) => {
  const world = await groupWorld(t)
  const { catalog, clock, topicId } = world
  const { coordinator, expiry } = withExpiry(world, t, DAY_MS)
  const former = await createTestTopic(catalog, 'former')
  const protocols = [{ name: 'range', metadata: subscription(['orders']) }]
  const [member] = await formGroup(coordinator, [{ sessionTimeoutMs: 1_800_000, protocols }])
  const ref = refOf(member!.memberId, member!.generationId)
  await coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5), offsetOf(former.topicId, 6)] })
  for (let hours = 0; hours < 25; hours += 0.4) {
    await clock.advance(1_440_000)
    await coordinator.heartbeat(ref)
    if (hours < 20) await expiry.run()
  }
  t.equal((await coordinator.fetchOffsets('readers')).length, 2)
  await expiry.run()
  t.match(await coordinator.fetchOffsets('readers'), [{ topicId, offset: 5 }], 'what it reads stays, however old')
})

t.test('members that vanished together with their coordinator are waited for, and given up', async (t) => {
  const world = await groupWorld(t)
  const { agent, catalog, clock } = world
  const former = agent()
  await formGroup(former.coordinator, [{}])
  await former.coordinator.close()
  t.match(await catalog.listGroups(), [{ state: 'Stable' }])
  const { coordinator, expiry } = withExpiry(world, t)
  await expiry.run()
  t.equal(coordinator.running.length, 1)
  await clock.advance(10_001)
  t.match(await catalog.listGroups(), [{ state: 'Empty' }])
})

t.test('the job survives failures, and ends', async (t) => {
  const world = await groupWorld(t)
  const { catalog, clock } = world
  const { expiry } = withExpiry(world, t)
  expiry.start()
  catalog.before = () => {
    throw new Error('fails')
  }
  await clock.advance(3_600_000)
  t.equal(clock.timerCount, 1)
  await expiry.close()
  t.equal(clock.timerCount, 0)
  expiry.start()
  t.equal(clock.timerCount, 0)
})
