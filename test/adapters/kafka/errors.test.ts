import t from 'tap'
import { KafkaError, kafkaFailureOf } from '../../../adapters/kafka/errors.js'
import { HeadraceError, type HeadraceErrorCode } from '../../../engine/errors.js'

const codeOf = (code: HeadraceErrorCode) => kafkaFailureOf(new HeadraceError(code, 'never', 'why')).errorCode

t.test('what clients must tell apart', async (t) => {
  for (const code of ['OBJECT_STORE_TIMEOUT', 'CATALOG_UNAVAILABLE', 'CATALOG_CONFLICT', 'WORKER_FAILED'] as const) {
    t.equal(codeOf(code), KafkaError.KAFKA_STORAGE_ERROR, `${code}: surely not written`)
  }
  t.equal(codeOf('CATALOG_OUTCOME_UNKNOWN'), KafkaError.REQUEST_TIMED_OUT, 'perhaps written')
  t.equal(codeOf('AGENT_CLOSING'), KafkaError.NOT_LEADER_OR_FOLLOWER, 'try another agent')
  t.equal(codeOf('PARTITION_UNKNOWN'), 3)
  t.equal(codeOf('BATCH_CORRUPT'), 2)
  t.equal(codeOf('BATCH_INVALID'), 87)
  t.equal(codeOf('BATCH_COMPRESSION_UNSUPPORTED'), 76)
  t.equal(codeOf('BATCH_TIMESTAMP_INVALID'), 32)
  t.equal(codeOf('BATCH_TOO_LARGE'), 10)
  t.equal(codeOf('PRODUCER_EPOCH_FENCED'), 47)
  t.equal(codeOf('SEQUENCE_DUPLICATE'), 46)
  t.equal(codeOf('SEQUENCE_GAP'), 45)
  t.equal(codeOf('TOPIC_EXISTS'), 36)
})

t.test('texts are bounded, and those of our own faults stay with us', async (t) => {
  t.equal(kafkaFailureOf(new HeadraceError('CONFIG_INVALID', 'never', 'x'.repeat(40_000))).errorMessage.length, 1000)
  const failure = kafkaFailureOf(new TypeError('secret of the house'))
  t.equal(failure.errorCode, -1)
  t.notMatch(failure.errorMessage, /secret/)
})
