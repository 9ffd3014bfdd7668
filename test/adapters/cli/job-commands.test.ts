import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { createProgram } from '../../../adapters/cli/program.js'
import { openObjectStore } from '../../../adapters/object-store/index.js'
import { newSegmentId, segmentObjectKey } from '../../../engine/segment-identity.js'
import { encodeSegment } from '../../../format/index.js'
import { createTestTopic, LIMITS } from '../../support/commit-segments.js'
import { batchOf } from '../../support/test-log.js'
import { SeededRandom } from '../../support/virtual-clock.js'

/** A cluster's stores with some segments in them, and the command line on them. */
async function setUp(t: Test, segmentCount: number) {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-cli-'))
  const places = { objectStore: `file://${join(directory, 'objects')}`, catalog: `sqlite://${join(directory, 'c.db')}` }
  const catalog = openCatalog(places.catalog)
  const store = openObjectStore(places.objectStore)
  t.teardown(async () => {
    await Promise.all([catalog.close(), store.close()])
    await rm(directory, { recursive: true, force: true })
  })
  await catalog.migrate()
  const { topicId } = await createTestTopic(catalog, 'orders', 2)
  const random = new SeededRandom(Date.now())
  for (let number = 0; number < segmentCount; number++) {
    const segmentId = newSegmentId(Date.now() - 5000 + number, random)
    const objectKey = segmentObjectKey(segmentId)
    const content = [0, 1].map((partition) => ({ topicId, partition, bytes: batchOf(3, { fill: number }) }))
    const { bytes, index } = encodeSegment({ segmentId, level: 0, createdAtMs: 0 }, content)
    await store.put(objectKey, bytes)
    const blocks = index.blocks.map(({ batches, ...block }) => {
      return { ...block, batches: batches.map((batch) => ({ ...batch, offsetCount: batch.lastOffsetDelta + 1 })) }
    })
    await catalog.commit([{ segmentId, objectKey, objectBytes: bytes.byteLength, blocks }], LIMITS)
  }
  const run = async (...args: string[]): Promise<string> => {
    let text = ''
    const program = createProgram({
      env: {},
      startAgent: async () => {
        throw new Error('no agent here')
      },
      openCatalog: async (url) => openCatalog(url),
      write: (chunk) => {
        text += chunk
      },
    })
    const stores = ['--catalog', places.catalog]
    if (args[0] !== 'segments') stores.push('--object-store', places.objectStore)
    await program.parseAsync([...args, ...stores], { from: 'user' })
    return text
  }
  return { directory, catalog, store, run, random, topicId }
}

t.test('segments, compact and verify', async (t) => {
  const { run, catalog, directory } = await setUp(t, 9)
  t.match(await run('segments'), /^STATE +LEVEL +SEGMENTS +BYTES +DEAD BYTES +DEAD FOR\nlive +0 +9 /)
  t.equal((await run('segments', '--list')).trim().split('\n').length, 10)
  t.match(await run('verify'), /^9 segments of \d+ bytes, 18 extents, 2 partitions: all is whole\n$/)
  t.equal(await run('compact', '--once'), 'Nothing is worth merging now.\n', 'too young, and too few')
  const flags = ['--compaction-fan-in', '4', '--compaction-delay', '0ms']
  t.match(await run('compact', '--once', ...flags), /^2 compactions read \d+ bytes and wrote \d+\.\n$/)
  const totals = (await run('segments', '--json'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(totals, [
    { state: 'live', level: 0, segmentCount: 1 },
    { state: 'live', level: 1, segmentCount: 2 },
    { state: 'dead', level: 0, segmentCount: 8 },
  ])
  t.match(await run('verify'), /^3 segments of \d+ bytes, 6 extents, 2 partitions: all is whole\n$/)

  const [segment] = await catalog.liveSegments({ level: 1, limit: 1 })
  const file = join(directory, 'objects', segment!.objectKey)
  await writeFile(file, new Uint8Array(segment!.objectBytes))
  await t.rejects(run('verify'), /faults in 3 segments/)
  await rm(file)
  await t.rejects(run('verify'), { code: 'BATCH_CORRUPT', message: /^1 faults/ })
})

t.test('sweep shows first, and deletes when told so', async (t) => {
  const { run, store, random, directory } = await setUp(t, 1)
  const old = segmentObjectKey(newSegmentId(Date.now() - 3_600_000, random))
  const young = segmentObjectKey(newSegmentId(Date.now() - 600_000, random))
  for (const key of [old, young, `segments/${randomUUID()}.txt`]) await store.put(key, new Uint8Array(10))
  const objects = async () => (await readdir(join(directory, 'objects/segments'))).length
  const shown = await run('sweep', '--dry-run')
  t.match(shown, old)
  t.match(shown, /1 orphans of 10 bytes would be deleted; 3 objects listed, 2 of them too young to judge\n$/)
  t.equal(await objects(), 4)
  t.match(await run('sweep'), /1 orphans of 10 bytes found, 1 deleted/)
  t.equal(await objects(), 3)
  t.match(await run('sweep', '--commit-age-max', '1m'), young)
  t.match(await run('sweep', '--dry-run'), /^0 orphans/)
})
