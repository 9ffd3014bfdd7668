import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startAgentProcess } from '../support/agent-process.js'
import { freePort } from '../support/free-port.js'
import { RawClient } from '../support/kafka/raw-client.js'
import { kcatConsume, kcatProduce, runKcat } from '../support/kcat.js'
import { embedded } from '../support/store-pairs.js'

/** Two agents with two listeners each and one with one: clients are told addresses of the network they are in. */

t.test('clients are told the addresses of the listener they came in by', async (t) => {
  const { args, env } = await embedded.open(t)
  const stores = { env, args: [...args, '--heartbeat-interval', '300ms'] }
  const ports = await Promise.all(Array.from({ length: 5 }, freePort))
  const [inside1, outside1, inside2, outside2, single] = ports.map((port) => `127.0.0.1:${port}`) as [
    string,
    string,
    string,
    string,
    string,
  ]
  // Bound to one address, reached by another name of it.
  const named = (address: string) => address.replace('127.0.0.1', 'localhost')
  const twoListeners = (inside: string, outside: string) => [
    '--listen',
    `INTERNAL://${inside},EXTERNAL://${outside}`,
    '--advertise',
    `EXTERNAL://${named(outside)}`,
  ]
  const agents = [
    await startAgentProcess({ ...stores, args: [...stores.args, ...twoListeners(inside1, outside1)] }),
    await startAgentProcess({ ...stores, args: [...stores.args, ...twoListeners(inside2, outside2)] }),
    await startAgentProcess({ ...stores, args: [...stores.args, '--listen', single] }),
  ]
  t.teardown(async () => void (await Promise.all(agents.map((agent) => agent.stop()))))
  t.same(
    [...(agents[0]?.listeners ?? [])],
    [
      ['internal', inside1],
      ['external', outside1],
    ],
  )

  const views = [
    { bootstrap: inside1, addresses: [inside1, inside2, single] },
    { bootstrap: outside2, addresses: [named(outside1), named(outside2), single] },
    { bootstrap: single, addresses: [inside1, inside2, single] },
  ]
  for (const { bootstrap, addresses } of views) {
    t.same(await brokersSeenAt(bootstrap, addresses.length), [...addresses].sort(), `the brokers seen at ${bootstrap}`)
    const metadata = JSON.parse(`${await runKcat(['-L', '-J'], { brokers: bootstrap })}`)
    t.same(metadata.brokers.map(({ name }: { name: string }) => name).sort(), [...addresses].sort(), 'kcat')
  }

  for (const { bootstrap, addresses } of views) {
    const client = await RawClient.open(Number(bootstrap.split(':')[1]))
    const { coordinators } = await client.request('findCoordinator', 4, { keyType: 0, keys: ['a-group'] })
    client.destroy()
    t.ok(addresses.includes(`${coordinators[0].host}:${coordinators[0].port}`), 'the coordinator of a group, too')
  }

  const lines = Array.from({ length: 300 }, (_, number) => `${number}`)
  await kcatProduce('listened', ['-p', '0'], { brokers: outside1, input: `${lines.join('\n')}\n` })
  for (const { bootstrap } of views) {
    const read = await kcatConsume('listened', { brokers: bootstrap })
    t.same(
      read.map(({ value }) => `${value}`),
      lines,
    )
  }
})

/**
 * On one connection: kafkajs would ask any agent it has heard of, and the one without this listener answers with default
 * addresses. An agent learns of those that started after it at its next heartbeat.
 */
async function brokersSeenAt(bootstrap: string, count: number): Promise<string[]> {
  const client = await RawClient.open(Number(bootstrap.split(':')[1]))
  for (const deadlineMs = performance.now() + 20_000; ; ) {
    const { brokers } = await client.request('metadata', 9, { topics: [] })
    const seen = brokers.map(({ host, port }: { host: string; port: number }) => `${host}:${port}`).sort()
    if (seen.length === count || performance.now() > deadlineMs) {
      client.destroy()
      return seen
    }
    await sleep(100)
  }
}
