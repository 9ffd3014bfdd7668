import t from 'tap'
import { setUpLogReader } from '../../support/log-reader-setup.js'
import { batchOf, TOPIC_ID } from '../../support/test-log.js'
import { settle } from '../../support/virtual-clock.js'

t.test('waits for data, is woken by a local commit', async (t) => {
  const { log, one, watermarks } = await setUpLogReader(t)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(20)
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  watermarks.advance(TOPIC_ID, 0, 3)
  t.same((await waiting).content, log.bytesFrom(0, 0))
  t.equal(log.catalog.calls.partitionOffsets, 0)
})

t.test("a commit that comes between the catalog's answer and its reading is fetched at once", async (t) => {
  const { log, one, open, watermarks } = await setUpLogReader(t)
  let late = true
  const findExtents: typeof log.catalog.findExtents = async (requests) => {
    const answers = await log.catalog.findExtents(requests)
    if (!late) return answers
    late = false
    await log.write([{ partition: 0, bytes: batchOf(3) }])
    watermarks.advance(TOPIC_ID, 0, 3)
    return answers
  }
  const catalog = Object.assign(Object.create(log.catalog) as typeof log.catalog, { findExtents })
  t.same((await one({ waitMaxMs: 500 }, open({ catalog }))).content, log.bytesFrom(0, 0))
})

t.test('a catalog that stays behind what is known is asked a few times, then waited for', async (t) => {
  const { log, one, watermarks } = await setUpLogReader(t)
  watermarks.advance(TOPIC_ID, 0, 3)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(500)
  t.equal((await waiting).bytes, 0)
  t.equal(log.catalog.calls.findExtents, 3)
})

t.test('a commit of another agent is seen by the poll', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const waiting = one({ waitMaxMs: 500 })
  await settle()
  await log.write([{ partition: 0, bytes: batchOf(3) }])
  await log.clock.advance(50)
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('at the deadline it answers with nothing, without asking the catalog again', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(499)
  t.equal(log.catalog.calls.findExtents, 1)
  await log.clock.advance(1)
  t.equal((await waiting).bytes, 0)
  t.equal(log.catalog.calls.findExtents, 1)
  t.equal(log.clock.timerCount, 0)
})

t.test('waits for bytesMin, adding what comes', async (t) => {
  const { log, one, watermarks } = await setUpLogReader(t)
  const size = batchOf(1).byteLength
  const waiting = one({ waitMaxMs: 500, bytesMin: 3 * size })
  let done = false
  void waiting.then(() => {
    done = true
  })
  for (let count = 1; count <= 3; count++) {
    await log.clock.advance(10)
    t.notOk(done)
    await log.write([{ partition: 0, bytes: batchOf(1, { fill: count }) }])
    watermarks.advance(TOPIC_ID, 0, count)
  }
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('bytesMin that never comes: at the deadline it answers with what there is', async (t) => {
  const { log, one } = await setUpLogReader(t)
  await log.write([{ partition: 0, bytes: batchOf(1) }])
  const waiting = one({ waitMaxMs: 500, bytesMin: 100_000 })
  await log.clock.advance(500)
  t.same((await waiting).content, log.bytesFrom(0, 0))
})

t.test('an error on one partition ends the wait of all', async (t) => {
  const { fetch } = await setUpLogReader(t)
  const results = await fetch({ offsets: [0, 0], waitMaxMs: 10_000 })
  t.same(
    results.map((result) => result.error?.code),
    [undefined, 'PARTITION_UNKNOWN'],
  )
})

t.test('a topic deleted during the wait ends it', async (t) => {
  const { log, one } = await setUpLogReader(t)
  const waiting = one({ waitMaxMs: 10_000 })
  await settle()
  await log.catalog.deleteTopic(TOPIC_ID)
  await log.clock.advance(50)
  t.equal((await waiting).error?.code, 'PARTITION_UNKNOWN')
})

t.test('an abort ends the wait, closing ends all waits and refuses the next', async (t) => {
  const { log, reader, one } = await setUpLogReader(t)
  const leaving = new AbortController()
  const aborted = one({ waitMaxMs: 10_000, signal: leaving.signal })
  const closed = one({ waitMaxMs: 10_000 })
  await settle()
  leaving.abort()
  t.equal((await aborted).bytes, 0)
  await reader.close()
  t.equal((await closed).bytes, 0)
  t.equal(log.clock.timerCount, 0)
  await t.rejects(one({}), { code: 'AGENT_CLOSING' })
  await t.rejects(reader.listOffsets([]), { code: 'AGENT_CLOSING' })
})
