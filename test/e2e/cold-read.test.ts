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

t.test('a topic is read from a cold store with one read of each byte, by one consumer or by a group', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-cold-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const s3 = await startCountedS3()
  t.teardown(() => s3.stop())
  const stores = s3Stores(s3.url, `sqlite://${join(directory, 'catalog.db')}`)
  // The members of a group are to begin together. The read cache is a quarter of the data: what is read again later has to be
  // loaded again.
  const args = [...stores.args, '--flush-bytes', '4MiB', '--group-initial-rebalance-delay', '1s']
  const agentOptions = { ...stores, args }

  const writer = await startAgentProcess(agentOptions)
  t.teardown(() => writer.stop())
  await createTopic(kafkajsClient([writer.address]), 'cold', PARTITION_COUNT)
  await kcatProduce('cold', ['-p', '-1', '-X', 'batch.num.messages=100'], { brokers: writer.address, input: lines() })
  const storedBytes = await metricOf(writer, 'headrace_segment_bytes_total')
  await writer.stop()

  const read = async (readerArgs: readonly string[], readerCount: number) => {
    const agent = await startAgentProcess(agentOptions)
    const getsBefore = s3.proxy.countOf('GET')
    try {
      const args = ['-e', '-q', '-f', '%p %o\\n', ...readerArgs]
      const readers = Array.from({ length: readerCount }, () => runKcat(args, { brokers: agent.address }))
      const output = Buffer.concat(await Promise.all(readers)).toString('latin1')
      t.equal(output.trimEnd().split('\n').length, RECORD_COUNT)
      return {
        loadedBytes: await metricOf(agent, 'headrace_cache_miss_bytes_total'),
        gets: s3.proxy.countOf('GET') - getsBefore,
      }
    } finally {
      await agent.stop()
    }
  }

  const alone = await read(['-C', '-t', 'cold', '-o', 'beginning'], 1)
  t.comment(`alone: ${storedBytes} bytes stored, ${alone.loadedBytes} loaded with ${alone.gets} GETs`)
  t.ok(alone.loadedBytes <= 1.1 * storedBytes, `${alone.loadedBytes} bytes were loaded of ${storedBytes}`)

  const group = await read(['-X', 'auto.offset.reset=earliest', '-G', 'together', 'cold'], 2)
  t.comment(`as a group of two: ${group.loadedBytes} loaded with ${group.gets} GETs`)
  t.ok(group.loadedBytes <= 1.3 * storedBytes, `${group.loadedBytes} bytes were loaded of ${storedBytes} by a group`)
})

function* lines(): Generator<string> {
  for (let number = 0; number < RECORD_COUNT; number++) {
    yield `${randomBytes((VALUE_BYTES * 3) / 4).toString('base64')}\n`
  }
}
