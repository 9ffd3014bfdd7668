import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { type ObjectStoreObservation, openObjectStore } from '../../../adapters/object-store/index.js'
import { objectStoreSuite } from '../../conformance/object-store.js'
import { keysOf, pattern } from '../../support/object-bodies.js'
import { S3_SERVER_CREDENTIALS, startS3Server } from '../../support/s3-server.js'

await t.test('file://, as it is wired in production, passes the conformance suite', (t) =>
  objectStoreSuite(t, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'headrace-open-store-'))
    const store = openObjectStore(pathToFileURL(directory).href)
    t.equal(store.location, pathToFileURL(directory).href)
    const close = async () => {
      await store.close()
      await rm(directory, { recursive: true })
    }
    return { store, close }
  }),
)

await t.test('s3://, as it is wired in production, passes the conformance suite', async (t) => {
  const server = await startS3Server()
  t.teardown(() => server.stop())
  let placeCount = 0
  const environment = {
    HEADRACE_S3_ACCESS_KEY_ID: S3_SERVER_CREDENTIALS.accessKeyId,
    HEADRACE_S3_SECRET_ACCESS_KEY: S3_SERVER_CREDENTIALS.secretAccessKey,
  }
  await objectStoreSuite(t, async () => {
    const url = server.url.replace('?', `/place-${++placeCount}?`)
    const store = openObjectStore(url, { environment, hedgeAfterMs: 5_000 })
    t.equal(store.location, `s3://${server.bucket}/place-${placeCount}`, 'without endpoint and credentials')
    return { store, close: () => store.close() }
  })
})

await t.test('memory:// is fresh each time, a named place is shared', async (t) => {
  await openObjectStore('memory://').put('key', pattern(1))
  t.same(await keysOf(openObjectStore('memory://').list('')), [])
  await openObjectStore('memory://shared-place').put('key', pattern(1))
  t.same(await keysOf(openObjectStore('memory://shared-place').list('')), ['key'])
})

await t.test('a sink sees the operations', async (t) => {
  const observations: ObjectStoreObservation[] = []
  const store = openObjectStore('memory://', { sink: { observed: (observation) => observations.push(observation) } })
  await store.put('key', pattern(7))
  t.match(observations, [{ operation: 'put', outcome: 'ok', bytes: 7, requestCount: 1 }])
})

await t.test('a wrong URL is told at opening', async (t) => {
  t.throws(() => openObjectStore('ftp://x'), { code: 'CONFIG_INVALID' })
})
