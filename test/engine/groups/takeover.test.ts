import t from 'tap'
import { HeadraceError } from '../../../engine/errors.js'
import type { JoinAnswer } from '../../../engine/groups/group-coordinator.js'
import type { Clock } from '../../../engine/ports/clock.js'
import { formGroup, type Joined, joinRequest, refOf, syncWith, text } from '../../support/group-members.js'
import { groupWorld, offsetOf } from '../../support/group-world.js'
import { settle } from '../../support/virtual-clock.js'

/** What outlives a coordinator, and what the catalog's failures do to a group. */

const elsewhere = { code: 'NOT_COORDINATOR' }
const unavailable = { code: 'COORDINATOR_UNAVAILABLE', retry: 'safe' }
const lost = () => new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'the catalog is away')
const unknown = () => new HeadraceError('CATALOG_OUTCOME_UNKNOWN', 'unknown', 'the connection was lost')

let stoodStillMs = 0

/** Time that passed while no timer could fire. */
function stoppable(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs() + stoodStillMs,
    schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
  }
}

t.test('another picture of the cluster ends a group within a second', async (t) => {
  const { agent, clock } = await groupWorld(t)
  const { coordinator, cluster } = agent()
  await formGroup(coordinator, [{}])
  const joining = coordinator.join(joinRequest())
  joining.catch(() => {})
  await settle()
  cluster.coordinatorId = 2
  await clock.advance(1_000)
  await t.rejects(joining, elsewhere)
  t.equal(coordinator.running.length, 0)
  t.equal(clock.timerCount, 0)
})

t.test(
  'who is sent here by an agent that saw sooner who left is served: the successor looks around first',
  async (t) => {
    const { agent } = await groupWorld(t)
    const former = agent()
    const [member] = await formGroup(former.coordinator, [{}])
    const next = agent()
    next.cluster.coordinatorId = former.cluster.nodeId
    await t.rejects(next.coordinator.heartbeat(refOf(member!.memberId, member!.generationId)), elsewhere)
    next.cluster.registered = next.cluster.nodeId
    await next.coordinator.heartbeat(refOf(member!.memberId, member!.generationId))
  },
)

t.test('between join and sync: the successor hands out the same generation', async (t) => {
  const { agent, topicId } = await groupWorld(t)
  const former = agent().coordinator
  const [leader, follower] = await formGroup(former, [{}, {}])
  const joins = [leader, follower].map((member) => former.join(joinRequest({ memberId: member!.memberId })))
  const joined = (await Promise.all(joins)) as Joined[]
  const waiting = syncWith(former, joined[1]!)
  waiting.catch(() => {})

  const next = agent().coordinator
  const again = syncWith(next, joined[1]!)
  await next.heartbeat(refOf(joined[0]!.memberId, joined[0]!.generationId))
  t.equal(text((await syncWith(next, joined[0]!)).assignment), `for ${leader!.memberId}`)
  t.equal(text((await again).assignment), `for ${follower!.memberId}`)
  const ref = refOf(follower!.memberId, joined[1]!.generationId)
  t.same(await next.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5)] }), [undefined])

  await t.rejects(syncWith(former, joined[0]!), elsewhere, 'the former one cannot make it stable')
  await t.rejects(waiting, elsewhere)
})

t.test('in the middle of a rebalance: members join the successor, who is no member is removed in time', async (t) => {
  const { agent, clock } = await groupWorld(t)
  const former = agent().coordinator
  const members = await formGroup(former, [{}, {}, {}])
  const [leader, second, third] = members
  await former.leave('readers', [{ memberId: third!.memberId, groupInstanceId: null }])

  const next = agent().coordinator
  t.match(await next.describe(['readers']), [{ state: 'PreparingRebalance', members: [{}, {}] }])
  await t.rejects(next.heartbeat(refOf(leader!.memberId, leader!.generationId)), { code: 'REBALANCE_IN_PROGRESS' })
  await t.rejects(next.heartbeat(refOf(third!.memberId, third!.generationId)), { code: 'MEMBER_UNKNOWN' })
  let answer: JoinAnswer | undefined
  next.join(joinRequest({ memberId: leader!.memberId })).then((joined) => {
    answer = joined
  })
  await clock.advance(9_999)
  t.equal(answer, undefined)
  await clock.advance(2)
  t.match(answer, { kind: 'joined', generationId: leader!.generationId + 1 })
  await t.rejects(next.heartbeat(refOf(second!.memberId, second!.generationId)), { code: 'MEMBER_UNKNOWN' })
})

t.test('sessions begin anew with the successor, and end there', async (t) => {
  const { agent, clock, catalog } = await groupWorld(t)
  const former = agent()
  const [member] = await formGroup(former.coordinator, [{}])
  await clock.advance(9_000)
  const next = agent().coordinator
  await next.adopt('readers')
  former.cluster.coordinatorId = 2
  await clock.advance(9_000)
  await next.heartbeat(refOf(member!.memberId, member!.generationId))
  await clock.advance(10_001)
  await t.rejects(next.heartbeat(refOf(member!.memberId, member!.generationId)), { code: 'MEMBER_UNKNOWN' })
  t.same(await catalog.listGroups(), [{ groupId: 'readers', protocolType: 'consumer', state: 'Empty' }])
})

t.test('without the catalog no group begins, and members stay members', async (t) => {
  const { agent, catalog, clock, topicId } = await groupWorld(t)
  const { coordinator } = agent()
  catalog.before = () => Promise.reject(lost())
  await t.rejects(coordinator.join(joinRequest()), unavailable)
  await t.rejects(coordinator.fetchOffsets('readers'), unavailable)
  await t.rejects(coordinator.list(), unavailable)
  catalog.before = () => {}
  const [member] = await formGroup(coordinator, [{}])
  const ref = refOf(member!.memberId, member!.generationId)
  catalog.before = () => Promise.reject(lost())
  await t.rejects(coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5)] }), unavailable)
  await clock.advance(5_000)
  await coordinator.heartbeat(ref)
  await t.rejects(coordinator.leave('readers', [{ memberId: 'x', groupInstanceId: null }, ref]), unavailable)
  catalog.before = () => {}
  await clock.advance(1_000)
  t.same(await catalog.listGroups(), [{ groupId: 'readers', protocolType: 'consumer', state: 'Empty' }], 'saved later')
})

t.test('a generation that could not be saved is told once it is', async (t) => {
  const { agent, catalog } = await groupWorld(t)
  const { coordinator } = agent()
  const required = await coordinator.join(joinRequest({ memberIdRequiredKnown: true }))
  const { memberId } = required
  catalog.before = (method) => (method === 'saveGroup' ? Promise.reject(lost()) : undefined)
  await t.rejects(coordinator.join(joinRequest({ memberId })), unavailable)
  await t.rejects(coordinator.join(joinRequest({ memberId })), unavailable)
  catalog.before = () => {}
  const joined = (await coordinator.join(joinRequest({ memberId }))) as Joined
  t.match(joined, { memberId, generationId: 1 })

  catalog.before = (method) => (method === 'saveGroup' ? Promise.reject(lost()) : undefined)
  await t.rejects(syncWith(coordinator, joined), unavailable)
  await coordinator.heartbeat(refOf(memberId, 1))
  catalog.before = () => {}
  t.equal(text((await syncWith(coordinator, joined)).assignment), `for ${memberId}`)
  t.match(await catalog.listGroups(), [{ state: 'Stable' }])
})

t.test('an unknown outcome is asked for by doing it again, once', async (t) => {
  const { agent, catalog, topicId } = await groupWorld(t)
  const { coordinator } = agent()
  let failures = 1
  catalog.after = (method) => {
    if (method !== 'claimGroup' && failures-- > 0) throw unknown()
  }
  const [member] = await formGroup(coordinator, [{}])
  const ref = refOf(member!.memberId, member!.generationId)
  failures = 1
  t.same(await coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5)] }), [undefined])
  failures = 2
  await t.rejects(coordinator.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 6)] }), unavailable)
  t.match(await coordinator.fetchOffsets('readers'), [{ offset: 6 }], 'it may have been committed')
})

t.test('commits that come together go together, and before the next generation', async (t) => {
  const { agent, catalog, topicId } = await groupWorld(t)
  const { coordinator } = agent()
  const members = await formGroup(coordinator, [{}, {}])
  const [leader, follower] = members
  const refs = members.map(({ memberId, generationId }) => refOf(memberId, generationId))
  catalog.groupCalls.length = 0
  const results = await Promise.all(
    [1, 2, 3, 4, 5].map((offset) => coordinator.commitOffsets({ ...refs[0]!, offsets: [offsetOf(topicId, offset)] })),
  )
  t.same(results, new Array(5).fill([undefined]))
  t.match(await coordinator.fetchOffsets('readers'), [{ offset: 5 }])
  t.same(catalog.groupCalls, ['commitGroupOffsets', 'readGroupOffsets'])

  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  catalog.before = (method) => (method === 'commitGroupOffsets' ? held : undefined)
  const first = coordinator.commitOffsets({ ...refs[0]!, offsets: [offsetOf(topicId, 6)] })
  await settle()
  const second = coordinator.commitOffsets({ ...refs[1]!, offsets: [offsetOf(topicId, 7, 1)] })
  const joins = members.map(({ memberId }) => coordinator.join(joinRequest({ memberId })))
  await settle()
  catalog.groupCalls.length = 0
  release()
  const joined = (await Promise.all(joins)) as Joined[]
  t.equal(joined[0]!.generationId, leader!.generationId + 1)
  t.same(await first, [undefined])
  t.same(await second, [undefined])
  t.same(catalog.groupCalls, ['commitGroupOffsets', 'saveGroup'], 'what was checked before is written before')
  await t.rejects(coordinator.commitOffsets({ ...refs[1]!, offsets: [] }), { code: 'GENERATION_ILLEGAL' })
  t.equal(joined[1]!.memberId, follower!.memberId)
})

t.test('an agent that stood still takes nobody for silent whom it could not hear', async (t) => {
  const { clock, agent } = await groupWorld(t)
  const { coordinator } = agent({ clock: stoppable(clock) })
  const [member] = await formGroup(coordinator, [{}])
  const ref = refOf(member!.memberId, member!.generationId)
  await clock.advance(9_000)
  stoodStillMs = 60_000
  await clock.advance(1_001)
  await coordinator.heartbeat(ref)
  await clock.advance(9_999)
  await coordinator.heartbeat(ref)
  await clock.advance(10_001)
  await t.rejects(coordinator.heartbeat(ref), { code: 'MEMBER_UNKNOWN' }, 'but it does hear silence')
})

t.test('a state that cannot be read costs the members their places, not the offsets', async (t) => {
  const { agent, catalog, topicId } = await groupWorld(t)
  const former = agent().coordinator
  const [member] = await formGroup(former, [{}])
  const ref = refOf(member!.memberId, member!.generationId)
  await former.commitOffsets({ ...ref, offsets: [offsetOf(topicId, 5)] })
  const claimed = await catalog.claimGroup('readers', { create: false })
  await catalog.saveGroup(claimed!.claim, { ...claimed!.group, record: claimed!.group.record.subarray(0, 20) })
  const next = agent().coordinator
  await t.rejects(next.heartbeat(ref), { code: 'MEMBER_UNKNOWN' })
  await formGroup(next, [{}])
  t.match(await next.fetchOffsets('readers'), [{ offset: 5 }])
})
