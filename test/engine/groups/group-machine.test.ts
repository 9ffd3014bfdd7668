import t from 'tap'
import { DEFAULT_GROUP_LIMITS, type GroupLimits } from '../../../engine/groups/group-limits.js'
import { GroupMachine } from '../../../engine/groups/group-machine.js'
import { MachineDriver, refOf, subscription } from '../../support/group-members.js'

function driver(limits: Partial<GroupLimits> = {}): MachineDriver {
  return new MachineDriver(new GroupMachine({ ...DEFAULT_GROUP_LIMITS, ...limits }))
}

const protocol = (name: string) => ({ name, metadata: subscription(['orders'], name) })

/** Two members, Stable: `a` leads. */
function stable(limits: Partial<GroupLimits> = {}) {
  const group = driver(limits)
  group.join('a')
  const a = group.joined('a').memberId
  group.join('b')
  group.join('a', { memberId: a })
  const b = group.joined('b').memberId
  const { generationId } = group.joined('b')
  group.sync('b', refOf(b, generationId))
  group.sync('a', refOf(a, generationId), { [a]: 'for a', [b]: 'for b' })
  return { group, a, b, generationId }
}

t.test('the first member leads, and is assigned what it says', async (t) => {
  const group = driver()
  group.join('a')
  const { memberId, generationId, leaderId, members, protocolName } = group.joined('a')
  t.match({ generationId, leaderId, protocolName }, { generationId: 1, leaderId: memberId, protocolName: 'range' })
  t.match(members, [{ memberId, groupInstanceId: null, metadata: subscription(['orders']) }])
  t.equal(group.machine.state, 'CompletingRebalance')
  t.equal(group.machine.heartbeat(refOf(memberId, 1), group.now), undefined)
  t.match(group.machine.checkCommit(refOf(memberId, 1), group.now), { code: 'REBALANCE_IN_PROGRESS' })
  group.sync('s', refOf(memberId, 1), { [memberId]: 'all', nobody: 'nothing' })
  t.equal(group.assignment('s'), 'all')
  t.equal(group.machine.state, 'Stable')
  t.equal(group.machine.checkCommit(refOf(memberId, 1), group.now), undefined)
})

t.test('one who comes makes all join again; who is told so by its heartbeat keeps its place', async (t) => {
  const { group, a, b, generationId } = stable()
  t.equal(group.assignment('a'), 'for a')
  t.equal(group.assignment('b'), 'for b')
  group.join('c')
  t.equal(group.outcome('c'), 'waits')
  t.match(group.machine.heartbeat(refOf(a, generationId), group.now), { code: 'REBALANCE_IN_PROGRESS' })
  t.equal(group.machine.checkCommit(refOf(a, generationId), group.now), undefined, 'it may commit what it has read')
  group.sync('s', refOf(a, generationId))
  t.equal(group.outcome('s'), 'REBALANCE_IN_PROGRESS')
  group.join('a', { memberId: a })
  group.join('b', { memberId: b })
  t.equal(group.joined('c').generationId, generationId + 1)
  t.equal(group.joined('c').leaderId, a)
  t.equal(group.joined('a').members.length, 3)
  t.same(group.joined('b').members, [])
  t.match(group.machine.heartbeat(refOf(b, generationId), group.now), { code: 'GENERATION_ILLEGAL' })
  t.match(group.machine.checkCommit(refOf(b, generationId), group.now), { code: 'GENERATION_ILLEGAL' })
})

t.test('who does not join again in time is removed, and the others go on', async (t) => {
  const { group, a, b, generationId } = stable()
  group.join('c', { rebalanceTimeoutMs: 30_000 })
  group.join('a', { memberId: a })
  group.advance(9_000)
  t.match(group.machine.heartbeat(refOf(b, generationId), group.now), { code: 'REBALANCE_IN_PROGRESS' })
  t.equal(group.outcome('a'), 'waits', 'the longest rebalance timeout of all counts: 60 s')
  for (let seconds = 9; seconds < 59; seconds += 5) {
    group.advance(5_000)
    group.machine.heartbeat(refOf(b, generationId), group.now)
  }
  t.equal(group.outcome('a'), 'waits')
  group.advance(1_001)
  t.equal(group.joined('a').members.length, 2)
  t.equal(group.joined('c').generationId, generationId + 1)
  t.match(group.machine.heartbeat(refOf(b, generationId), group.now), { code: 'MEMBER_UNKNOWN' })
})

t.test('a silent member is removed when its session ends; one that waits is not', async (t) => {
  const { group, a, b, generationId } = stable()
  group.advance(9_999)
  group.machine.heartbeat(refOf(a, generationId), group.now)
  group.advance(2)
  t.equal(group.machine.state, 'PreparingRebalance')
  t.match(group.machine.heartbeat(refOf(b, generationId), group.now), { code: 'MEMBER_UNKNOWN' })
  group.join('a', { memberId: a })
  t.equal(group.joined('a').generationId, generationId + 1)
  group.advance(10_001)
  t.equal(group.machine.state, 'Empty')
  t.equal(group.machine.generationId, generationId + 2)
  t.equal(group.machine.checkCommit(refOf('', -1), group.now), undefined, 'anybody may commit to an empty group')
  t.equal(group.machine.nextDeadlineMs, Number.POSITIVE_INFINITY)
})

t.test('members vote for the protocol', async (t) => {
  const group = driver()
  group.join('a', { protocols: [protocol('x'), protocol('y'), protocol('z')] })
  const a = group.joined('a').memberId
  group.join('b', { protocols: [protocol('z'), protocol('y')] })
  group.join('c', { protocols: [protocol('z'), protocol('y'), protocol('q')] })
  group.join('d', { protocols: [protocol('x'), protocol('q')] })
  t.equal(group.outcome('d'), 'PROTOCOL_INCONSISTENT')
  group.join('e', { protocols: [] })
  t.equal(group.outcome('e'), 'PROTOCOL_INCONSISTENT')
  group.join('f', { protocolType: 'connect', protocols: [protocol('z')] })
  t.equal(group.outcome('f'), 'PROTOCOL_INCONSISTENT')
  group.join('a', { memberId: a, protocols: [protocol('x'), protocol('y'), protocol('z')] })
  t.equal(group.joined('a').protocolName, 'z', 'two prefer z, one y, and x is not known to all')
  t.equal(Buffer.from(group.joined('a').members[1]!.metadata).subarray(-1).toString(), 'z')
  const { generationId } = group.joined('a')
  group.sync('s', refOf(a, generationId), {}, { protocolName: 'y' })
  t.equal(group.outcome('s'), 'PROTOCOL_INCONSISTENT')
  group.sync('s', refOf(a, generationId), {}, { protocolType: 'connect', protocolName: 'z' })
  t.equal(group.outcome('s'), 'PROTOCOL_INCONSISTENT')
  group.sync('s', refOf(a, generationId), {}, { protocolType: 'consumer', protocolName: 'z' })
  t.equal(group.outcome('s'), 'synced')
})

t.test('a member is given its id first, and the rebalance waits for it, but not for ever', async (t) => {
  const { group, a, b } = stable()
  const pending = group.join('c', { memberIdRequiredKnown: true })
  t.match(pending, { kind: 'member-id-required' })
  const memberId = (pending as { memberId: string }).memberId
  t.equal(group.machine.state, 'Stable', 'nothing happens until it comes with its id')
  group.join('a', { memberId: a })
  group.join('b', { memberId: b })
  t.equal(group.outcome('a'), 'waits')
  group.join('c', { memberId, memberIdRequiredKnown: true })
  t.equal(group.joined('a').members.length, 3)
  t.equal(group.joined('c').memberId, memberId)

  const { generationId } = group.joined('a')
  group.sync('a', refOf(a, generationId))
  group.join('d', { memberIdRequiredKnown: true })
  group.join('a', { memberId: a })
  group.join('b', { memberId: b })
  group.join('c', { memberId })
  t.equal(group.outcome('a'), 'waits')
  group.advance(10_001)
  t.equal(group.joined('a').members.length, 3, 'an id that is not used in time is forgotten')
  group.join('d', { memberId: 'member-9', memberIdRequiredKnown: true })
  t.equal(group.outcome('d'), 'MEMBER_UNKNOWN')
})

t.test('an id given can be given back', async (t) => {
  const group = driver()
  const pending = group.join('a', { memberIdRequiredKnown: true })
  const { memberId } = pending as { memberId: string }
  t.match(group.machine.leave([{ memberId, groupInstanceId: null }], group.now), [undefined])
  group.join('a', { memberId })
  t.equal(group.outcome('a'), 'MEMBER_UNKNOWN')
  t.equal(group.machine.state, 'Empty')
})

t.test('joining again: unchanged followers are answered at once, leaders and changes rebalance', async (t) => {
  const { group, a, b, generationId } = stable()
  group.join('b', { memberId: b })
  t.match(group.joined('b'), { generationId, leaderId: a, members: [] })
  t.equal(group.machine.state, 'Stable')
  group.sync('b', refOf(b, generationId))
  t.equal(group.assignment('b'), 'for b')

  group.join('a', { memberId: a })
  t.equal(group.outcome('a'), 'waits', 'a leader that joins again wants a rebalance')
  group.join('b', { memberId: b })
  t.equal(group.joined('a').generationId, generationId + 1)
  group.join('b', { memberId: b })
  t.equal(group.joined('b').generationId, generationId + 1, 'its answer was lost: the same again')
  group.join('a', { memberId: a })
  t.equal(group.joined('a').members.length, 2, 'the leader is told the members again')
  group.join('b', { memberId: b, protocols: [{ name: 'range', metadata: subscription(['other']) }] })
  t.equal(group.outcome('b'), 'waits')
  t.equal(group.machine.state, 'PreparingRebalance')
})

t.test('when the leader goes before it assigned, who waits for it joins again', async (t) => {
  const group = driver()
  group.join('a')
  const a = group.joined('a').memberId
  group.join('b')
  group.join('a', { memberId: a })
  const b = group.joined('b').memberId
  group.sync('b', refOf(b, 2))
  t.equal(group.outcome('b'), 'waits')
  t.match(group.machine.leave([{ memberId: a, groupInstanceId: null }], group.now), [undefined])
  group.collect()
  t.equal(group.outcome('b'), 'REBALANCE_IN_PROGRESS')
  group.join('b', { memberId: b })
  t.equal(group.joined('b').leaderId, b)
})

t.test('who has joined but does not ask for its assignment is removed', async (t) => {
  const { group, a, b } = stable()
  group.join('c', { sessionTimeoutMs: 1_000_000 })
  group.join('a', { memberId: a })
  group.join('b', { memberId: b })
  const { generationId } = group.joined('a')
  group.sync('b', refOf(b, generationId))
  group.sync('a', refOf(a, generationId))
  const alive = () => {
    for (const member of [a, b]) group.machine.heartbeat(refOf(member, generationId), group.now)
  }
  for (let seconds = 0; seconds < 56; seconds += 8) {
    alive()
    group.advance(8_000)
  }
  t.equal(group.machine.state, 'Stable')
  alive()
  group.advance(5_000)
  t.equal(group.machine.state, 'PreparingRebalance')
  t.equal(group.machine.members.size, 2)
})

t.test('members that leave together cause one rebalance', async (t) => {
  const { group, a, b, generationId } = stable()
  group.join('c')
  group.join('a', { memberId: a })
  group.join('b', { memberId: b })
  const c = group.joined('c').memberId
  const leaving = [a, 'nobody', b].map((memberId) => ({ memberId, groupInstanceId: null }))
  t.match(group.machine.leave(leaving, group.now), [undefined, { code: 'MEMBER_UNKNOWN' }, undefined])
  t.equal(group.machine.state, 'PreparingRebalance')
  group.join('c', { memberId: c })
  t.match(group.joined('c'), { generationId: generationId + 2, leaderId: c })
})

t.test('the first rebalance of a group waits for company', async (t) => {
  const group = driver({ initialRebalanceDelayMs: 3_000 })
  group.join('a')
  group.advance(2_999)
  t.equal(group.outcome('a'), 'waits')
  group.join('b')
  group.advance(2)
  t.equal(group.outcome('a'), 'waits', 'somebody came meanwhile: it waits once more')
  group.advance(3_000)
  t.equal(group.joined('a').members.length, 2)
  const { memberId, generationId } = group.joined('a')
  group.sync('a', refOf(memberId, generationId))
  group.join('c')
  group.join('a', { memberId })
  group.join('b', { memberId: group.joined('b').memberId })
  t.equal(group.joined('c').generationId, generationId + 1, 'later ones do not wait')
})

t.test('the initial delay ends with the rebalance timeout', async (t) => {
  const group = driver({ initialRebalanceDelayMs: 3_000 })
  group.join('a', { rebalanceTimeoutMs: 5_000 })
  for (let round = 0; round < 5; round++) {
    group.advance(1_000)
    group.join(`b${round}`, { rebalanceTimeoutMs: 5_000 })
  }
  group.advance(1)
  t.equal(group.joined('a').members.length, 5, 'the last one came too late')
})

t.test('a repeated request answers the one before, so that nobody waits for ever', async (t) => {
  const { group, a, b } = stable()
  group.join('c')
  group.join('a1', { memberId: a })
  group.join('a2', { memberId: a })
  t.equal(group.outcome('a1'), 'REBALANCE_IN_PROGRESS')
  group.join('b', { memberId: b })
  t.equal(group.outcome('a2'), 'joined')
  const { generationId } = group.joined('b')
  group.sync('b1', refOf(b, generationId))
  group.sync('b2', refOf(b, generationId))
  t.equal(group.outcome('b1'), 'REBALANCE_IN_PROGRESS')
  group.sync('a', refOf(a, generationId), { [b]: 'for b' })
  t.equal(group.assignment('b2'), 'for b')
  group.machine.failAll(new Error('nobody waits') as never)
  t.same(group.machine.takeReplies(), [])
})

t.test('a group has bounds', async (t) => {
  const group = driver({ memberCountMax: 2, metadataBytesMax: 100, assignmentBytesMax: 10, protocolCountMax: 2 })
  const large = [{ name: 'range', metadata: new Uint8Array(200) }]
  group.join('a', { protocols: large })
  t.equal(group.outcome('a'), 'GROUP_FULL')
  group.join('a', { protocols: ['a', 'b', 'range'].map(protocol) })
  t.equal(group.outcome('a'), 'GROUP_FULL')
  group.join('a')
  const a = group.joined('a').memberId
  group.join('b', { memberIdRequiredKnown: true })
  group.join('c')
  t.equal(group.outcome('c'), 'GROUP_FULL', 'ids given count too')
  group.sync('s', refOf(a, 1), { [a]: 'more than ten bytes' })
  t.equal(group.outcome('s'), 'GROUP_FULL')
  group.sync('s', refOf(a, 1), { [a]: 'few bytes' })
  t.equal(group.assignment('s'), 'few bytes')
  group.join('a', { memberId: a, protocols: [{ name: 'range', metadata: new Uint8Array(95) }] })
  t.not(group.outcome('a'), 'GROUP_FULL', 'what it brought before does not count')
  group.advance(100_000)
  t.equal(group.machine.bytes, 0)
})
