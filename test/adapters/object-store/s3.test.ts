import { randomUUID } from 'node:crypto'
import t from 'tap'
import { parseObjectStoreUrl, type S3Config } from '../../../adapters/object-store/config.js'
import { S3ObjectStore, type S3StoreOptions } from '../../../adapters/object-store/s3.js'
import { objectStoreSuite } from '../../conformance/object-store.js'
import { keysOf, pattern } from '../../support/object-bodies.js'
import { S3_SERVER_CREDENTIALS, type S3Server, startS3Server } from '../../support/s3-server.js'

const PART_BYTES = 5 * 2 ** 20
const server = await startS3Server()
t.teardown(() => server.stop())

function open(on: S3Server = server, options: S3StoreOptions = {}): S3ObjectStore {
  const config: S3Config = { ...(parseObjectStoreUrl(on.url) as S3Config), prefix: `test/${randomUUID()}` }
  return new S3ObjectStore(config, { credentials: S3_SERVER_CREDENTIALS, partBytes: PART_BYTES, ...options })
}

await t.test('S3 over HTTP passes the conformance suite', (t) =>
  objectStoreSuite(t, async () => {
    const store = open()
    return { store, bigBytes: 2 * PART_BYTES, close: () => store.close() }
  }),
)

const foreign = process.env['HEADRACE_TEST_S3']
await t.test('the server named by HEADRACE_TEST_S3 passes', { skip: foreign ? false : 'none is named' }, (t) =>
  objectStoreSuite(t, async () => {
    const config = parseObjectStoreUrl(foreign ?? '') as S3Config
    const place: S3Config = { ...config, prefix: `${config.prefix}/headrace-test-${randomUUID()}`.replace(/^\//, '') }
    const close = async () => {
      const cleaner = new S3ObjectStore(place)
      await cleaner.delete(await keysOf(cleaner.list('')))
      await cleaner.close()
    }
    return { store: new S3ObjectStore(place), close }
  }),
)

await t.test('a body up to the part size is one request, a larger one its parts and two more', async (t) => {
  const store = open()
  t.same(await store.put('one', pattern(PART_BYTES)), { bytes: PART_BYTES, requestCount: 1 })
  t.same(await store.put('more', pattern(PART_BYTES + 1)), { bytes: PART_BYTES + 1, requestCount: 4 })
  async function* twice(bytes: number) {
    yield pattern(bytes)
    yield pattern(bytes)
  }
  t.match(await store.putStream('stream-one', twice(PART_BYTES / 2)), { requestCount: 1 })
  t.match(await store.putStream('stream-more', twice(PART_BYTES)), { bytes: 2 * PART_BYTES, requestCount: 4 })
  await store.close()
})

await t.test('lists and deletes beyond one page', async (t) => {
  const store = open()
  const keys = Array.from({ length: 1005 }, (_, index) => `page/${10_000 + index}`)
  for (let first = 0; first < keys.length; first += 50) {
    await Promise.all(keys.slice(first, first + 50).map((key) => store.put(key, pattern(1))))
  }
  t.same(await keysOf(store.list('page/')), keys)
  t.same(await keysOf(store.list('page/', { startAfter: keys[2] as string })), keys.slice(3))
  t.ok((await store.delete(keys)).every((result) => result.deleted))
  t.same(await keysOf(store.list('')), [])
  await store.close()
})

await t.test('finds the tail on a server that misreads suffix ranges', async (t) => {
  const plain = await startS3Server({ plain: true })
  t.teardown(() => plain.stop())
  const store = open(plain)
  const body = pattern(1000)
  await store.put('tail', body)
  for (const bytes of [1, 10, 1000, 5000]) {
    t.same(await store.getTail('tail', bytes), { objectBytes: 1000, tail: body.subarray(Math.max(0, 1000 - bytes)) })
  }
  await store.close()
})
