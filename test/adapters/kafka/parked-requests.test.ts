import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { endpointOf } from '../../../adapters/kafka/endpoints.js'
import { decodeRequestFront, decodeRequestHeaderRest } from '../../../adapters/kafka/wire/header.js'
import { WireReader } from '../../../adapters/kafka/wire/reader.js'
import type { JoinAnswer } from '../../../engine/groups/group-coordinator.js'
import { fakeContext } from '../../support/kafka/context.js'
import { openListener } from '../../support/kafka/open-listener.js'
import { correlationIdOf, decodeFrame, requestFrame } from '../../support/kafka/raw-client.js'
import { sampleRequests } from '../../support/kafka/samples.js'
import { deferred, until } from '../../support/kafka/wait.js'

const joined: JoinAnswer = {
  kind: 'joined',
  memberId: 'member',
  generationId: 1,
  protocolType: 'consumer',
  protocolName: 'range',
  leaderId: 'member',
  skipAssignment: false,
  members: [],
}

t.test('a member that waits for its group keeps its connection in order, and no other waiting', async (t) => {
  const { broker, open } = await openListener(t)
  const rebalance = deferred()
  broker.groups.joinAnswer = async () => {
    await rebalance.promise
    return joined
  }
  const waiting = await open()
  const ids = [
    waiting.begin('joinGroup', 9, sampleRequests.joinGroup),
    waiting.begin('heartbeat', 4, sampleRequests.heartbeat),
    waiting.begin('metadata', 12, sampleRequests.metadata),
  ]
  await until(() => broker.groups.asked.length === 2)
  t.pass('what comes after it is begun')
  const other = await open()
  t.match(await other.request('heartbeat', 4, sampleRequests.heartbeat), { errorCode: 0 })
  rebalance.resolve()
  const frames = [await waiting.receive(), await waiting.receive(), await waiting.receive()]
  t.strictSame(
    frames.map((frame) => correlationIdOf(frame!)),
    ids,
  )
  t.match(decodeFrame('joinGroup', 9, frames[0]!, ids[0]!), { errorCode: 0, memberId: 'member' })
})

t.test('an agent that closes sends who waits to the next coordinator', async (t) => {
  const { broker, listener, open } = await openListener(t)
  broker.groups.joinAnswer = () => new Promise(() => {})
  const client = await open()
  const id = client.begin('joinGroup', 5, sampleRequests.joinGroup)
  await until(() => broker.groups.asked.length === 1)
  const closing = listener.close()
  t.match(decodeFrame('joinGroup', 5, (await client.receive())!, id), { errorCode: 16, memberId: 'member' })
  client.end()
  await closing
})

t.test('who waits holds nothing of the frame it came in', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const context = fakeContext()
  const rebalance = deferred()
  context.broker.groups.joinAnswer = async () => {
    await rebalance.promise
    return joined
  }
  const begin = () => {
    const chunk = requestFrame('joinGroup', 9, 1, sampleRequests.joinGroup).slice(4)
    const reader = new WireReader([chunk])
    const { apiKey, version, correlationId } = decodeRequestFront(reader)
    reader.flexible = true
    decodeRequestHeaderRest(reader)
    const respond = endpointOf(apiKey, version).accept({ context, version, correlationId, reader, chunks: [chunk] })
    const response = Promise.resolve(respond).then((begun) => begun())
    return { response, frame: new WeakRef(chunk.buffer) }
  }
  const { response, frame } = begin()
  await until(() => context.broker.groups.asked.length === 1)
  // What a WeakRef has been asked for stays until the turn ends.
  await new Promise((resolve) => setTimeout(resolve, 10))
  collect()
  t.equal(frame.deref(), undefined)
  rebalance.resolve()
  t.ok(await response)
})
