import t from 'tap'
import { handleCreateAcls, handleDeleteAcls, handleDescribeAcls } from '../../../../adapters/kafka/handlers/acls.js'
import {
  handleAlterClientQuotas,
  handleDescribeClientQuotas,
} from '../../../../adapters/kafka/handlers/client-quotas.js'
import {
  handleAlterUserScramCredentials,
  handleDescribeUserScramCredentials,
} from '../../../../adapters/kafka/handlers/scram-credentials.js'
import { fakeContext } from '../../../support/kafka/context.js'

const acl = {
  resourceType: 2,
  resourceName: 'events',
  patternType: 3,
  principal: 'User:ann',
  host: '*',
  operation: 3,
  permissionType: 3,
}

t.test('ACLs: there is no authorizer, in the words and at the places that Kafka says it', async (t) => {
  const context = fakeContext()
  t.strictSame(await handleDescribeAcls(context, { ...acl, resourceName: null }), {
    errorCode: 54,
    errorMessage: 'No Authorizer is configured on the broker',
  })
  const disabled = { errorCode: 54, errorMessage: 'No Authorizer is configured.' }
  t.strictSame(await handleCreateAcls(context, { creations: [acl, acl] }), { results: [disabled, disabled] })
  t.strictSame(await handleCreateAcls(context, { creations: [] }), { results: [] })
  t.strictSame(await handleDeleteAcls(context, { filters: [acl, acl, acl] }), {
    filterResults: [disabled, disabled, disabled],
  })
})

t.test('quotas: none are found, none can be set, and removing what is not there is no failure', async (t) => {
  const context = fakeContext()
  const components = [{ entityType: 'user', matchType: 2, match: null }]
  t.strictSame(await handleDescribeClientQuotas(context, { components, strict: false }), {
    errorCode: 0,
    errorMessage: null,
  })
  const ann = [{ type: 'user', name: 'ann' }]
  const everyone = [{ type: 'user', name: null }]
  const set = { key: 'producer_byte_rate', remove: false }
  const remove = { key: 'consumer_byte_rate', remove: true }
  for (const validateOnly of [false, true]) {
    const entries = [
      { entity: ann, operations: [set] },
      { entity: everyone, operations: [remove, set] },
      { entity: ann, operations: [remove] },
    ]
    t.match(await handleAlterClientQuotas(context, { entries, validateOnly }), {
      entries: [
        { errorCode: 42, errorMessage: /no client quotas/, entity: ann },
        { errorCode: 42, errorMessage: /no client quotas/, entity: everyone },
        { errorCode: 0, errorMessage: null, entity: ann },
      ],
    })
  }
})

t.test('SCRAM: no user has credentials, and none can be given any', async (t) => {
  const context = fakeContext()
  for (const users of [null, []]) {
    t.strictSame(await handleDescribeUserScramCredentials(context, { users }), {
      errorCode: 0,
      errorMessage: null,
      results: [],
    })
  }
  t.match(await handleDescribeUserScramCredentials(context, { users: ['ann', 'bob', 'ann'] }), {
    errorCode: 0,
    results: [
      { user: 'ann', errorCode: 92, errorMessage: /same user twice in a single request: ann/ },
      { user: 'bob', errorCode: 91, errorMessage: 'Attempt to describe a user credential that does not exist: bob' },
    ],
  })
  const altered = await handleAlterUserScramCredentials(context, {
    deletions: [
      { user: 'bob', mechanism: 1 },
      { user: 'ann', mechanism: 1 },
    ],
    upsertions: [
      { user: 'ann', mechanism: 2 },
      { user: 'cid', mechanism: 1 },
      { user: 'cid', mechanism: 2 },
    ],
  })
  t.match(
    new Map(altered.results.map(({ user, ...result }) => [user, result])),
    new Map([
      ['ann', { errorCode: 91 }],
      ['bob', { errorCode: 91, errorMessage: 'Attempt to delete a user credential that does not exist' }],
      ['cid', { errorCode: 33, errorMessage: /no SASL/ }],
    ]),
  )
  t.equal(altered.results.length, 3, 'one per user')
})
