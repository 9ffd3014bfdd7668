import type { adminClientCodecs } from './admin-client-codec.js'
import { type SampleRequest, type SampleResponse, since } from './sample.js'

type AdminApiName = keyof typeof adminClientCodecs

const retention = { name: 'retention.ms', value: '1000' }
const policy = { name: 'cleanup.policy', value: null }
const twoPartitions = [{ name: 'events', partitions: [3, 5] }]
const reassigned = [
  {
    name: 'events',
    partitions: [
      { partition: 3, nodeIds: [1, 2] },
      { partition: 5, nodeIds: null },
    ],
  },
]
const topicId = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
const failed = { errorCode: 40, errorMessage: 'not so' }

/** As in `samples.ts`, of the APIs of configs and partitions. */
export const adminSampleRequests: Record<AdminApiName, SampleRequest> = {
  describeConfigs: {
    resources: [
      { type: 2, name: 'events', configNames: ['retention.ms', 'cleanup.policy'] },
      { type: 4, name: '1', configNames: null },
    ],
    includeSynonyms: true,
    includeDocumentation: true,
    decoded: (version) => ({
      resources: [
        { type: 2, name: 'events', configNames: ['retention.ms', 'cleanup.policy'] },
        { type: 4, name: '1', configNames: null },
      ],
      includeSynonyms: true,
      includeDocumentation: version >= 3,
    }),
  },
  alterConfigs: {
    resources: [{ type: 2, name: 'events', configs: [retention, policy] }],
    validateOnly: true,
    decoded: () => ({ resources: [{ type: 2, name: 'events', configs: [retention, policy] }], validateOnly: true }),
  },
  createPartitions: {
    topics: [
      { name: 'events', partitionCount: 5, assignments: [[1, 2], [3]] },
      { name: 'more', partitionCount: 6, assignments: null },
    ],
    timeoutMs: 5000,
    validateOnly: true,
    decoded: () => ({
      topics: [
        { name: 'events', partitionCount: 5, assignments: [[1, 2], [3]] },
        { name: 'more', partitionCount: 6, assignments: null },
      ],
      timeoutMs: 5000,
      validateOnly: true,
    }),
  },
  incrementalAlterConfigs: {
    resources: [
      {
        type: 2,
        name: 'events',
        configs: [
          { ...retention, operation: 2 },
          { ...policy, operation: 1 },
        ],
      },
    ],
    validateOnly: true,
    decoded: () => ({
      resources: [
        {
          type: 2,
          name: 'events',
          configs: [
            { ...retention, operation: 2 },
            { ...policy, operation: 1 },
          ],
        },
      ],
      validateOnly: true,
    }),
  },
  deleteRecords: {
    topics: [{ name: 'events', partitions: [{ partition: 3, offset: 2 ** 40 }] }],
    timeoutMs: 5000,
    decoded: () => ({
      topics: [{ name: 'events', partitions: [{ partition: 3, offset: 2 ** 40 }] }],
      timeoutMs: 5000,
    }),
  },
  describeLogDirs: { topics: twoPartitions, decoded: () => ({ topics: twoPartitions }) },
  electLeaders: {
    topics: twoPartitions,
    timeoutMs: 5000,
    decoded: () => ({ topics: twoPartitions, timeoutMs: 5000 }),
  },
  alterPartitionReassignments: {
    timeoutMs: 5000,
    topics: reassigned,
    decoded: () => ({ timeoutMs: 5000, topics: reassigned }),
  },
  listPartitionReassignments: {
    timeoutMs: 5000,
    topics: twoPartitions,
    decoded: () => ({ timeoutMs: 5000, topics: twoPartitions }),
  },
  describeCluster: { endpointType: 2, decoded: (version) => ({ endpointType: version >= 1 ? 2 : 1 }) },
  describeProducers: { topics: twoPartitions, decoded: () => ({ topics: twoPartitions }) },
  describeTransactions: { transactionalIds: ['a', 'b'], decoded: () => ({ transactionalIds: ['a', 'b'] }) },
  listTransactions: {
    states: ['Ongoing'],
    producerIds: [2 ** 40],
    durationMs: 7,
    decoded: (version) => ({ states: ['Ongoing'], producerIds: [2 ** 40], durationMs: version >= 1 ? 7 : -1 }),
  },
  describeTopicPartitions: {
    topics: ['events', 'more'],
    partitionCountMax: 9,
    cursor: { topic: 'events', partition: 3 },
    decoded: () => ({
      topics: ['events', 'more'],
      partitionCountMax: 9,
      cursor: { topic: 'events', partition: 3 },
    }),
  },
}

const config = {
  name: 'retention.ms',
  value: '1000',
  readOnly: true,
  source: 1,
  synonyms: [{ name: 'log.retention.ms', value: null, source: 5 }],
  type: 5,
  documentation: 'how long',
}

export const adminSampleResponses: Record<AdminApiName, SampleResponse> = {
  describeConfigs: {
    sent: { resources: [{ type: 2, name: 'events', ...failed, configs: [config] }] },
    received: (version) => ({
      resources: [
        {
          type: 2,
          name: 'events',
          ...failed,
          configs: [
            {
              ...config,
              sensitive: false,
              type: since(version, 3, 5),
              documentation: since(version, 3, 'how long'),
            },
          ],
        },
      ],
    }),
  },
  alterConfigs: {
    sent: { resources: [{ type: 2, name: 'events', ...failed }] },
    received: () => ({ resources: [{ type: 2, name: 'events', ...failed }] }),
  },
  createPartitions: {
    sent: { topics: [{ name: 'events', ...failed }] },
    received: () => ({ topics: [{ name: 'events', ...failed }] }),
  },
  incrementalAlterConfigs: {
    sent: { resources: [{ type: 2, name: 'events', ...failed }] },
    received: () => ({ resources: [{ type: 2, name: 'events', ...failed }] }),
  },
  deleteRecords: {
    sent: { topics: [{ name: 'events', partitions: [{ partition: 3, lowWatermark: 2 ** 40, errorCode: 1 }] }] },
    received: () => ({
      topics: [{ name: 'events', partitions: [{ partition: 3, lowWatermark: 2 ** 40, errorCode: 1 }] }],
    }),
  },
  describeLogDirs: {
    sent: {
      errorCode: 56,
      directories: [
        {
          errorCode: 3,
          name: 's3://bucket',
          topics: [{ name: 'events', partitions: [{ partition: 3, bytes: 2 ** 41 }] }],
        },
      ],
    },
    received: (version) => ({
      errorCode: version >= 3 ? 56 : 0,
      directories: [
        {
          errorCode: 3,
          name: 's3://bucket',
          topics: [{ name: 'events', partitions: [{ partition: 3, bytes: 2 ** 41, lag: 0, future: false }] }],
          volume: since(version, 4, [-1, -1]),
        },
      ],
    }),
  },
  electLeaders: {
    sent: { errorCode: 7, topics: [{ name: 'events', partitions: [{ partition: 3, ...failed }] }] },
    received: (version) => ({
      errorCode: version >= 1 ? 7 : 0,
      topics: [{ name: 'events', partitions: [{ partition: 3, ...failed }] }],
    }),
  },
  alterPartitionReassignments: {
    sent: { ...failed, topics: [{ name: 'events', partitions: [{ partition: 3, ...failed }] }] },
    received: () => ({ ...failed, topics: [{ name: 'events', partitions: [{ partition: 3, ...failed }] }] }),
  },
  listPartitionReassignments: { sent: failed, received: () => ({ ...failed, topics: [] }) },
  describeCluster: {
    sent: {
      ...failed,
      endpointType: 2,
      clusterId: 'cluster',
      controllerId: 8,
      brokers: [{ nodeId: 8, host: 'b', port: 9093, rack: 'eu-1a' }],
    },
    received: (version) => ({
      ...failed,
      endpointType: since(version, 1, 2),
      clusterId: 'cluster',
      controllerId: 8,
      brokers: [{ nodeId: 8, host: 'b', port: 9093, rack: 'eu-1a' }],
      operations: -2147483648,
    }),
  },
  describeProducers: {
    sent: {
      topics: [
        {
          name: 'events',
          partitions: [
            {
              partition: 3,
              ...failed,
              producers: [{ producerId: 2 ** 40, producerEpoch: 4, lastSequence: 9, lastTimestampMs: 1e12 }],
            },
          ],
        },
      ],
    },
    received: () => ({
      topics: [
        {
          name: 'events',
          partitions: [
            {
              partition: 3,
              ...failed,
              producers: [
                {
                  producerId: 2 ** 40,
                  producerEpoch: 4,
                  lastSequence: 9,
                  lastTimestampMs: 1e12,
                  coordinatorEpoch: -1,
                  transactionOffset: -1,
                },
              ],
            },
          ],
        },
      ],
    }),
  },
  describeTransactions: {
    sent: { transactions: [{ errorCode: 105, transactionalId: 'a' }] },
    received: () => ({ transactions: [{ errorCode: 105, transactionalId: 'a', state: '', topics: [] }] }),
  },
  listTransactions: {
    sent: { errorCode: 3, unknownStates: ['Odd'] },
    received: () => ({ errorCode: 3, unknownStates: ['Odd'], transactions: [] }),
  },
  describeTopicPartitions: {
    sent: {
      topics: [
        {
          errorCode: 3,
          name: 'events',
          topicId,
          partitions: [{ partition: 3, leaderId: 8, replicaIds: [8, 2], inSyncIds: [8], offlineIds: [2] }],
        },
      ],
      nextCursor: { topic: 'events', partition: 4 },
    },
    received: () => ({
      topics: [
        {
          errorCode: 3,
          name: 'events',
          topicId,
          partitions: [
            {
              errorCode: 0,
              partition: 3,
              leaderId: 8,
              leaderEpoch: 0,
              lists: [[8, 2], [8]],
              eligible: [[], []],
              offline: [2],
            },
          ],
          operations: -2147483648,
        },
      ],
      nextCursor: { topic: 'events', partition: 4 },
    }),
  },
}
