import type { adminClientCodecs } from './admin-client-codec.js'
import { type SampleRequest, type SampleResponse, since } from './sample.js'

type AdminApiName = keyof typeof adminClientCodecs

const retention = { name: 'retention.ms', value: '1000' }
const policy = { name: 'cleanup.policy', value: null }
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
}
