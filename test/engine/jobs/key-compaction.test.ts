import fc from 'fast-check'
import t from 'tap'
import { encodeRecordBatch, iterateBatches, iterateRecords } from '../../../format/index.js'
import { fetchFrom, freshReader, jobsOf, readFrom, runJob } from '../../support/job-setup.js'
import { TestLog, TOPIC_ID } from '../../support/test-log.js'

interface Line {
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
}

const record = fc.record({
  key: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: null, freq: 9 }),
  value: fc.option(fc.nat(999).map(String), { nil: null, freq: 4 }),
})
const scenario = fc.record({
  // Rounds of segments of batches of records; compaction after each round.
  rounds: fc.array(fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  }),
  compression: fc.constantFrom('none' as const, 'gzip' as const, 'lz4' as const, 'snappy' as const),
  mergeFirst: fc.boolean(),
  logStartShare: fc.constantFrom(0, 0, 0.5),
})

const text = new TextDecoder()
const bytesOf = (value: string | null) => (value === null ? null : new TextEncoder().encode(value))

function linesOf(content: Uint8Array): Line[] {
  return [...iterateBatches(content)].flatMap(({ position, header }) =>
    Array.from(iterateRecords(content.subarray(position, position + header.bytes)), (found) => ({
      offset: found.offset,
      key: found.key === null ? null : text.decode(found.key),
      value: found.value === null ? null : text.decode(found.value),
      timestampMs: found.timestampMs,
    })),
  )
}

async function newLog(configs: Record<string, string> = {}): Promise<TestLog> {
  const log = await TestLog.create(1)
  await log.catalog.updateTopicConfigs(TOPIC_ID, () => ({ 'cleanup.policy': 'compact', ...configs }))
  return log
}

/** What has to be left: the latest of each key, what has no key, and whatever else nobody has looked at yet. */
function check(before: readonly Line[], after: readonly Line[], endOffset: number): void {
  const known = new Map(before.map((line) => [line.offset, JSON.stringify(line)]))
  const kept = new Set(after.map(({ offset }) => offset))
  for (const line of after) {
    if (known.get(line.offset) !== JSON.stringify(line)) throw new Error(`offset ${line.offset} has changed`)
  }
  if (after.some(({ offset }, index) => index > 0 && offset <= after[index - 1]!.offset)) throw new Error('disorder')
  const latest = new Map(before.map((line) => [line.key ?? `none ${line.offset}`, line.offset]))
  for (const [key, offset] of latest) if (!kept.has(offset)) throw new Error(`${key} at ${offset} is lost`)
  const superseded = after.filter(({ key, offset }) => key !== null && offset < latest.get(key)!)
  if (superseded.some(({ offset }) => offset !== endOffset - 1)) throw new Error('a superseded record is left')
}

t.test('the latest record of each key stays, with its offset; every fetch gets on', async (t) => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rounds, compression, mergeFirst, logStartShare }) => {
      const log = await newLog({ 'min.cleanable.dirty.ratio': '0' })
      const jobs = jobsOf(log, { compaction: { fanIn: 2 } })
      let before: Line[] = []
      for (const segments of rounds) {
        for (const records of segments) {
          const timestampMs = log.clock.nowMs()
          const content = records.map(({ key, value }) => ({ timestampMs, key: bytesOf(key), value: bytesOf(value) }))
          const bytes = encodeRecordBatch({ records: content, compression })
          await log.write([{ partition: 0, bytes }])
          await log.clock.advance(10)
        }
        before = linesOf(log.bytesFrom(0, 0))
        if (mergeFirst) await runJob(jobs.compaction)
        const offset = Math.floor(log.endOffset(0) * logStartShare)
        await log.catalog.advanceLogStarts([{ topicId: TOPIC_ID, partition: 0, offset }])
        await log.clock.advance(1000)
        await runJob(jobs['key-compaction'])
      }
      const [{ logStartOffset = 0 } = {}] = await log.catalog.partitionOffsets([{ topicId: TOPIC_ID, partition: 0 }])
      const reader = freshReader(t, log)
      const after = linesOf(await readFrom(reader, 0, logStartOffset))
      const readable = before.filter(({ offset }) => offset >= logStartOffset)
      // The batch that holds the log start comes whole, as from Kafka.
      check(
        readable,
        after.filter(({ offset }) => offset >= logStartOffset),
        log.endOffset(0),
      )
      for (let offset = logStartOffset; offset < log.endOffset(0); offset++) {
        const content = linesOf(await fetchFrom(reader, 0, offset))
        if (content.at(-1)?.offset !== after.at(-1)?.offset) throw new Error(`a fetch from ${offset} ends early`)
      }
      await runJob(jobs.compaction)
      await runJob(jobs['key-compaction'])
      await runJob(jobs.retention)
      if ((await log.catalog.liveSegments({ level: 100, limit: 9 })).length !== 1) throw new Error('not one segment')
    }),
    { numRuns: 80 },
  )
})

async function writeLines(log: TestLog, ...lines: readonly (readonly [key: string, value: string | null])[]) {
  for (const [key, value] of lines) {
    const records = [{ timestampMs: log.clock.nowMs(), key: bytesOf(key), value: bytesOf(value) }]
    await log.write([{ partition: 0, bytes: encodeRecordBatch({ records }) }])
    await log.clock.advance(10)
  }
}

const left = async (t: Parameters<typeof freshReader>[0], log: TestLog) =>
  linesOf(await readFrom(freshReader(t, log), 0, 0)).map(({ offset, key, value }) => `${offset} ${key}=${value}`)

t.test('a tombstone outlives what it deletes, and goes when its time is over', async (t) => {
  const log = await newLog({ 'delete.retention.ms': '60000', 'min.cleanable.dirty.ratio': '0' })
  const jobs = jobsOf(log)
  await writeLines(log, ['a', '1'], ['b', '1'], ['a', null], ['c', '1'])
  await log.clock.advance(1000)
  await runJob(jobs['key-compaction'])
  t.same(await left(t, log), ['1 b=1', '2 a=null', '3 c=1'])
  await log.clock.advance(120_000)
  await writeLines(log, ['d', '1'])
  await log.clock.advance(1000)
  await runJob(jobs['key-compaction'])
  t.same(await left(t, log), ['1 b=1', '3 c=1', '4 d=1'])
  t.match(await log.catalog.partitionOffsets([{ topicId: TOPIC_ID, partition: 0 }]), [{ highWatermark: 5 }])
})

t.test('what is young, or too little, waits', async (t) => {
  const log = await newLog({ 'min.compaction.lag.ms': '60000' })
  const jobs = jobsOf(log, { compaction: { ageMinMs: 500 } })
  await writeLines(log, ['a', '1'], ['a', '2'], ['a', '3'])
  await runJob(jobs['key-compaction'])
  t.equal((await left(t, log)).length, 3, 'the segments are young')
  await log.clock.advance(1000)
  await runJob(jobs['key-compaction'])
  t.equal((await left(t, log)).length, 3, 'the records are')
  await log.clock.advance(60_000)
  await runJob(jobs['key-compaction'])
  t.same(await left(t, log), ['2 a=3'])
  await writeLines(log, ['a', '4'], ['b', 'x'.repeat(2000)])
  await log.clock.advance(61_000)
  await runJob(jobs['key-compaction'])
  t.same((await left(t, log)).length, 2)
  await writeLines(log, ['a', '5'])
  await log.clock.advance(61_000)
  await runJob(jobs['key-compaction'])
  t.equal((await left(t, log)).length, 3, 'a few bytes beside many are not worth it')
})

t.test('topics that only delete keep every record', async (t) => {
  const log = await newLog({ 'cleanup.policy': 'delete' })
  await writeLines(log, ['a', '1'], ['a', '2'])
  await log.clock.advance(1000)
  await runJob(jobsOf(log)['key-compaction'])
  t.equal((await left(t, log)).length, 2)
})
