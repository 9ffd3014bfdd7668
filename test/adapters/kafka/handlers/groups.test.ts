import t from 'tap'
import { handleDeleteGroups } from '../../../../adapters/kafka/handlers/delete-groups.js'
import { handleDescribeGroups } from '../../../../adapters/kafka/handlers/describe-groups.js'
import { handleFindCoordinator } from '../../../../adapters/kafka/handlers/find-coordinator.js'
import { handleHeartbeat } from '../../../../adapters/kafka/handlers/heartbeat.js'
import { handleJoinGroup } from '../../../../adapters/kafka/handlers/join-group.js'
import { handleLeaveGroup } from '../../../../adapters/kafka/handlers/leave-group.js'
import { handleListGroups } from '../../../../adapters/kafka/handlers/list-groups.js'
import { handleSyncGroup } from '../../../../adapters/kafka/handlers/sync-group.js'
import { HeadraceError, type HeadraceErrorCode } from '../../../../engine/errors.js'
import { fakeContext } from '../../../support/kafka/context.js'

const error = (code: HeadraceErrorCode) => new HeadraceError(code, 'safe', `it is ${code}`)
const bytes = new Uint8Array([1, 2])
const member = { groupId: 'group', generationId: 3, memberId: 'member', groupInstanceId: null }
const joinOf = (more: object = {}) => ({
  groupId: 'group',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  memberId: '',
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: bytes }],
  ...more,
})

t.test('coordinators are found for groups, and for nothing else', async (t) => {
  const context = fakeContext()
  const find = async (keyType: number, ...keys: string[]) =>
    (await handleFindCoordinator(context, { keyType, keys })).coordinators
  const node = { nodeId: 7, host: '127.0.0.1', port: 9092 }
  t.strictSame(await find(0, 'a', 'b', 'a'), [
    { key: 'a', errorCode: 0, errorMessage: null, ...node },
    { key: 'b', errorCode: 0, errorMessage: null, ...node },
  ])
  t.equal(context.broker.lookCount, 1, 'as the cluster is now: who asks may have lost its coordinator just now')
  const nobody = { nodeId: -1, host: '', port: -1 }
  t.match(await find(1, 'txn'), [{ key: 'txn', errorCode: 53, errorMessage: /not supported/, ...nobody }])
  t.match(await find(2, 'share'), [{ key: 'share', errorCode: 42, ...nobody }])
})

t.test('joining: what the coordinator is told, and what the member hears', async (t) => {
  const context = fakeContext()
  const { groups } = context.broker
  t.match(await handleJoinGroup(context, joinOf(), 4), {
    errorCode: 79,
    memberId: 'made-up',
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    members: [],
  })
  t.match(groups.asked.pop(), {
    ...joinOf(),
    clientId: 'test',
    clientHost: '/127.0.0.1',
    memberIdRequiredKnown: true,
    skipAssignmentKnown: false,
  })
  const joined = {
    memberId: 'member',
    generationId: 5,
    protocolType: 'consumer',
    protocolName: 'range',
    leaderId: 'member',
    skipAssignment: true,
    members: [{ memberId: 'member', groupInstanceId: null, metadata: bytes }],
  }
  groups.joinAnswer = async () => ({ kind: 'joined', ...joined })
  t.match(await handleJoinGroup(context, joinOf({ rebalanceTimeoutMs: -1 }), 9), { errorCode: 0, ...joined })
  t.match(groups.asked.pop(), { rebalanceTimeoutMs: 10_000, memberIdRequiredKnown: true, skipAssignmentKnown: true })
  await handleJoinGroup(context, joinOf(), 3)
  t.match(groups.asked.pop(), { memberIdRequiredKnown: false, skipAssignmentKnown: false })

  groups.failure = error('MEMBER_FENCED')
  t.match(await handleJoinGroup(context, joinOf({ memberId: 'member' }), 9), { errorCode: 82, memberId: 'member' })
})

t.test('who is parked is sent to the next coordinator when the connection or the agent goes', async (t) => {
  const departing = new AbortController()
  const context = { ...fakeContext(), signal: departing.signal }
  context.broker.groups.joinAnswer = () => new Promise(() => {})
  context.broker.groups.syncAnswer = () => new Promise(() => {})
  const parked = [
    handleJoinGroup(context, joinOf({ memberId: 'member' }), 9),
    handleSyncGroup(context, { ...member, protocolType: null, protocolName: null, assignments: [] }),
  ]
  departing.abort()
  t.match(await Promise.all(parked), [{ errorCode: 16, memberId: 'member' }, { errorCode: 16 }])
  t.match(await handleJoinGroup(context, joinOf(), 9), { errorCode: 16 }, 'also who comes too late')
})

t.test('syncing and heartbeats', async (t) => {
  const context = fakeContext()
  const request = { ...member, protocolType: 'consumer', protocolName: 'range', assignments: [] }
  t.match(await handleSyncGroup(context, request), {
    errorCode: 0,
    protocolType: 'consumer',
    protocolName: 'range',
    assignment: new Uint8Array([1, 2, 3]),
  })
  t.match(await handleHeartbeat(context, member), { errorCode: 0 })
  t.match(context.broker.groups.asked.pop(), member)
  for (const [code, errorCode] of [
    ['REBALANCE_IN_PROGRESS', 27],
    ['MEMBER_UNKNOWN', 25],
    ['GENERATION_ILLEGAL', 22],
    ['NOT_COORDINATOR', 16],
    ['COORDINATOR_UNAVAILABLE', 15],
    // Producers are told to retry by codes that end a consumer.
    ['CATALOG_UNAVAILABLE', 15],
    ['CATALOG_OUTCOME_UNKNOWN', 15],
    ['AGENT_CLOSING', 16],
    ['AGENT_EXPIRED', 16],
  ] as const) {
    context.broker.groups.failure = error(code)
    t.match(await handleHeartbeat(context, member), { errorCode }, code)
    t.match(await handleSyncGroup(context, request), { errorCode, protocolType: null, assignment: new Uint8Array(0) })
  }
  context.broker.groups.failure = new Error('a bug')
  t.match(await handleHeartbeat(context, member), { errorCode: -1 }, 'a fault of ours closes no connection')
})

t.test('leaving, one and many', async (t) => {
  const context = fakeContext()
  const { groups } = context.broker
  const members = ['here', 'gone'].map((memberId) => ({ memberId, groupInstanceId: null }))
  groups.errors.set('gone', error('MEMBER_UNKNOWN'))
  t.strictSame(await handleLeaveGroup(context, { groupId: 'group', members }, 3), {
    errorCode: 0,
    members: [
      { memberId: 'here', groupInstanceId: null, errorCode: 0 },
      { memberId: 'gone', groupInstanceId: null, errorCode: 25 },
    ],
  })
  t.match(await handleLeaveGroup(context, { groupId: 'group', members: [members[1]!] }, 2), { errorCode: 25 })
  groups.failure = error('NOT_COORDINATOR')
  t.match(await handleLeaveGroup(context, { groupId: 'group', members }, 3), { errorCode: 16, members: [] })
})

t.test('groups are described once each; an unknown one as each version has it', async (t) => {
  const context = fakeContext()
  const description = {
    groupId: 'group',
    protocolType: 'consumer',
    state: 'Stable',
    protocolName: 'range',
    members: [],
  } as const
  context.broker.groups.descriptions.set('group', description)
  context.broker.groups.errors.set('elsewhere', error('NOT_COORDINATOR'))
  const describe = async (version: number, includeAuthorizedOperations = false) => {
    const groupIds = ['group', 'unknown', 'elsewhere', 'group']
    return (await handleDescribeGroups(context, { groupIds, includeAuthorizedOperations }, version)).groups
  }
  t.match(await describe(5), [
    { ...description, errorCode: 0, authorizedOperations: -2147483648 },
    { groupId: 'unknown', errorCode: 0, errorMessage: null, state: 'Dead', members: [] },
    { groupId: 'elsewhere', errorCode: 16, state: '' },
  ])
  const [known, unknown, ...rest] = await describe(6, true)
  t.equal(known!.authorizedOperations, 328)
  t.match(unknown, { errorCode: 69, errorMessage: 'there is no group unknown', state: 'Dead' })
  t.equal(rest.length, 1)
  context.broker.groups.failure = error('COORDINATOR_UNAVAILABLE')
  t.match(await describe(5), [{ errorCode: 15 }, { errorCode: 15 }, { errorCode: 15 }])
})

t.test('groups are listed by state and type, and deleted', async (t) => {
  const context = fakeContext()
  const { groups } = context.broker
  groups.listings = (['Stable', 'Empty', 'PreparingRebalance'] as const).map((state) => ({
    groupId: state,
    protocolType: 'consumer',
    state,
  }))
  const list = async (states: string[], types: string[]) =>
    (await handleListGroups(context, { states, types })).groups.map(({ groupId }) => groupId)
  t.strictSame(await list([], []), ['Stable', 'Empty', 'PreparingRebalance'])
  t.strictSame(await list(['stable', 'PreparingRebalance'], ['Classic']), ['Stable', 'PreparingRebalance'])
  t.strictSame(await list([], ['consumer']), [])
  t.strictSame(await list(['NoSuchState'], []), [])
  t.match((await handleListGroups(context, { states: [], types: [] })).groups[0], { type: 'classic' })

  groups.errors.set('busy', error('GROUP_NOT_EMPTY')).set('unknown', error('GROUP_UNKNOWN'))
  const groupIds = ['idle', 'busy', 'unknown', 'idle']
  t.strictSame((await handleDeleteGroups(context, { groupIds })).results, [
    { groupId: 'idle', errorCode: 0 },
    { groupId: 'busy', errorCode: 68 },
    { groupId: 'unknown', errorCode: 69 },
  ])
  groups.failure = error('COORDINATOR_UNAVAILABLE')
  t.match(await handleListGroups(context, { states: [], types: [] }), { errorCode: 15, groups: [] })
  t.match((await handleDeleteGroups(context, { groupIds })).results, [{ errorCode: 15 }, {}, { errorCode: 15 }])
})
