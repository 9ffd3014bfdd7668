import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { metricOf } from '../support/agent-metrics.js'
import { type AgentProcess, startAgentProcess } from '../support/agent-process.js'
import { requestFrame } from '../support/kafka/raw-client.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatProduce, runKcat } from '../support/kcat.js'

const MIB = 2 ** 20
const MEMORY_BYTES = 512 * MIB
/** What an agent takes beside its budget, as docs/guarantees.md states it. */
const BESIDE_BUDGET_BYTES = 256 * MIB
const TOPIC = 'stalled'
const PARTITION_COUNT = 16
const RECORD_COUNT = 64 * 1024
const VALUE_BYTES = 768
const STALLED_COUNT = 100
/** The kernel takes the first few answers for a client that does not read. */
const FETCHES_EACH = 6

t.test('consumers that stop reading hold a bounded memory, and others are served', { timeout: 180_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-stalled-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const stores = ['--object-store', `file://${join(directory, 'objects')}`]
  stores.push('--catalog', `sqlite://${join(directory, 'catalog.db')}`)
  const agent = await startAgentProcess({
    args: [...stores, '--memory', `${MEMORY_BYTES}`],
    env: { NODE_OPTIONS: '' },
  })
  t.teardown(async () => void (await agent.stop()))
  await createTopic(kafkajsClient([agent.address]), TOPIC, PARTITION_COUNT)
  await kcatProduce(TOPIC, ['-p', '-1'], { brokers: agent.address, input: lines() })

  const sockets = Array.from({ length: STALLED_COUNT }, () => stalledConsumer(agent))
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()))
  let answerBytesMax = 0
  for (let look = 0; look < 20; look++) {
    await sleep(200)
    answerBytesMax = Math.max(answerBytesMax, await metricOf(agent, 'headrace_answer_bytes'))
  }
  const output = await runKcat(['-C', '-t', TOPIC, '-o', 'beginning', '-e', '-q', '-f', '%p\\n'], {
    brokers: agent.address,
  })
  t.equal(output.toString('latin1').trimEnd().split('\n').length, RECORD_COUNT, 'who reads gets everything')

  t.comment(`answers took ${answerBytesMax / MIB} MiB, the process ${(peakBytes(agent) ?? 0) / MIB} MiB at most`)
  t.ok(answerBytesMax > 0.03 * MEMORY_BYTES, 'they hold what there is')
  t.ok(answerBytesMax < 0.06 * MEMORY_BYTES, 'and no more')
  const peak = peakBytes(agent)
  if (peak !== undefined) t.ok(peak < MEMORY_BYTES + BESIDE_BUDGET_BYTES, 'within its memory')
})

/** Asks for everything, several times over, and takes nothing. */
function stalledConsumer({ host, port }: AgentProcess) {
  const socket = connect({ host, port })
  socket.pause()
  socket.on('error', () => {})
  const partitions = Array.from({ length: PARTITION_COUNT }, (_, partition) => {
    return { partition, fetchOffset: 0, bytesMax: 4 * MIB }
  })
  const request = { waitMaxMs: 500, bytesMin: 1, bytesMax: 50 * MIB, isolationLevel: 0, sessionId: 0, sessionEpoch: -1 }
  for (let number = 0; number < FETCHES_EACH; number++) {
    socket.write(requestFrame('fetch', 11, number, { ...request, rackId: '', topics: [{ name: TOPIC, partitions }] }))
  }
  return socket
}

function* lines(): Generator<string> {
  for (let number = 0; number < RECORD_COUNT; number++) {
    yield `${randomBytes(VALUE_BYTES / 2).toString('hex')}\n`
  }
}

function peakBytes({ pid }: AgentProcess): number | undefined {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return undefined
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8')) ?? []
  return kib === undefined ? undefined : Number(kib) * 1024
}
