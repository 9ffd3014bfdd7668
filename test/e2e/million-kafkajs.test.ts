import t from 'tap'
import { PARTITION_COUNT, RECORD_COUNT, writeMillion, writeWithKafkajs } from '../support/million.js'
import { embedded, storePairs } from '../support/store-pairs.js'

/** Every run does it on the embedded stores; `npm run test:million` on all of them. */
const pairs = process.env['HEADRACE_TEST_MILLION'] === 'all' ? storePairs : [embedded]

for (const pair of pairs) {
  t.test(`a million records from kafkajs: ${pair.name}`, async (t) => {
    const outcome = await writeMillion(t, pair, writeWithKafkajs)
    t.same(outcome, {
      readCount: RECORD_COUNT,
      offsetGap: undefined,
      difference: undefined,
      missingCount: 0,
      partitionsUsed: PARTITION_COUNT,
    })
  })
}
