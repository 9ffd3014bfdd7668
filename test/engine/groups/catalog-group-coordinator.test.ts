import t from 'tap'
import { DEFAULT_GROUP_LIMITS } from '../../../engine/groups/group-limits.js'
import type { Catalog } from '../../../engine/ports/catalog.js'
import { formGroup, joinRequest, refOf, syncWith, text } from '../../support/group-members.js'
import { groupWorld, offsetOf } from '../../support/group-world.js'
import { settle } from '../../support/virtual-clock.js'

const PLACE = (topicId: string) => [{ topicId, partition: 0 }]
const committed = async (catalog: Catalog, topicId: string) =>
  (await catalog.readGroupOffsets('readers', PLACE(topicId)))[0]?.offset

t.test('members join, are assigned, commit, and leave', async (t) => {
  const { agent, topicId, catalog } = await groupWorld(t)
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
  const { agent, topicId, catalog } = await groupWorld(t)
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

t.test('who is not the coordinator says so without asking the catalog', async (t) => {
  const { agent, catalog, topicId } = await groupWorld(t)
  const { coordinator, cluster } = agent()
  cluster.coordinatorId = 99
  const elsewhere = { code: 'NOT_COORDINATOR' }
  const ref = refOf('member', 1)
  await t.rejects(coordinator.join(joinRequest()), elsewhere)
  await t.rejects(coordinator.sync({ ...ref, protocolType: null, protocolName: null, assignments: [] }), elsewhere)
  await t.rejects(coordinator.heartbeat(ref), elsewhere)
  await t.rejects(coordinator.leave('readers', []), elsewhere)
  await t.rejects(coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 1)] }), elsewhere)
  await t.rejects(coordinator.deleteOffsets('readers', []), elsewhere)
  t.match(await coordinator.describe(['readers']), [elsewhere])
  t.match(await coordinator.delete(['readers']), [elsewhere])
  t.same(catalog.groupCalls, [])
  t.same(await coordinator.list(), [])
  t.match(await coordinator.fetchOffsets('readers', PLACE(topicId)), [{ offset: -1 }], 'any agent reads offsets')
})

t.test('the first to join, and who assigns itself, make the group; others find that there is none', async (t) => {
  const { agent, topicId, catalog } = await groupWorld(t)
  const { coordinator } = agent()
  const ref = refOf('member', 3)
  const unknown = { code: 'MEMBER_UNKNOWN' }
  await t.rejects(coordinator.heartbeat(ref), unknown)
  await t.rejects(coordinator.join(joinRequest({ memberId: 'member' })), unknown)
  await t.rejects(coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 1)] }), unknown)
  t.match(await coordinator.leave('readers', [{ memberId: 'member', groupInstanceId: null }]), [unknown])
  await t.rejects(coordinator.deleteOffsets('readers', []), { code: 'GROUP_UNKNOWN' })
  t.same(await catalog.listGroups(), [])

  const simple = { ...refOf('', -1), offsets: [offsetOf(topicId, 7, 0, 'x'.repeat(4096)), offsetOf(topicId, 8, 1)] }
  t.same(await coordinator.commitOffsets(simple), [undefined, undefined])
  t.same(await coordinator.list(), [{ groupId: 'readers', protocolType: '', state: 'Empty' }])
  const tooLarge = await coordinator.commitOffsets({
    ...simple,
    offsets: [offsetOf(topicId, 8, 0, '\u{1F680}'.repeat(1025)), offsetOf(topicId, 9, 1, '\u{1F680}'.repeat(1024))],
  })
  t.match(tooLarge, [{ code: 'OFFSET_METADATA_TOO_LARGE' }, undefined])
  t.equal(await committed(catalog, topicId), 7)
  t.equal((await coordinator.fetchOffsets('readers')).length, 2)

  await formGroup(coordinator, [{}])
  await t.rejects(coordinator.commitOffsets(simple), unknown, 'members read now')
})

t.test('requests that no group could take', async (t) => {
  const { agent, topicId } = await groupWorld(t)
  const { coordinator } = agent({ memoryBytesMax: 7_000 })
  const badName = { code: 'GROUP_ID_INVALID' }
  await t.rejects(coordinator.join(joinRequest({ groupId: '' })), badName)
  await t.rejects(coordinator.join(joinRequest({ groupId: 'x'.repeat(256) })), badName)
  await t.rejects(coordinator.join(joinRequest({ groupInstanceId: 'x'.repeat(256) })), badName)
  await t.rejects(coordinator.fetchOffsets('x'.repeat(256)), badName)
  t.match(await coordinator.describe(['x'.repeat(256)]), [badName])
  const simple = { ...refOf('', -1), groupId: '', offsets: [offsetOf(topicId, 7)] }
  t.same(await coordinator.commitOffsets(simple), [undefined], 'who assigns itself needs no name')
  for (const sessionTimeoutMs of [0, 5_999, 1_800_001]) {
    await t.rejects(coordinator.join(joinRequest({ sessionTimeoutMs })), { code: 'SESSION_TIMEOUT_INVALID' })
  }
  await t.rejects(coordinator.join(joinRequest({ protocolType: 'x'.repeat(256) })), { code: 'PROTOCOL_INCONSISTENT' })
  await coordinator.join(joinRequest())
  await coordinator.join(joinRequest({ groupId: 'second' }))
  await t.rejects(coordinator.join(joinRequest({ groupId: 'third' })), { code: 'GROUP_FULL' }, 'memory has an end')
})

t.test('offsets of topics that members read are not deleted', async (t) => {
  const { agent, topicId } = await groupWorld(t)
  const { coordinator } = agent()
  const [member] = await formGroup(coordinator, [{}])
  const ref = refOf(member!.memberId, member!.generationId)
  await coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 7), offsetOf(topicId, 8, 1)] })
  const partition = { topicId, partition: 0 }
  t.match(
    await coordinator.deleteOffsets('readers', [
      { ...partition, topicName: 'orders' },
      { topicId, partition: 1, topicName: 'some other name' },
      { topicId, partition: 3, topicName: 'some other name' },
    ]),
    [{ code: 'GROUP_SUBSCRIBED' }, undefined, undefined],
  )
  t.match(await coordinator.fetchOffsets('readers'), [{ partition: 0, offset: 7 }])
  await coordinator.leave('readers', [{ memberId: member!.memberId, groupInstanceId: null }])
  t.match(await coordinator.deleteOffsets('readers', [{ ...partition, topicName: 'orders' }]), [undefined])
  t.same(await coordinator.fetchOffsets('readers'), [])
})

t.test('a group that is deleted sends those on who came meanwhile', async (t) => {
  const { agent, topicId, catalog } = await groupWorld(t)
  const { coordinator } = agent({ limits: { ...DEFAULT_GROUP_LIMITS, initialRebalanceDelayMs: 3_000 } })
  await coordinator.commitOffsets({ ...refOf('', -1), offsets: [offsetOf(topicId, 7)] })
  let joining: Promise<unknown> | undefined
  catalog.before = (method) => {
    if (method === 'deleteGroup') joining = coordinator.join(joinRequest()).catch((error: unknown) => error)
  }
  t.same(await coordinator.delete(['readers']), [undefined])
  t.match(await joining, { code: 'NOT_COORDINATOR' })
  t.same(await catalog.listGroups(), [])
})

t.test('a group without members leaves the memory, and comes back from the catalog', async (t) => {
  const { agent, clock } = await groupWorld(t)
  const { coordinator } = agent()
  const [member] = await formGroup(coordinator, [{}])
  await clock.advance(11_000)
  t.match(await coordinator.describe(['readers']), [{ state: 'Empty' }])
  t.equal(coordinator.running.length, 1)
  await clock.advance(62_000)
  t.equal(coordinator.running.length, 0)
  t.equal(clock.timerCount, 0, 'nothing ticks for nobody')
  const [next] = await formGroup(coordinator, [{}])
  t.equal(next!.generationId, member!.generationId + 2)
})

t.test('who waits is answered at once when the agent stops', async (t) => {
  const { agent } = await groupWorld(t)
  const { coordinator } = agent()
  const [member] = await formGroup(coordinator, [{}])
  const joining = coordinator.join(joinRequest())
  joining.catch(() => {})
  await settle()
  await coordinator.close()
  await t.rejects(joining, { code: 'NOT_COORDINATOR' })
  await t.rejects(coordinator.heartbeat(refOf(member!.memberId, member!.generationId)), { code: 'NOT_COORDINATOR' })
  await coordinator.close()
})
