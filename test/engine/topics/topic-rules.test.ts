import t from 'tap'
import { checkTopicConfigs, numericConfig, TOPIC_CONFIGS } from '../../../engine/topics/topic-configs.js'
import { checkPartitionCount, isTopicNameValid, PARTITION_COUNT_MAX } from '../../../engine/topics/topic-rules.js'

t.test('names', async (t) => {
  for (const name of ['a', 'A.b_c-9', 'x'.repeat(249), '...', '__consumer_offsets']) t.ok(isTopicNameValid(name), name)
  for (const name of ['', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250), 'a\n']) t.notOk(isTopicNameValid(name), name)
})

t.test('partition counts', async (t) => {
  checkPartitionCount(1)
  checkPartitionCount(PARTITION_COUNT_MAX)
  for (const count of [0, -1, 1.5, PARTITION_COUNT_MAX + 1, Number.NaN]) {
    t.throws(() => checkPartitionCount(count), { code: 'PARTITION_COUNT_INVALID' })
  }
})

t.test('every default is legal', async () => {
  for (const [name, config] of Object.entries(TOPIC_CONFIGS)) checkTopicConfigs({ [name]: config.default })
})

t.test('wrong values and unknown names are refused by name', async (t) => {
  for (const [name, value] of [
    ['retention.ms', '-2'],
    ['retention.ms', '1e3'],
    ['retention.ms', '9223372036854775808'],
    ['max.message.bytes', '2147483648'],
    ['cleanup.policy', 'delete,burn'],
    ['compression.type', 'LZ4'],
    ['preallocate', 'yes'],
    ['min.cleanable.dirty.ratio', '1.5'],
    ['no.such.config', '1'],
  ] as const) {
    t.throws(
      () => checkTopicConfigs({ [name]: value }),
      { code: 'CONFIG_INVALID', message: new RegExp(name) },
      `${name}=${value}`,
    )
  }
  checkTopicConfigs({ 'cleanup.policy': 'compact,delete', 'retention.ms': '-1', 'min.cleanable.dirty.ratio': '0.1' })
})

t.test('numeric values', async (t) => {
  t.equal(numericConfig({ 'max.message.bytes': '77' }, 'max.message.bytes', 5), 77)
  t.equal(numericConfig({}, 'max.message.bytes', 5), 5)
})
