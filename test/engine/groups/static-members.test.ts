import t from 'tap'
import { DEFAULT_GROUP_LIMITS } from '../../../engine/groups/group-limits.js'
import { GroupMachine } from '../../../engine/groups/group-machine.js'
import { MachineDriver, refOf, subscription } from '../../support/group-members.js'

/** KIP-345: members with a name of their own, which keep their place while their process restarts. */

function stable() {
  const group = new MachineDriver(new GroupMachine(DEFAULT_GROUP_LIMITS))
  group.join('a', { groupInstanceId: 'one', sessionTimeoutMs: 30_000 })
  const a = group.joined('a').memberId
  group.join('b', { groupInstanceId: 'two', sessionTimeoutMs: 30_000 })
  group.join('a', { memberId: a, groupInstanceId: 'one', sessionTimeoutMs: 30_000 })
  const b = group.joined('b').memberId
  const { generationId } = group.joined('a')
  group.sync('b', refOf(b, generationId, 'two'))
  group.sync('a', refOf(a, generationId, 'one'), { [a]: 'for one', [b]: 'for two' })
  return { group, a, b, generationId }
}

t.test('a restarted follower goes on without a rebalance, and the former process is fenced', async (t) => {
  const { group, a, b, generationId } = stable()
  const { version } = group.machine
  group.join('b2', { groupInstanceId: 'two', memberIdRequiredKnown: true })
  const joined = group.joined('b2')
  t.match(joined, { generationId, leaderId: a, skipAssignment: false, members: [] })
  t.not(joined.memberId, b)
  t.ok(group.machine.version > version, 'a successor must know the new id')
  t.equal(group.machine.state, 'Stable')
  group.sync('b2', refOf(joined.memberId, generationId, 'two'))
  t.equal(group.assignment('b2'), 'for two')

  t.match(group.machine.heartbeat(refOf(b, generationId, 'two'), group.now), { code: 'MEMBER_FENCED' })
  t.match(group.machine.checkCommit(refOf(b, generationId, 'two'), group.now), { code: 'MEMBER_FENCED' })
  group.sync('s', refOf(b, generationId, 'two'))
  t.equal(group.outcome('s'), 'MEMBER_FENCED')
  group.join('b', { memberId: b, groupInstanceId: 'two' })
  t.equal(group.outcome('b'), 'MEMBER_FENCED')
  t.match(group.machine.leave([{ memberId: b, groupInstanceId: 'two' }], group.now), [{ code: 'MEMBER_FENCED' }])
  t.match(group.machine.heartbeat(refOf(b, generationId), group.now), { code: 'MEMBER_UNKNOWN' })
})

t.test('a restarted leader is told to assign nothing, where it knows that', async (t) => {
  const { group, generationId } = stable()
  group.join('a2', { groupInstanceId: 'one' })
  const knowing = group.joined('a2')
  t.match(knowing, { generationId, leaderId: knowing.memberId, skipAssignment: true })
  t.equal(knowing.members.length, 2)
  group.join('a3', { groupInstanceId: 'one', skipAssignmentKnown: false })
  const old = group.joined('a3')
  t.match(old, { generationId, skipAssignment: false, members: [] })
  t.not(old.leaderId, old.memberId, 'an old client must not take itself for the leader')
  group.sync('a3', refOf(old.memberId, generationId, 'one'))
  t.equal(group.assignment('a3'), 'for one')
  group.join('a3', { memberId: old.memberId, groupInstanceId: 'one' })
  t.equal(group.outcome('a3'), 'waits', 'but it is, and may ask for a rebalance')
})

t.test('a restarted member that reads something else makes the group rebalance', async (t) => {
  const { group } = stable()
  const metadata = subscription(['orders'], 'what an assignor adds')
  group.join('b2', { groupInstanceId: 'two', protocols: [{ name: 'range', metadata }] })
  t.equal(group.outcome('b2'), 'joined', 'which partitions it had is no other subscription')
  group.join('b3', { groupInstanceId: 'two', protocols: [{ name: 'range', metadata: subscription(['orders', 'x']) }] })
  t.equal(group.outcome('b3'), 'waits')
  t.equal(group.machine.state, 'PreparingRebalance')
})

t.test('a member that restarts during a rebalance takes over the waiting', async (t) => {
  const { group, a, generationId } = stable()
  group.join('c')
  group.join('a', { memberId: a, groupInstanceId: 'one' })
  group.join('a2', { groupInstanceId: 'one' })
  t.equal(group.outcome('a'), 'MEMBER_FENCED')
  group.join('b2', { groupInstanceId: 'two' })
  t.equal(group.joined('a2').generationId, generationId + 1)
  t.equal(group.joined('a2').members.length, 3)
  const { memberId } = group.joined('b2')
  group.sync('b2', refOf(memberId, generationId + 1, 'two'))
  group.join('b3', { groupInstanceId: 'two' })
  t.equal(group.outcome('b2'), 'MEMBER_FENCED')
  t.equal(group.machine.state, 'PreparingRebalance')
})

t.test('a rebalance does not remove static members that are away; their session does', async (t) => {
  const { group, a, generationId } = stable()
  group.join('c', { rebalanceTimeoutMs: 5_000, sessionTimeoutMs: 1_000_000 })
  t.match(group.machine.leave([{ memberId: a, groupInstanceId: null }], group.now), [undefined])
  group.advance(20_000)
  t.equal(group.outcome('c'), 'waits', 'b may take 60 s to join')
  group.advance(10_001)
  t.equal(group.joined('c').members.length, 1, 'its session ended before')
  t.equal(group.joined('c').generationId, generationId + 1)
})

t.test('a static member that misses a rebalance stays in the new generation', async (t) => {
  const { group, a, b, generationId } = stable()
  const alive = () => group.machine.heartbeat(refOf(b, generationId, 'two'), group.now)
  group.join('a', { memberId: a, groupInstanceId: 'one' })
  for (let seconds = 0; seconds < 60; seconds += 20) {
    alive()
    group.advance(20_001)
  }
  const joined = group.joined('a')
  t.equal(joined.generationId, generationId + 1)
  t.same(new Set(joined.members.map(({ groupInstanceId }) => groupInstanceId)), new Set(['one', 'two']))
  t.equal(joined.members.length, 2)
  t.match(alive(), { code: 'GENERATION_ILLEGAL' })
})

t.test('tools remove a static member by its name', async (t) => {
  const { group, generationId } = stable()
  const left = group.machine.leave(
    [
      { memberId: '', groupInstanceId: 'two' },
      { memberId: '', groupInstanceId: 'three' },
    ],
    group.now,
  )
  t.match(left, [undefined, { code: 'MEMBER_UNKNOWN' }])
  t.equal(group.machine.state, 'PreparingRebalance')
  group.join('b2', { memberId: 'member-77', groupInstanceId: 'two' })
  t.equal(group.outcome('b2'), 'MEMBER_UNKNOWN')
  group.join('b3', { groupInstanceId: 'two' })
  t.equal(group.outcome('b3'), 'waits')
  t.equal(group.machine.generationId, generationId)
})
