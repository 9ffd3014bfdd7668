import { ZERO_UUID } from '../../../adapters/kafka/wire/uuid.js'
import { adminSampleRequests, adminSampleResponses } from './admin-samples.js'
import { fakeBatch } from './bytes.js'
import type { ApiName } from './client-codec.js'
import { groupSampleRequests, groupSampleResponses } from './group-samples.js'
import { type SampleRequest, type SampleResponse, since } from './sample.js'
import { securitySampleRequests, securitySampleResponses } from './security-samples.js'

const topicId = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'

const batch = fakeBatch({})
const fetchPartition = { partition: 3, fetchOffset: 2 ** 40 + 1, bytesMax: 1 << 20 }
const createTopic = {
  name: 'new',
  partitionCount: -1,
  replicationFactor: -1,
  assignments: [{ partition: 0, nodeIds: [1, 2] }],
  configs: [
    { name: 'retention.ms', value: '1000' },
    { name: 'cleanup.policy', value: null },
  ],
}

/** One request per API with no field at its default. */
export const sampleRequests: Record<ApiName, SampleRequest> = {
  ...adminSampleRequests,
  ...groupSampleRequests,
  ...securitySampleRequests,
  produce: {
    transactionalId: 'txn',
    acks: -1,
    topics: [{ name: 'topic-é', partitions: [{ partition: 7, records: batch }] }],
    decoded: () => ({
      transactionalId: 'txn',
      acks: -1,
      timeoutMs: 1500,
      topics: [
        {
          name: 'topic-é',
          partitions: [
            {
              partition: 7,
              records: { position: Number, bytes: batch.byteLength, batchBytes: batch.byteLength, magic: 2 },
            },
          ],
        },
      ],
    }),
  },
  fetch: {
    waitMaxMs: 500,
    bytesMin: 1,
    bytesMax: 50 << 20,
    isolationLevel: 1,
    sessionId: 5,
    sessionEpoch: 6,
    rackId: 'eu-1a',
    topics: [{ name: 'events', topicId, partitions: [fetchPartition] }],
    decoded: (version) => ({
      waitMaxMs: 500,
      bytesMin: 1,
      bytesMax: 50 << 20,
      isolationLevel: 1,
      sessionId: version >= 7 ? 5 : 0,
      sessionEpoch: version >= 7 ? 6 : -1,
      rackId: version >= 11 ? 'eu-1a' : '',
      topics: [
        {
          name: version <= 12 ? 'events' : '',
          topicId: version >= 13 ? topicId : ZERO_UUID,
          partitions: [fetchPartition],
        },
      ],
    }),
  },
  listOffsets: {
    isolationLevel: 1,
    topics: [{ name: 'events', partitions: [{ partition: 3, timestamp: 1_700_000_000_000 }] }],
    decoded: (version) => ({
      isolationLevel: version >= 2 ? 1 : 0,
      topics: [{ name: 'events', partitions: [{ partition: 3, timestamp: 1_700_000_000_000 }] }],
    }),
  },
  metadata: {
    topics: [{ name: 'events', topicId: ZERO_UUID }],
    allowAutoTopicCreation: false,
    decoded: (version) => ({
      topics: [{ name: 'events', topicId: ZERO_UUID }],
      allowAutoTopicCreation: version < 4,
    }),
  },
  apiVersions: {
    clientSoftwareName: 'librdkafka',
    clientSoftwareVersion: '2.0.2',
    decoded: (version) => ({
      clientSoftwareName: version >= 3 ? 'librdkafka' : null,
      clientSoftwareVersion: version >= 3 ? '2.0.2' : null,
    }),
  },
  createTopics: {
    topics: [createTopic],
    timeoutMs: 5000,
    validateOnly: true,
    decoded: () => ({ topics: [createTopic], timeoutMs: 5000, validateOnly: true }),
  },
  deleteTopics: {
    topics: [{ name: 'old', topicId: ZERO_UUID }],
    timeoutMs: 5000,
    decoded: () => ({ topics: [{ name: 'old', topicId: ZERO_UUID }], timeoutMs: 5000 }),
  },
  initProducerId: {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: 2 ** 33,
    producerEpoch: 4,
    decoded: (version) => ({
      transactionalId: null,
      transactionTimeoutMs: 60_000,
      producerId: version >= 3 ? 2 ** 33 : -1,
      producerEpoch: version >= 3 ? 4 : -1,
    }),
  },
}

/** One response per API with no field at its default, and what each version carries of it. */
export const sampleResponses: Record<ApiName, SampleResponse> = {
  ...adminSampleResponses,
  ...groupSampleResponses,
  ...securitySampleResponses,
  produce: {
    sent: {
      topics: [
        {
          name: 'events',
          partitions: [
            {
              partition: 7,
              errorCode: 10,
              errorMessage: 'too large',
              baseOffset: 2 ** 35,
              logStartOffset: 12,
              logAppendTimeMs: 1e12,
              recordErrors: [{ record: 3, message: 'no key' }],
            },
          ],
        },
      ],
    },
    received: (version) => ({
      topics: [
        {
          name: 'events',
          partitions: [
            {
              partition: 7,
              errorCode: 10,
              baseOffset: 2 ** 35,
              logAppendTimeMs: 1e12,
              logStartOffset: since(version, 5, 12),
              errorMessage: since(version, 8, 'too large'),
              recordErrors: since(version, 8, [{ record: 3, message: 'no key' }]),
            },
          ],
        },
      ],
    }),
  },
  fetch: {
    sent: {
      errorCode: 0,
      isolationLevel: 1,
      topics: [
        {
          name: 'events',
          topicId,
          partitions: [
            {
              partition: 3,
              errorCode: 1,
              highWatermark: 2 ** 35,
              logStartOffset: 12,
              chunks: [batch, batch],
              bytes: 2 * batch.byteLength,
            },
            { partition: 4, errorCode: 0, highWatermark: 0, logStartOffset: 0, chunks: [], bytes: 0 },
          ],
        },
      ],
    },
    received: (version) => ({
      errorCode: 0,
      sessionId: 0,
      topics: [
        {
          name: version <= 12 ? 'events' : '',
          topicId: version >= 13 ? topicId : ZERO_UUID,
          partitions: [
            {
              partition: 3,
              errorCode: 1,
              highWatermark: 2 ** 35,
              lastStableOffset: 2 ** 35,
              logStartOffset: since(version, 5, 12),
              abortedTransactions: [],
              records: { bytes: 2 * batch.byteLength, magic: 2 },
            },
            { partition: 4, errorCode: 0, highWatermark: 0, records: { bytes: 0 } },
          ],
        },
      ],
    }),
  },
  listOffsets: {
    sent: {
      topics: [
        {
          name: 'events',
          partitions: [{ partition: 3, errorCode: 0, timestampMs: 1_700_000_000_000, offset: 77, leaderEpoch: 0 }],
        },
      ],
    },
    received: (version) => ({
      topics: [
        {
          name: 'events',
          partitions: [
            {
              partition: 3,
              errorCode: 0,
              timestampMs: 1_700_000_000_000,
              offset: 77,
              leaderEpoch: version >= 4 ? 0 : -1,
            },
          ],
        },
      ],
    }),
  },
  metadata: {
    sent: {
      errorCode: 0,
      brokers: [{ nodeId: 1001, host: 'agent-1.example', port: 9092, rack: 'eu-1a' }],
      clusterId: 'cluster',
      controllerId: 1001,
      topics: [
        {
          errorCode: 0,
          name: 'events',
          topicId,
          partitions: [
            { partition: 3, leaderId: 1001, replicaIds: [1001, 2, 3], inSyncIds: [1001, 2], offlineIds: [3] },
          ],
        },
        { errorCode: 3, name: 'absent', topicId: ZERO_UUID, partitions: [] },
      ],
    },
    received: (version) => ({
      errorCode: 0,
      brokers: [{ nodeId: 1001, host: 'agent-1.example', port: 9092, rack: version >= 1 ? 'eu-1a' : null }],
      clusterId: since(version, 2, 'cluster'),
      controllerId: since(version, 1, 1001),
      topics: [
        {
          errorCode: 0,
          name: 'events',
          topicId: since(version, 10, topicId),
          partitions: [
            {
              errorCode: 0,
              partition: 3,
              leaderId: 1001,
              leaderEpoch: since(version, 7, 0),
              replicas: [1001, 2, 3],
              inSyncReplicas: [1001, 2],
              offline: since(version, 5, [3]),
            },
          ],
        },
        { errorCode: 3, name: 'absent', partitions: [] },
      ],
    }),
  },
  apiVersions: {
    sent: {
      errorCode: 0,
      apis: [
        { key: 0, min: 0, max: 11 },
        { key: 18, min: 0, max: 4 },
      ],
    },
    received: () => ({
      errorCode: 0,
      apis: [
        { key: 0, min: 0, max: 11 },
        { key: 18, min: 0, max: 4 },
      ],
    }),
  },
  createTopics: {
    sent: {
      topics: [
        {
          name: 'new',
          topicId,
          errorCode: 0,
          errorMessage: null,
          partitionCount: 6,
          replicationFactor: 1,
          configs: [{ name: 'retention.ms', value: '1000', readOnly: true, source: 5 }],
        },
        {
          name: 'old',
          topicId: ZERO_UUID,
          errorCode: 36,
          errorMessage: 'exists',
          partitionCount: -1,
          replicationFactor: -1,
          configs: null,
        },
      ],
    },
    received: (version) => ({
      topics: [
        {
          name: 'new',
          topicId: since(version, 7, topicId),
          errorCode: 0,
          errorMessage: null,
          partitionCount: since(version, 5, 6),
          replicationFactor: since(version, 5, 1),
          configs: since(version, 5, [{ name: 'retention.ms', value: '1000', readOnly: true, source: 5 }]),
        },
        { name: 'old', errorCode: 36, errorMessage: 'exists', configs: since(version, 5, null) },
      ],
    }),
  },
  deleteTopics: {
    sent: { topics: [{ name: 'old', topicId, errorCode: 3, errorMessage: 'unknown' }] },
    received: (version) => ({
      topics: [
        {
          name: 'old',
          topicId: since(version, 6, topicId),
          errorCode: 3,
          errorMessage: since(version, 5, 'unknown'),
        },
      ],
    }),
  },
  initProducerId: {
    sent: { errorCode: 0, producerId: 2 ** 34, producerEpoch: 3 },
    received: () => ({ errorCode: 0, producerId: 2 ** 34, producerEpoch: 3 }),
  },
}
