import t from 'tap'
import { sameTopics, subscribedTopics } from '../../../engine/groups/consumer-subscription.js'
import { bytes, subscription } from '../../support/group-members.js'

t.test('the topics of a consumer', async (t) => {
  t.same(subscribedTopics(subscription(['orders', 'päyments'])), new Set(['orders', 'päyments']))
  t.same(subscribedTopics(subscription(['orders'], 'what assignors add')), new Set(['orders']))
  t.same(subscribedTopics(subscription([])), new Set())
  t.equal(subscribedTopics(bytes('something else of another type')), undefined)
  const whole = subscription(['orders', 'payments'])
  for (let length = 0; length < whole.byteLength; length++) {
    t.equal(subscribedTopics(whole.subarray(0, length)), undefined)
  }
})

t.test('sets of topics are compared whatever their order', async (t) => {
  t.ok(sameTopics(new Set(['a', 'b']), new Set(['b', 'a'])))
  t.notOk(sameTopics(new Set(['a']), new Set(['a', 'b'])))
  t.notOk(sameTopics(new Set(['a', 'c']), new Set(['a', 'b'])))
})
