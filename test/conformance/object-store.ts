import type { Test } from 'tap'
import type { ObjectInfo, ObjectStore } from '../../engine/ports/object-store.js'
import {
  chunks,
  equalBytes,
  failingChunks,
  keysOf,
  pattern,
  rejects,
  reusingChunks,
  sameAs,
  stallingChunks,
} from '../support/object-bodies.js'

export interface OpenedStore {
  readonly store: ObjectStore
  /** The store has conditional writes: an existing key is refused. Default true. */
  readonly createOnly?: boolean
  /** The store shows an object only once it is whole. Default true; false only for servers known to be lax. */
  readonly atomic?: boolean
  /** A body above this size takes the store's multi-part way, if it has one. */
  readonly bigBytes?: number
  close(): Promise<void>
}

type OpenStore = () => Promise<OpenedStore>

const BIG_BYTES = 9 * 1024 * 1024

/** The object-store port as tests. `open` gives an empty place each time. */
export async function objectStoreSuite(t: Test, open: OpenStore): Promise<void> {
  const run = (name: string, test: (t: Test, opened: OpenedStore) => Promise<void>) =>
    t.test(name, async (t) => {
      const opened = await open()
      try {
        await test(t, opened)
      } finally {
        await opened.close()
      }
    })

  for (const tests of [writingTests, readingTests, listingTests, deletingTests, abortTests]) await tests(run)
}

type Run = (name: string, test: (t: Test, opened: OpenedStore) => Promise<void>) => Promise<unknown>

async function writingTests(run: Run): Promise<void> {
  await run('put creates an object that reads back', async (t, { store }) => {
    const body = pattern(1000)
    t.match(await store.put('segments/one', body), { bytes: 1000, requestCount: 1 })
    t.same(await store.getRange('segments/one', 0, 1000), body)
    t.equal((await store.head('segments/one')).bytes, 1000)
    t.same(body, pattern(1000), 'the store does not write to the body')
  })

  await run('an existing key is refused whatever its content', async (t, { store, createOnly = true }) => {
    if (!createOnly) return t.comment('the store has no conditional writes')
    await store.put('once', pattern(10))
    await rejects(t, store.put('once', pattern(10)), 'OBJECT_EXISTS')
    await rejects(t, store.put('once', pattern(20)), 'OBJECT_EXISTS')
    await rejects(t, store.putStream('once', chunks(pattern(20))), 'OBJECT_EXISTS')
    t.same(await store.getRange('once', 0, 10), pattern(10), 'the first content stays')
    return undefined
  })

  await run('of concurrent puts of one key exactly one wins', async (t, { store, createOnly = true }) => {
    const bodies = Array.from({ length: 8 }, (_, index) => pattern(5000, index))
    const results = await Promise.allSettled(bodies.map((body) => store.put('race/key', body)))
    const stored = await store.getRange('race/key', 0, 5000)
    const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []))
    if (createOnly) t.equal(winners.length, 1)
    t.ok(
      winners.some((index) => equalBytes(bodies[index], stored)),
      'the content is whole and that of a winner',
    )
    // S3 may also tell a loser that somebody else is just creating the key (409): surely without effect.
    const told = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    t.ok(told.every(({ code, retry }) => code === 'OBJECT_EXISTS' || retry === 'safe'))
  })

  await run('an empty object', async (t, { store }) => {
    t.match(await store.put('empty', new Uint8Array(0)), { bytes: 0 })
    t.match(await store.putStream('empty-stream', chunks()), { bytes: 0 })
    for (const key of ['empty', 'empty-stream']) {
      t.equal((await store.head(key)).bytes, 0)
      t.same(await store.getTail(key, 100), { objectBytes: 0, tail: new Uint8Array(0) })
      t.same(await store.getRange(key, 0, 0), new Uint8Array(0))
      await rejects(t, store.getRange(key, 0, 1), 'OBJECT_RANGE_INVALID')
    }
  })

  await run('a body in shared memory, not at its start', async (t, { store }) => {
    const arena = new Uint8Array(new SharedArrayBuffer(4096))
    arena.set(pattern(4096))
    await store.put('shared', arena.subarray(100, 1100))
    arena.fill(0)
    t.same(await store.getRange('shared', 0, 1000), pattern(4096).subarray(100, 1100))
  })

  await run('a big object', async (t, { store, bigBytes = BIG_BYTES }) => {
    const body = pattern(bigBytes + 12_345)
    const result = await store.put('big', body)
    t.equal(result.bytes, body.byteLength)
    await sameAs(t, store, 'big', body)
  })

  await run('putStream of any chunking, chunks reused at once', async (t, { store, bigBytes = BIG_BYTES }) => {
    for (const [key, bytes] of Object.entries({ small: 70_000, big: bigBytes + 777 })) {
      const body = pattern(bytes)
      const result = await store.putStream(key, reusingChunks(body, 65_521))
      t.equal(result.bytes, bytes)
      t.ok(result.requestCount >= 1)
      await sameAs(t, store, key, body)
    }
  })

  await run('a failing body leaves nothing', async (t, { store, bigBytes = BIG_BYTES }) => {
    const failure = new Error('the source broke')
    for (const [key, bytes] of Object.entries({ 'broken/small': 100, 'broken/big': bigBytes + 100 })) {
      await t.rejects(store.putStream(key, failingChunks(bytes, failure)), failure)
      await rejects(t, store.head(key), 'OBJECT_NOT_FOUND')
      await store.putStream(key, chunks(pattern(3)))
    }
    t.same(await keysOf(store.list('broken/')), ['broken/big', 'broken/small'])
  })

  await run('nobody sees a part of an object', async (t, { store, atomic = true, bigBytes = BIG_BYTES }) => {
    if (!atomic) return t.comment('the server shows unfinished objects')
    const body = pattern(bigBytes)
    let done = false
    const putting = store.put('whole', body).finally(() => {
      done = true
    })
    while (!done) {
      const seen = await store.head('whole').catch((error: unknown) => error)
      if ('bytes' in (seen as object)) t.equal((seen as ObjectInfo).bytes, body.byteLength)
      else t.match(seen, { code: 'OBJECT_NOT_FOUND' })
    }
    await putting
    await sameAs(t, store, 'whole', body)
    return undefined
  })

  await run('keys that no store may take are refused', async (t, { store }) => {
    const refused = [
      '',
      '/a',
      'a/',
      'a//b',
      '..',
      '../a',
      'a/../../b',
      'a/./b',
      '.tmp/x',
      'a\0b',
      'a\nb',
      'x'.repeat(256),
    ]
    for (const key of [...refused, 'ab/'.repeat(342), 'a\ud800b']) {
      await rejects(t, store.put(key, pattern(1)), 'OBJECT_STORE_DENIED')
      await rejects(t, store.putStream(key, chunks(pattern(1))), 'OBJECT_STORE_DENIED')
      await rejects(t, store.getRange(key, 0, 1), 'OBJECT_STORE_DENIED')
      await rejects(t, store.head(key), 'OBJECT_STORE_DENIED')
    }
    t.same(await keysOf(store.list('')), [])
  })
}

async function readingTests(run: Run): Promise<void> {
  await run('ranges are exact', async (t, { store }) => {
    const body = pattern(1000)
    await store.put('ranged', body)
    for (const [position, bytes] of [
      [0, 1],
      [0, 1000],
      [999, 1],
      [500, 500],
      [13, 17],
      [0, 0],
      [1000, 0],
    ] as const) {
      const range = await store.getRange('ranged', position, bytes)
      t.same(range, body.subarray(position, position + bytes), `${bytes} at ${position}`)
    }
    const beyond = [
      [0, 1001],
      [1000, 1],
      [999, 2],
      [5000, 1],
      [5000, 0],
      [0, 2 ** 50],
      [-1, 5],
      [0.5, 1],
    ] as const
    for (const [position, bytes] of beyond) {
      await rejects(t, store.getRange('ranged', position, bytes), 'OBJECT_RANGE_INVALID')
    }
  })

  await run('read bytes belong to the caller', async (t, { store }) => {
    await store.put('owned', pattern(100))
    for (const bytes of [await store.getRange('owned', 0, 100), (await store.getTail('owned', 100)).tail]) {
      t.equal(bytes.byteOffset, 0)
      t.equal(bytes.buffer.byteLength, 100, 'not a view of a pool')
      bytes.fill(0)
    }
    t.same(await store.getRange('owned', 0, 100), pattern(100))
  })

  await run('a tail comes with the size of the object', async (t, { store }) => {
    const body = pattern(1000)
    await store.put('tailed', body)
    for (const bytes of [0, 1, 999, 1000, 1001, 65_536]) {
      t.same(await store.getTail('tailed', bytes), {
        objectBytes: 1000,
        tail: body.subarray(Math.max(0, 1000 - bytes)),
      })
    }
  })

  await run('a missing object', async (t, { store }) => {
    await store.put('folder/there', pattern(1))
    for (const key of ['missing', 'folder/missing', 'nowhere/at/all', 'folder/there/below']) {
      await rejects(t, store.getRange(key, 0, 1), 'OBJECT_NOT_FOUND')
      await rejects(t, store.getRange(key, 0, 0), 'OBJECT_NOT_FOUND')
      await rejects(t, store.getTail(key, 10), 'OBJECT_NOT_FOUND')
      await rejects(t, store.getTail(key, 0), 'OBJECT_NOT_FOUND')
      await rejects(t, store.head(key), 'OBJECT_NOT_FOUND')
    }
  })

  await run('head says when the object was written', async (t, { store }) => {
    const beforeMs = Date.now()
    await store.put('dated', pattern(5))
    const info = await store.head('dated')
    t.match(info, { key: 'dated', bytes: 5 })
    t.ok(Math.abs(info.lastModifiedMs - beforeMs) < 60_000, 'S3 tells it in whole seconds, by its own clock')
  })
}

/** In byte order. The neighbours of `/` (0x2f) and of the surrogates are where naive orders go wrong. */
const AWKWARD_KEYS = [
  'a!b',
  'a&<>"b',
  'a+b c',
  'a-b',
  'a-c/z',
  'a.b',
  'a/b',
  'a/b-c',
  "a/b's (1)",
  'a/c/d',
  'a/c0',
  'a0',
  'a=b%2Fc',
  'b',
  'ba',
  'Öl/ß',
  '日本/語',
  '\uff5eab',
  '😀/key',
]

async function listingTests(run: Run): Promise<void> {
  await run('lists in byte order of the whole keys', async (t, { store }) => {
    t.same(await keysOf(store.list('')), [], 'nothing at first')
    const byBytes = [...AWKWARD_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const key of [...AWKWARD_KEYS].reverse()) await store.put(key, Buffer.from(key))
    t.same(await keysOf(store.list('')), byBytes)
    for (const prefix of ['a', 'a/', 'a/b', 'a-b', 'a/c/d', 'Ö', '😀', 'nothing', 'a/nothing/']) {
      const expected = byBytes.filter((key) => key.startsWith(prefix))
      t.same(await keysOf(store.list(prefix)), expected, `prefix ${prefix}`)
    }
    for (const startAfter of [...byBytes, 'a', 'a/', 'a/c', 'zz']) {
      const expected = byBytes.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0)
      t.same(await keysOf(store.list('', { startAfter })), expected, `after ${startAfter}`)
    }
    t.same(
      await keysOf(store.list('a/', { startAfter: 'a/b' })),
      byBytes.filter((key) => key > 'a/b' && key < 'a0'),
    )
    for (const key of byBytes) t.same(await store.getTail(key, 1000), tailOf(key), `${key} reads back`)
  })

  await run('lists sizes and ages, and finished puts at once', async (t, { store }) => {
    for (let count = 1; count <= 3; count++) {
      await store.put(`sized/${count}`, pattern(count * 100))
      const infos: ObjectInfo[] = []
      for await (const info of store.list('sized/')) infos.push(info)
      t.same(
        infos.map((info) => info.bytes),
        [100, 200, 300].slice(0, count),
      )
      t.ok(infos.every((info) => Math.abs(info.lastModifiedMs - Date.now()) < 60_000))
    }
  })

  await run('a listing may be left early', async (t, { store }) => {
    for (const key of ['x/1', 'x/2', 'x/3']) await store.put(key, pattern(1))
    for await (const info of store.list('x/')) {
      t.equal(info.key, 'x/1')
      break
    }
  })
}

async function deletingTests(run: Run): Promise<void> {
  await run('deletes, and counts the missing as deleted', async (t, { store }) => {
    await store.put('d/one', pattern(1))
    await store.put('d/two', pattern(1))
    await store.put('d/kept', pattern(1))
    t.same(await store.delete(['d/one', 'd/missing', 'nowhere/x', 'd/two']), [
      { key: 'd/one', deleted: true },
      { key: 'd/missing', deleted: true },
      { key: 'nowhere/x', deleted: true },
      { key: 'd/two', deleted: true },
    ])
    t.same(await keysOf(store.list('d/')), ['d/kept'])
    t.same(await store.delete([]), [])
    await store.put('d/one', pattern(2))
    t.equal((await store.head('d/one')).bytes, 2, 'a deleted key is free again')
  })

  await run('deletes more than one bulk request holds, in the order asked', async (t, { store }) => {
    await store.put('bulk/key 1100 & <more>', pattern(1))
    const keys = Array.from({ length: 1200 }, (_, index) => `bulk/key ${index} & <more>`)
    const results = await store.delete(keys)
    t.same(
      results.map((result) => result.key),
      keys,
    )
    t.ok(results.every((result) => result.deleted))
    t.same(await keysOf(store.list('bulk/')), [])
  })
}

async function abortTests(run: Run): Promise<void> {
  await run('an aborted signal is honoured before anything happens', async (t, { store }) => {
    await store.put('there', pattern(10))
    const reason = new Error('no longer wanted')
    const options = { signal: AbortSignal.abort(reason) }
    await t.rejects(store.put('never', pattern(10), options), reason)
    await t.rejects(store.putStream('never', chunks(pattern(10)), options), reason)
    await t.rejects(store.getRange('there', 0, 10, options), reason)
    await t.rejects(store.getTail('there', 10, options), reason)
    await t.rejects(store.head('there', options), reason)
    await t.rejects(keysOf(store.list('', options)), reason)
    t.same(await keysOf(store.list('')), ['there'])
  })

  await run('a stream that stalls can be aborted and leaves nothing', async (t, { store, bigBytes = BIG_BYTES }) => {
    for (const [key, bytes] of Object.entries({ stalled: 100, 'stalled-big': bigBytes + 100 })) {
      const controller = new AbortController()
      const reason = new Error('gave up')
      const body = stallingChunks(bytes, () => setTimeout(() => controller.abort(reason), 20))
      await t.rejects(store.putStream(key, body, { signal: controller.signal }), reason)
      await rejects(t, store.head(key), 'OBJECT_NOT_FOUND')
    }
  })

  await run('close is idempotent', async (_t, { store }) => {
    await store.close()
    await store.close()
  })
}

function tailOf(key: string) {
  const tail = Uint8Array.from(Buffer.from(key))
  return { objectBytes: tail.byteLength, tail }
}
