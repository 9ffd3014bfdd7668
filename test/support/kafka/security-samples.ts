import type { SampleRequest, SampleResponse } from './sample.js'
import type { securityClientCodecs } from './security-client-codec.js'

type SecurityApiName = keyof typeof securityClientCodecs

const acl = {
  resourceType: 2,
  resourceName: 'events',
  patternType: 4,
  principal: 'User:ann',
  host: '10.0.0.1',
  operation: 3,
  permissionType: 2,
}
const anyAcl = {
  resourceType: 1,
  resourceName: null,
  patternType: 1,
  principal: null,
  host: null,
  operation: 1,
  permissionType: 1,
}
const entity = [
  { type: 'user', name: 'ann' },
  { type: 'client-id', name: null },
]
const operations = [
  { key: 'producer_byte_rate', value: 1048576.5, remove: false },
  { key: 'request_percentage', value: 0, remove: true },
]
const upsertion = { user: 'ann', mechanism: 2, iterations: 8192, salt: 'salt', saltedPassword: 'salted' }
const failed = { errorCode: 54, errorMessage: 'not here' }

/** As in `samples.ts`, of the APIs of ACLs, quotas and users. */
export const securitySampleRequests: Record<SecurityApiName, SampleRequest> = {
  describeAcls: { ...acl, decoded: () => acl },
  createAcls: { creations: [acl], decoded: () => ({ creations: [acl] }) },
  deleteAcls: { filters: [acl, anyAcl], decoded: () => ({ filters: [acl, anyAcl] }) },
  describeClientQuotas: {
    components: [
      { entityType: 'user', matchType: 0, match: 'ann' },
      { entityType: 'client-id', matchType: 2, match: null },
    ],
    strict: true,
    decoded: () => ({
      components: [
        { entityType: 'user', matchType: 0, match: 'ann' },
        { entityType: 'client-id', matchType: 2, match: null },
      ],
      strict: true,
    }),
  },
  alterClientQuotas: {
    entries: [{ entity, operations }],
    validateOnly: true,
    decoded: () => ({
      entries: [{ entity, operations: operations.map(({ key, remove }) => ({ key, remove })) }],
      validateOnly: true,
    }),
  },
  describeUserScramCredentials: { users: ['ann', 'bob'], decoded: () => ({ users: ['ann', 'bob'] }) },
  alterUserScramCredentials: {
    deletions: [{ user: 'bob', mechanism: 1 }],
    upsertions: [upsertion],
    decoded: () => ({ deletions: [{ user: 'bob', mechanism: 1 }], upsertions: [{ user: 'ann', mechanism: 2 }] }),
  },
}

export const securitySampleResponses: Record<SecurityApiName, SampleResponse> = {
  describeAcls: { sent: failed, received: () => ({ ...failed, resources: [] }) },
  createAcls: { sent: { results: [failed, failed] }, received: () => ({ results: [failed, failed] }) },
  deleteAcls: { sent: { filterResults: [failed] }, received: () => ({ filterResults: [{ ...failed, matching: [] }] }) },
  describeClientQuotas: { sent: failed, received: () => ({ ...failed, entries: [] }) },
  alterClientQuotas: {
    sent: { entries: [{ ...failed, entity }] },
    received: () => ({ entries: [{ ...failed, entity }] }),
  },
  describeUserScramCredentials: {
    sent: { ...failed, results: [{ user: 'ann', ...failed }] },
    received: () => ({ ...failed, results: [{ user: 'ann', ...failed, credentials: [] }] }),
  },
  alterUserScramCredentials: {
    sent: { results: [{ user: 'ann', ...failed }] },
    received: () => ({ results: [{ user: 'ann', ...failed }] }),
  },
}
