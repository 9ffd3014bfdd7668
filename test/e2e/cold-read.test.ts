import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { metricOf } from '../support/agent-metrics.js'
import { startAgentProcess } from '../support/agent-process.js'
import { startCountedS3 } from '../support/counted-s3.js'
import { createTopic, kafkajsClient } from '../support/kafkajs-client.js'
import { kcatProduce, runKcat } from '../support/kcat.js'
import { s3Stores } from '../support/store-pairs.js'

const PARTITION_COUNT = 32
const RECORD_COUNT = 96 * 1024
const VALUE_BYTES = 1024

t.test('a topic is read from a cold store with one read of each byte', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-cold-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const s3 = await startCountedS3()
  t.teardown(() => s3.stop())
  const stores = s3Stores(s3.url, `sqlite://${join(directory, 'catalog.db')}`)
  // The read cache is a quarter of the data: what is read again later has to be loaded again.
  const agentOptions = { ...stores, args: [...stores.args, '--flush-bytes', '4MiB'] }

  const writer = await startAgentProcess(agentOptions)
  t.teardown(() => writer.stop())
  await createTopic(kafkajsClient([writer.address]), 'cold', PARTITION_COUNT)
  await kcatProduce('cold', ['-p', '-1', '-X', 'batch.num.messages=100'], { brokers: writer.address, input: lines() })
  const storedBytes = await metricOf(writer, 'headrace_segment_bytes_total')
  await writer.stop()

  const agent = await startAgentProcess(agentOptions)
  t.teardown(() => agent.stop())
  const getsBefore = s3.proxy.countOf('GET')
  const output = await runKcat(['-C', '-t', 'cold', '-o', 'beginning', '-e', '-q', '-f', '%p %o\n'], {
    brokers: agent.address,
  })
  t.equal(output.toString('latin1').trimEnd().split('\n').length, RECORD_COUNT)
  const loadedBytes = await metricOf(agent, 'headrace_cache_miss_bytes_total')
  const getCount = s3.proxy.countOf('GET') - getsBefore
  t.comment(`${storedBytes} bytes stored, ${loadedBytes} loaded with ${getCount} GETs`)
  t.ok(loadedBytes <= 1.1 * storedBytes, `${loadedBytes} bytes were loaded of ${storedBytes}`)
})

function* lines(): Generator<string> {
  for (let number = 0; number < RECORD_COUNT; number++) {
    yield `${randomBytes((VALUE_BYTES * 3) / 4).toString('base64')}\n`
  }
}
