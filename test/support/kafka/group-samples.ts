import type { GroupApiName } from './group-client-codec.js'
import { type SampleRequest, type SampleResponse, since } from './sample.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

const committed = { partition: 3, offset: 2 ** 40 + 1, leaderEpoch: 5, metadata: 'note-é' }
const member = { groupId: 'group', generationId: 6, memberId: 'member', groupInstanceId: 'static' }
const protocols = [
  { name: 'range', metadata: bytes('subscription') },
  { name: 'sticky', metadata: bytes('') },
]
const assignments = [{ memberId: 'member', assignment: bytes('assignment') }]
const instance = (version: number, min: number) => (version >= min ? 'static' : null)

/** One request per API with no field at its default. */
export const groupSampleRequests: Record<GroupApiName, SampleRequest> = {
  offsetCommit: {
    ...member,
    retentionMs: -1,
    topics: [{ name: 'events', partitions: [committed, { ...committed, metadata: null }] }],
    decoded: (version) => {
      const partition = { ...committed, leaderEpoch: version >= 6 ? 5 : -1 }
      return {
        ...member,
        groupInstanceId: instance(version, 7),
        topics: [{ name: 'events', partitions: [partition, { ...partition, metadata: null }] }],
      }
    },
  },
  offsetFetch: {
    groups: [{ groupId: 'group', topics: [{ name: 'events', partitions: [3, 4] }] }],
    decoded: () => ({ groups: [{ groupId: 'group', topics: [{ name: 'events', partitions: [3, 4] }] }] }),
  },
  findCoordinator: {
    keyType: 1,
    keys: ['group'],
    decoded: (version) => ({ keyType: version >= 1 ? 1 : 0, keys: ['group'] }),
  },
  joinGroup: {
    groupId: 'group',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: 'member',
    groupInstanceId: 'static',
    protocolType: 'consumer',
    protocols,
    reason: 'because',
    decoded: (version) => ({
      groupId: 'group',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: version >= 1 ? 60_000 : -1,
      memberId: 'member',
      groupInstanceId: instance(version, 5),
      protocolType: 'consumer',
      protocols,
    }),
  },
  heartbeat: { ...member, decoded: (version) => ({ ...member, groupInstanceId: instance(version, 3) }) },
  leaveGroup: {
    groupId: 'group',
    members: [{ memberId: 'member', groupInstanceId: 'static', reason: 'because' }],
    decoded: (version) => ({
      groupId: 'group',
      members: [{ memberId: 'member', groupInstanceId: instance(version, 3) }],
    }),
  },
  syncGroup: {
    ...member,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments,
    decoded: (version) => ({
      ...member,
      groupInstanceId: instance(version, 3),
      protocolType: version >= 5 ? 'consumer' : null,
      protocolName: version >= 5 ? 'range' : null,
      assignments,
    }),
  },
  describeGroups: {
    groupIds: ['group', 'other'],
    includeAuthorizedOperations: true,
    decoded: (version) => ({ groupIds: ['group', 'other'], includeAuthorizedOperations: version >= 3 }),
  },
  listGroups: {
    states: ['Stable'],
    types: ['classic'],
    decoded: (version) => ({ states: version >= 4 ? ['Stable'] : [], types: version >= 5 ? ['classic'] : [] }),
  },
  offsetForLeaderEpoch: {
    topics: [{ name: 'events', partitions: [{ partition: 3, leaderEpoch: 5 }] }],
    decoded: () => ({ topics: [{ name: 'events', partitions: [{ partition: 3, leaderEpoch: 5 }] }] }),
  },
  deleteGroups: { groupIds: ['group', 'other'], decoded: () => ({ groupIds: ['group', 'other'] }) },
  offsetDelete: {
    groupId: 'group',
    topics: [{ name: 'events', partitions: [3, 4] }],
    decoded: () => ({ groupId: 'group', topics: [{ name: 'events', partitions: [3, 4] }] }),
  },
}

const partitionErrors = { topics: [{ name: 'events', partitions: [{ partition: 3, errorCode: 12 }] }] }
const fetched = { ...committed, errorCode: 14 }
const coordinator = { nodeId: 1001, host: 'agent-1.example', port: 9092, errorCode: 15, errorMessage: 'not yet' }
const described = {
  errorCode: 16,
  groupId: 'group',
  state: 'Stable',
  protocolType: 'consumer',
  protocolName: 'range',
}
const describedMember = {
  memberId: 'member',
  clientId: 'client',
  clientHost: '/10.0.0.1',
  metadata: bytes('subscription'),
  assignment: bytes('assignment'),
}

/** One response per API with no field at its default, and what each version carries of it. */
export const groupSampleResponses: Record<GroupApiName, SampleResponse> = {
  offsetCommit: { sent: partitionErrors, received: () => partitionErrors },
  offsetFetch: {
    sent: { groups: [{ groupId: 'group', errorCode: 15, topics: [{ name: 'events', partitions: [fetched] }] }] },
    received: (version) => ({
      groups: [
        {
          groupId: since(version, 8, 'group'),
          errorCode: since(version, 2, 15),
          topics: [{ name: 'events', partitions: [{ ...fetched, leaderEpoch: since(version, 5, 5) }] }],
        },
      ],
    }),
  },
  findCoordinator: {
    sent: { coordinators: [{ key: 'group', ...coordinator }] },
    received: (version) => ({
      coordinators: [{ ...coordinator, key: since(version, 4, 'group'), errorMessage: since(version, 1, 'not yet') }],
    }),
  },
  joinGroup: {
    sent: {
      errorCode: 27,
      generationId: 6,
      protocolType: 'consumer',
      protocolName: 'range',
      leaderId: 'leader',
      skipAssignment: true,
      memberId: 'member',
      members: [{ memberId: 'member', groupInstanceId: 'static', metadata: bytes('subscription') }],
    },
    received: (version) => ({
      errorCode: 27,
      generationId: 6,
      protocolType: since(version, 7, 'consumer'),
      protocolName: 'range',
      leaderId: 'leader',
      skipAssignment: since(version, 9, true),
      memberId: 'member',
      members: [{ memberId: 'member', groupInstanceId: since(version, 5, 'static'), metadata: bytes('subscription') }],
    }),
  },
  heartbeat: { sent: { errorCode: 27 }, received: () => ({ errorCode: 27 }) },
  leaveGroup: {
    sent: { errorCode: 16, members: [{ memberId: 'member', groupInstanceId: 'static', errorCode: 25 }] },
    received: (version) => ({
      errorCode: 16,
      members: since(version, 3, [{ memberId: 'member', groupInstanceId: 'static', errorCode: 25 }]),
    }),
  },
  syncGroup: {
    sent: { errorCode: 27, protocolType: 'consumer', protocolName: 'range', assignment: bytes('assignment') },
    received: (version) => ({
      errorCode: 27,
      protocolType: since(version, 5, 'consumer'),
      protocolName: since(version, 5, 'range'),
      assignment: bytes('assignment'),
    }),
  },
  describeGroups: {
    sent: {
      groups: [
        {
          ...described,
          errorMessage: 'elsewhere',
          members: [{ ...describedMember, groupInstanceId: 'static' }],
          authorizedOperations: 328,
        },
      ],
    },
    received: (version) => ({
      groups: [
        {
          ...described,
          errorMessage: since(version, 6, 'elsewhere'),
          members: [{ ...describedMember, groupInstanceId: since(version, 4, 'static') }],
          authorizedOperations: since(version, 3, 328),
        },
      ],
    }),
  },
  listGroups: {
    sent: {
      errorCode: 14,
      groups: [{ groupId: 'group', protocolType: 'consumer', state: 'Stable', type: 'classic' }],
    },
    received: (version) => ({
      errorCode: 14,
      groups: [
        {
          groupId: 'group',
          protocolType: 'consumer',
          state: since(version, 4, 'Stable'),
          type: since(version, 5, 'classic'),
        },
      ],
    }),
  },
  offsetForLeaderEpoch: {
    sent: {
      topics: [{ name: 'events', partitions: [{ partition: 3, errorCode: 3, leaderEpoch: 5, endOffset: 2 ** 40 }] }],
    },
    received: () => ({
      topics: [{ name: 'events', partitions: [{ partition: 3, errorCode: 3, leaderEpoch: 5, endOffset: 2 ** 40 }] }],
    }),
  },
  deleteGroups: {
    sent: { results: [{ groupId: 'group', errorCode: 68 }] },
    received: () => ({ results: [{ groupId: 'group', errorCode: 68 }] }),
  },
  offsetDelete: {
    sent: { errorCode: 69, ...partitionErrors },
    received: () => ({ errorCode: 69, ...partitionErrors }),
  },
}
