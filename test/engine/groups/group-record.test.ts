import t from 'tap'
import { decodeGroupRecord, encodeGroupRecord } from '../../../engine/groups/group-record.js'
import { bytes } from '../../support/group-members.js'

const RECORD = {
  generationId: 7,
  protocolName: 'range',
  leaderId: 'a',
  members: ['a', 'bé'].map((memberId, index) => ({
    memberId,
    groupInstanceId: index === 0 ? null : '',
    clientId: 'client',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 2 ** 31 - 1,
    protocols: [
      { name: 'range', metadata: bytes('metadata') },
      { name: 'sticky', metadata: new Uint8Array() },
    ],
    assignment: bytes(`for ${memberId}`),
  })),
}

t.test('a group is read back as it was written', async (t) => {
  t.same(decodeGroupRecord(encodeGroupRecord(RECORD)), RECORD)
  const empty = { generationId: 0, protocolName: '', leaderId: '', members: [] }
  t.same(decodeGroupRecord(encodeGroupRecord(empty)), empty)
  t.same(decodeGroupRecord(new Uint8Array()), empty, 'a group that nobody joined')
})

t.test('what is cut, longer, or of another version is refused', async (t) => {
  const whole = encodeGroupRecord(RECORD)
  const refused = { code: 'CATALOG_SCHEMA_MISMATCH', retry: 'never' }
  for (let length = 1; length < whole.byteLength; length++) {
    t.throws(() => decodeGroupRecord(whole.subarray(0, length)), refused)
  }
  t.throws(() => decodeGroupRecord(Uint8Array.of(...whole, 0)), refused)
  t.throws(() => decodeGroupRecord(Uint8Array.of(2, ...whole.subarray(1))), { ...refused, message: /newer/ })
})
