import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { S3ObjectStore, type S3StoreOptions } from '../../../adapters/object-store/s3.js'
import { chunks, keysOf, pattern, rejects } from '../../support/object-bodies.js'
import { S3_SERVER_CREDENTIALS } from '../../support/s3-server.js'

interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

type Answer = (request: SeenRequest, response: ServerResponse) => void

const PART_BYTES = 5 * 2 ** 20

/** A store against a server that answers as the test says, over real connections. */
async function openAgainst(t: Test, answer: Answer, options: S3StoreOptions = {}) {
  const seen: SeenRequest[] = []
  const server = createServer(async (message, response) => {
    const parts: Buffer[] = []
    try {
      for await (const chunk of message) parts.push(chunk)
    } catch {
      return
    }
    const { method = '', url = '', headers } = message
    const request = { method, url, headers, body: Buffer.concat(parts) }
    seen.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = new S3ObjectStore(
    { kind: 's3', bucket: 'bucket', prefix: 'p', endpoint, pathStyle: true },
    { credentials: S3_SERVER_CREDENTIALS, partBytes: PART_BYTES, ...options },
  )
  t.teardown(async () => {
    await store.close()
    server.closeAllConnections()
    server.close()
  })
  return { store, seen }
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`)
}

function xml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/xml', etag: '"tag"' }).end(`<?xml version="1.0"?>${body}`)
}

const ANSWERS: [status: number, code: string, put: object, get: object][] = [
  [503, 'SlowDown', ['OBJECT_STORE_THROTTLED', 'safe'], ['OBJECT_STORE_THROTTLED', 'safe']],
  [503, 'ServiceUnavailable', ['OBJECT_STORE_THROTTLED', 'unknown'], ['OBJECT_STORE_THROTTLED', 'safe']],
  [429, 'TooManyRequests', ['OBJECT_STORE_THROTTLED', 'safe'], ['OBJECT_STORE_THROTTLED', 'safe']],
  [500, 'InternalError', ['OBJECT_STORE_UNAVAILABLE', 'unknown'], ['OBJECT_STORE_UNAVAILABLE', 'safe']],
  [504, 'GatewayTimeout', ['OBJECT_STORE_TIMEOUT', 'unknown'], ['OBJECT_STORE_TIMEOUT', 'safe']],
  [400, 'RequestTimeout', ['OBJECT_STORE_TIMEOUT', 'unknown'], ['OBJECT_STORE_TIMEOUT', 'safe']],
  [400, 'BadDigest', ['OBJECT_STORE_UNAVAILABLE', 'safe'], ['OBJECT_STORE_UNAVAILABLE', 'safe']],
  [409, 'ConditionalRequestConflict', ['OBJECT_STORE_UNAVAILABLE', 'safe'], ['OBJECT_STORE_UNAVAILABLE', 'safe']],
  [403, 'AccessDenied', ['OBJECT_STORE_DENIED', 'never'], ['OBJECT_STORE_DENIED', 'never']],
  [403, 'SignatureDoesNotMatch', ['OBJECT_STORE_DENIED', 'never'], ['OBJECT_STORE_DENIED', 'never']],
  [404, 'NoSuchBucket', ['OBJECT_STORE_DENIED', 'never'], ['OBJECT_STORE_DENIED', 'never']],
  [404, 'NoSuchKey', ['OBJECT_NOT_FOUND', 'never'], ['OBJECT_NOT_FOUND', 'never']],
  [412, 'PreconditionFailed', ['OBJECT_EXISTS', 'never'], ['OBJECT_EXISTS', 'never']],
  [416, 'InvalidRange', ['OBJECT_RANGE_INVALID', 'never'], ['OBJECT_RANGE_INVALID', 'never']],
  [400, 'InvalidArgument', ['OBJECT_STORE_DENIED', 'never'], ['OBJECT_STORE_DENIED', 'never']],
]

await t.test('answers become errors that say what may have happened, after one attempt', async (t) => {
  for (const [status, code, put, get] of ANSWERS) {
    const { store, seen } = await openAgainst(t, (_, response) => fail(response, status, code))
    const outcomes = [await told(store.put('key', pattern(10))), await told(store.getRange('key', 0, 10))]
    t.same(outcomes, [put, get], `${status} ${code}`)
    t.equal(seen.length, 2)
  }
})

async function told(promise: Promise<unknown>): Promise<unknown> {
  const error = (await promise.catch((error: unknown) => error)) as { code?: unknown; retry?: unknown }
  return [error.code, error.retry]
}

await t.test('a put is unsigned in its body, without checksums and conditional', async (t) => {
  const { store, seen } = await openAgainst(t, (_, response) => response.end())
  await store.put('a/key', pattern(3 * 2 ** 20))
  t.match(seen[0], { method: 'PUT', url: /^\/bucket\/p\/a\/key/ })
  const headers = seen[0]?.headers ?? {}
  t.match(headers, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'if-none-match': '*' })
  for (const name of ['expect', 'x-amz-checksum-crc32', 'x-amz-sdk-checksum-algorithm']) t.notOk(headers[name], name)
  t.equal(Buffer.compare(seen[0]?.body ?? Buffer.alloc(0), pattern(3 * 2 ** 20)), 0)
})

await t.test('a store without conditional writes is asked once', async (t) => {
  const { store, seen } = await openAgainst(t, (request, response) => {
    if (request.headers['if-none-match']) fail(response, 501, 'NotImplemented')
    else response.end()
  })
  t.match(await store.put('one', pattern(1)), { requestCount: 2 })
  t.match(await store.put('two', pattern(1)), { requestCount: 1 })
  t.same(
    seen.map(({ headers }) => headers['if-none-match']),
    ['*', undefined, undefined],
  )
})

await t.test('a server that cannot be reached, resets, stalls or cuts off', async (t) => {
  const unreachable = new S3ObjectStore(
    { kind: 's3', bucket: 'bucket', prefix: '', endpoint: 'http://127.0.0.1:1', pathStyle: true },
    { credentials: S3_SERVER_CREDENTIALS },
  )
  await t.rejects(unreachable.put('key', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  await unreachable.close()

  const reset = await openAgainst(t, (_, response) => response.destroy())
  await t.rejects(reset.store.put('key', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'unknown' })
  await t.rejects(reset.store.head('key'), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })

  const stalled = await openAgainst(t, () => {}, { timeoutMs: 100 })
  await t.rejects(stalled.store.put('key', pattern(1)), { code: 'OBJECT_STORE_TIMEOUT', retry: 'unknown' })
  await t.rejects(stalled.store.head('key'), { code: 'OBJECT_STORE_TIMEOUT', retry: 'safe' })

  const half = (response: ServerResponse) => {
    response.writeHead(206, { 'content-range': 'bytes 0-99/100', 'content-length': 100 })
    response.write(pattern(50))
  }
  const cut = await openAgainst(t, (_, response) => {
    half(response)
    setTimeout(() => response.destroy(), 20)
  })
  await t.rejects(cut.store.getRange('key', 0, 100), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  const hanging = await openAgainst(t, (_, response) => half(response), { timeoutMs: 100 })
  await t.rejects(hanging.store.getRange('key', 0, 100), { code: 'OBJECT_STORE_TIMEOUT', retry: 'safe' })
})

await t.test('an abort closes the connection of a request under way', async (t) => {
  const reason = new Error('no longer wanted')
  const { store } = await openAgainst(t, () => {})
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), 30)
  await t.rejects(store.put('key', pattern(1), { signal: controller.signal }), reason)
})

await t.test('a short or strange answer to a range is never passed on', async (t) => {
  const answering = (headers: Record<string, string | number>, status: number, bytes: number) =>
    openAgainst(t, (_, response) => response.writeHead(status, headers).end(pattern(bytes)))
  const short = await answering({ 'content-range': 'bytes 90-99/100' }, 206, 10)
  await rejects(t, short.store.getRange('key', 90, 20), 'OBJECT_RANGE_INVALID')
  const other = await answering({ 'content-range': 'bytes 0-19/100' }, 206, 20)
  await rejects(t, other.store.getRange('key', 50, 20), 'OBJECT_RANGE_INVALID')
  const whole = await answering({ 'content-length': 100 }, 200, 100)
  t.same(await whole.store.getRange('key', 0, 30), pattern(30), 'the beginning of a whole object serves')
  t.same(await whole.store.getTail('key', 200), { objectBytes: 100, tail: pattern(100) })
  const nonsense = await answering({ 'content-range': 'everything' }, 206, 20)
  await rejects(t, nonsense.store.getRange('key', 0, 20), 'OBJECT_STORE_DENIED')
})

await t.test('a bulk delete tells which keys failed', async (t) => {
  const { store } = await openAgainst(t, (_, response) =>
    xml(
      response,
      '<DeleteResult><Error><Key>p/b</Key><Code>SlowDown</Code><Message>m</Message></Error>' +
        '<Error><Key>p/c</Key><Code>AccessDenied</Code><Message>m</Message></Error>' +
        '<Error><Key>p/d</Key><Code>InternalError</Code><Message>m</Message></Error></DeleteResult>',
    ),
  )
  t.match(await store.delete(['a', 'b', 'c', 'd']), [
    { key: 'a', deleted: true },
    { key: 'b', deleted: false, error: { code: 'OBJECT_STORE_THROTTLED' } },
    { key: 'c', deleted: false, error: { code: 'OBJECT_STORE_DENIED' } },
    { key: 'd', deleted: false, error: { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'unknown' } },
  ])
  const down = await openAgainst(t, (_, response) => fail(response, 503, 'SlowDown'))
  t.match(await down.store.delete(['a', 'b']), [{ deleted: false }, { deleted: false }])
})

await t.test('pages are continued with the token', async (t) => {
  const { store, seen } = await openAgainst(t, ({ url }, response) => {
    const second = url.includes('continuation-token=next')
    const key = second ? 'p/two' : 'p/one'
    const more = second ? '' : '<NextContinuationToken>next</NextContinuationToken>'
    xml(
      response,
      `<ListBucketResult><IsTruncated>${!second}</IsTruncated>${more}<Contents><Key>${key}</Key><Size>5</Size>` +
        '<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>',
    )
  })
  t.same(await keysOf(store.list('')), ['one', 'two'])
  t.equal(seen.length, 2)
})

/** Answers multipart requests; `onPart` may take over for a part. */
function multipart(onPart: (partNumber: number, response: ServerResponse, count: number) => boolean): Answer {
  let partCount = 0
  return ({ method, url }, response) => {
    const part = /partNumber=(\d+)/.exec(url)?.[1]
    if (part !== undefined) {
      if (!onPart(Number(part), response, ++partCount)) response.writeHead(200, { etag: `"${part}"` }).end()
    } else if (method === 'DELETE') response.writeHead(204).end()
    else if (url.includes('uploads')) {
      xml(response, '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>')
    } else xml(response, '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')
  }
}

await t.test('a failing part fails the put and aborts the upload', async (t) => {
  const { store, seen } = await openAgainst(
    t,
    multipart((partNumber, response) => {
      if (partNumber !== 2) return false
      fail(response, 503, 'SlowDown')
      return true
    }),
  )
  await rejects(t, store.put('big', pattern(2 * PART_BYTES + 1)), 'OBJECT_STORE_THROTTLED')
  t.match(seen.at(-1), { method: 'DELETE', url: /uploadId=id/ })
  t.notOk(
    seen.some(({ method, url }) => method === 'POST' && url.includes('uploadId')),
    'never completed',
  )
})

await t.test('a failing part ends a stream that stalls', async (t) => {
  const { store } = await openAgainst(
    t,
    multipart((_, response) => {
      fail(response, 500, 'InternalError')
      return true
    }),
  )
  async function* stalling() {
    yield pattern(PART_BYTES + 10)
    yield pattern(PART_BYTES)
    await new Promise(() => {})
  }
  await rejects(t, store.putStream('stream', stalling()), 'OBJECT_STORE_UNAVAILABLE')
})

await t.test('parts of a stream are repeated by the policy handed in, parts of a body are not', async (t) => {
  const flaky = () =>
    multipart((_, response, count) => {
      if (count > 1) return false
      fail(response, 503, 'SlowDown')
      return true
    })
  const runPart: NonNullable<S3StoreOptions['runPart']> = (_, attempt) => attempt().catch(() => attempt())
  const { store, seen } = await openAgainst(t, flaky(), { runPart })
  const body = () => chunks(pattern(PART_BYTES), pattern(PART_BYTES))
  t.match(await store.putStream('stream', body()), { bytes: 2 * PART_BYTES, requestCount: 5 })
  t.match(seen.at(-1), { method: 'POST', headers: { 'if-none-match': '*' } })
  const other = await openAgainst(t, flaky(), { runPart })
  await rejects(t, other.store.put('body', pattern(2 * PART_BYTES)), 'OBJECT_STORE_THROTTLED')
})
