import fc from 'fast-check'
import t from 'tap'
import { committedExtents } from '../../../engine/commit/committed-extents.js'
import { asCommitted } from '../../support/committed-segment.js'
import { setUpLogReader } from '../../support/log-reader-setup.js'
import { batchOf, concatenate, offsetAfter, TOPIC_ID } from '../../support/test-log.js'

const PARTITIONS = 2

const step = fc.record({
  /** Whose commit it is: this agent learns of those of others by its polls. */
  isOwn: fc.boolean(),
  batches: fc.array(fc.record({ partition: fc.nat(PARTITIONS - 1), sequence: fc.option(fc.nat(4)) }), {
    minLength: 1,
    maxLength: 4,
  }),
  isCompacted: fc.boolean(),
  delayMs: fc.constantFrom(0, 0, 1, 30, 600, 6_000),
})

/** Who waits for much stays in one fetch while several commits come. */
const bytesMins = fc.constantFrom(1, 1_000, 1e6)

t.test('a consumer that follows the log gets every batch once, whoever commits', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), bytesMins, async (steps, bytesMin) => {
      const { log, reader, watermarks, fetch } = await setUpLogReader(t, { partitionCount: PARTITIONS })
      const read: Uint8Array[][] = [[], []]
      const offsets = [0, 0]
      const consume = async () => {
        const contents = (await fetch({ offsets: [...offsets], waitMaxMs: 500, bytesMin })).map(({ chunks }) =>
          concatenate(chunks),
        )
        for (const [partition, content] of contents.entries()) {
          read[partition]?.push(content)
          offsets[partition] = offsetAfter(content, offsets[partition] ?? 0)
        }
      }
      let isDone = false
      const following = (async () => {
        while (!isDone) await consume()
      })()
      let fill = 0
      for (const { isOwn, batches, isCompacted, delayMs } of steps) {
        const written = await log.write(
          batches.map(({ partition, sequence }) => {
            const producer = sequence === null ? {} : { producerId: 1, producerEpoch: 0, baseSequence: sequence }
            return { partition, bytes: batchOf(1, { fill: ++fill, ...producer }) }
          }),
        )
        if (isOwn) {
          const extents = committedExtents(await asCommitted(log, written))
          if (reader.extents.isWanted) reader.extents.committed(extents)
          for (const { partition, endOffset } of extents) watermarks.advance(TOPIC_ID, partition, endOffset)
        }
        if (isCompacted) await log.compact(0, 0, 3)
        await log.clock.advance(delayMs)
      }
      for (let wait = 0; wait < 100 && offsets.some((offset, p) => offset < log.endOffset(p)); wait++) {
        await log.clock.advance(100)
      }
      isDone = true
      await log.clock.advance(600)
      await following
      for (const [partition, contents] of read.entries()) {
        const expected = log.bytesFrom(partition, 0)
        if (Buffer.compare(concatenate(contents), expected) !== 0) throw new Error('not the log')
      }
    }),
    { numRuns: 100 },
  )
})

t.test('who is woken by a commit of this agent does not ask the catalog for it', async (t) => {
  const { log, reader, watermarks, one } = await setUpLogReader(t)
  const waiting = one({ waitMaxMs: 500 })
  await log.clock.advance(20)
  const written = await log.write([{ partition: 0, bytes: batchOf(3) }])
  const calls = { ...log.catalog.calls }
  reader.extents.committed(committedExtents(await asCommitted(log, written)))
  watermarks.advance(TOPIC_ID, 0, 3)
  const { content, highWatermark } = await waiting
  t.same(content, log.bytesFrom(0, 0))
  t.equal(highWatermark, 3)
  t.same(log.catalog.calls, calls)
})
