import t from 'tap'
import { startAgentProcess } from '../support/agent-process.js'
import { agentsKnowEachOther, createTopic, kafkajsClient, withAdmin } from '../support/kafkajs-client.js'
import { runKcat } from '../support/kcat.js'
import { scaleOut } from '../support/store-pairs.js'

/** A group's coordinator is one agent for everybody, also for members whose records come from another zone. */
t.test('members in every zone find their coordinator, and tools find all groups', async (t) => {
  const stores = await scaleOut.open(t)
  const addresses: string[] = []
  for (const zone of ['a', 'b']) {
    const agent = await startAgentProcess({
      ...stores,
      args: [...stores.args, '--zone', zone, '--heartbeat-interval', '300ms'],
    })
    t.teardown(async () => void (await agent.stop()))
    addresses.push(agent.address)
  }
  await agentsKnowEachOther(addresses)
  const groups = ['one', 'two', 'three', 'four', 'five', 'six']
  const near = kafkajsClient(addresses, { clientId: 'zone=a', retry: { initialRetryTime: 50, retries: 5 } })
  await createTopic(near, 'events', 2)
  const producer = near.producer()
  await producer.connect()
  await producer.send({ topic: 'events', messages: [{ value: 'hello' }] })
  await producer.disconnect()
  const join = async (groupId: string) => {
    const consumer = near.consumer({ groupId, maxWaitTimeInMs: 200 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'events', fromBeginning: true })
    const value = await new Promise<string>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      consumer.run({ eachMessage: async ({ message }) => resolve(`${message.value}`) }).catch(reject)
    })
    t.equal(value, 'hello', groupId)
    await consumer.disconnect()
  }
  await Promise.all(groups.map(join))
  const listed = await withAdmin(near, (admin) => admin.listGroups())
  t.same(listed.groups.map(({ groupId }) => groupId).sort(), [...groups].sort())

  const partitions = JSON.parse(`${await runKcat(['-L', '-J', '-X', 'client.id=zone=b'], { brokers: addresses[0]! })}`)
  const [, farther] = addresses
  const leaders = new Set(partitions.topics[0].partitions.map(({ leader }: { leader: number }) => leader))
  const nodeOf = (address?: string) => partitions.brokers.find(({ name }: { name: string }) => name === address)?.id
  t.same([...leaders], [nodeOf(farther)], 'records come from the client its own zone')
})
