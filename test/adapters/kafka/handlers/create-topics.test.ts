import t from 'tap'
import type { CreatableTopic } from '../../../../adapters/kafka/apis/19-create-topics.js'
import { handleCreateTopics } from '../../../../adapters/kafka/handlers/create-topics.js'
import { CachedTopicDirectory } from '../../../../engine/topics/cached-topic-directory.js'
import { FakeCatalog } from '../../../support/fake-catalog.js'
import { fakeContext } from '../../../support/kafka/context.js'
import { SeededRandom, VirtualClock } from '../../../support/virtual-clock.js'

/** How often a request of `topicCount` topics asks the catalog, and how often it looks at a topic's name. */
async function countWork(topicCount: number, validateOnly: boolean) {
  const counts = { catalogCalls: 0, nameReads: 0 }
  const clock = new VirtualClock()
  const catalog = new Proxy(new FakeCatalog(clock), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      counts.catalogCalls++
      return value.bind(target)
    },
  })
  const context = fakeContext()
  const directory = new CachedTopicDirectory({
    catalog,
    clock,
    random: new SeededRandom(1),
    autoCreate: false,
    defaultPartitionCount: 1,
    ageMaxMs: 5_000,
  })
  const topics = Array.from({ length: topicCount }, (_, number): CreatableTopic => {
    return {
      get name() {
        counts.nameReads++
        return `topic-${number}`
      },
      partitionCount: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }
  })
  const broker = { ...context.broker, topics: directory }
  const response = await handleCreateTopics(
    { ...context, broker: broker as unknown as typeof context.broker },
    { topics, validateOnly, timeoutMs: 1_000 },
  )
  return { ...counts, createdCount: response.topics.filter(({ errorCode }) => errorCode === 0).length }
}

for (const validateOnly of [false, true]) {
  t.test(`the work of CreateTopics grows with its topics and not faster${validateOnly ? ', dry' : ''}`, async (t) => {
    const few = await countWork(10, validateOnly)
    const many = await countWork(3_000, validateOnly)
    t.equal(many.createdCount, 3_000)
    t.equal(many.catalogCalls, 300 * few.catalogCalls, 'calls of the catalog')
    t.equal(many.nameReads, 300 * few.nameReads, 'looks at a name')
  })
}
