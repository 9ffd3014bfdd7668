import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { newSegmentId, SEGMENT_PREFIX } from '../engine/segment-identity.js'
import { iterateRecords } from '../format/index.js'
import { jobsOf, runJob } from './support/job-setup.js'
import { batchOf, TestLog, TOPIC_ID } from './support/test-log.js'

const example = fileURLToPath(new URL('../../docs/examples/export-partition.mjs', import.meta.url))

t.test('the example exports a partition from compacted segments', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-example-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const log = await TestLog.create(2)
  for (let number = 0; number < 20; number++) {
    await log.write([0, 1, 1].map((partition) => ({ partition, bytes: batchOf(3, { fill: number + partition }) })))
  }
  await runJob(jobsOf(log).compaction)
  // The inputs are still there beside the outputs, as in a bucket before their grace is over.
  for await (const { key, bytes } of log.objectStore.list(SEGMENT_PREFIX)) {
    await mkdir(dirname(join(directory, key)), { recursive: true })
    await writeFile(join(directory, key), await log.objectStore.getRange(key, 0, bytes))
  }
  const { stdout } = await promisify(execFile)(process.execPath, [example, directory, TOPIC_ID, '1'])
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const expected = (log.logs[1] ?? []).flatMap(({ bytes }) => [...iterateRecords(bytes)])
  t.same(
    records.map(({ offset, timestampMs, value }) => ({ offset, timestampMs, value })),
    expected.map(({ offset, timestampMs, value }) => ({
      offset,
      timestampMs,
      value: new TextDecoder().decode(value ?? undefined),
    })),
  )
  t.equal(records.length, 120)
  const other = await promisify(execFile)(process.execPath, [example, directory, newSegmentId(0, log.random), '1'])
  t.equal(other.stdout, '')
})
