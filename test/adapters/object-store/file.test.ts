import { type FileHandle, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FileObjectStore } from '../../../adapters/object-store/file.js'
import { objectStoreSuite } from '../../conformance/object-store.js'
import { keysOf, pattern, rejects } from '../../support/object-bodies.js'

async function openPlace() {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-file-store-'))
  const store = new FileObjectStore(directory)
  const close = async () => {
    await store.close()
    await rm(directory, { recursive: true })
  }
  return { directory, store, close }
}

await t.test('a directory passes the conformance suite', (t) => objectStoreSuite(t, openPlace))

await t.test('a directory that does not exist yet is created, and another store sees the object', async (t) => {
  const { directory, close } = await openPlace()
  t.teardown(close)
  const store = new FileObjectStore(join(directory, 'not/yet'))
  t.same(await keysOf(store.list('')), [])
  await store.put('a/b/c', pattern(3))
  await store.close()
  const other = new FileObjectStore(join(directory, 'not/yet'))
  t.same(await other.getRange('a/b/c', 0, 3), pattern(3))
  await rejects(t, other.put('a/b/c', pattern(3)), 'OBJECT_EXISTS')
  await other.close()
})

await t.test('a key cannot be a folder of another', async (t) => {
  const { store, close } = await openPlace()
  t.teardown(close)
  await store.put('a/b', pattern(1))
  await rejects(t, store.put('a/b/c', pattern(1)), 'OBJECT_STORE_DENIED')
  await rejects(t, store.put('a', pattern(1)), 'OBJECT_EXISTS')
  await rejects(t, store.head('a'), 'OBJECT_NOT_FOUND')
  await rejects(t, store.getTail('a', 10), 'OBJECT_NOT_FOUND')
})

await t.test('temporary files go with their put, and old ones of dead processes too', async (t) => {
  const { directory, store, close } = await openPlace()
  t.teardown(close)
  const temporary = join(directory, '.tmp')
  await mkdir(temporary, { recursive: true })
  await writeFile(join(temporary, 'old'), 'x')
  await writeFile(join(temporary, 'young'), 'x')
  const twoHoursAgo = new Date(Date.now() - 7_200_000)
  await utimes(join(temporary, 'old'), twoHoursAgo, twoHoursAgo)
  await store.put('one', pattern(10))
  await rejects(t, store.put('one', pattern(10)), 'OBJECT_EXISTS')
  await store.close()
  t.same(await readdir(temporary), ['young'])
})

await t.test('many puts at once all arrive', async (t) => {
  const { store, close } = await openPlace()
  t.teardown(close)
  const keys = Array.from({ length: 200 }, (_, index) => `many/${index % 4}/${1000 + index}`)
  await Promise.all(keys.map((key) => store.put(key, pattern(100))))
  t.same(await keysOf(store.list('many/')), [...keys].sort())
})

await t.test('an object whose bytes or name may be lost is not left for the next attempt to find', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-file-store-'))
  t.teardown(() => rm(directory, { recursive: true }))
  let isBroken = true
  const datasync = async (file: FileHandle) => {
    if (isBroken) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' })
    await file.datasync()
  }
  const store = new FileObjectStore(directory, { datasync })
  t.teardown(() => store.close())
  await t.rejects(store.put('a', pattern(10)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  t.same(await keysOf(store.list('')), [])
  t.same(await readdir(join(directory, '.tmp')), [])
  isBroken = false
  await store.put('a', pattern(20))
  t.same(await store.getRange('a', 0, 20), pattern(20))
})

await t.test('a folder removed by somebody else is retriable and comes back', async (t) => {
  const { directory, store, close } = await openPlace()
  t.teardown(close)
  await store.put('gone/one', pattern(1))
  await rm(join(directory, 'gone'), { recursive: true })
  await t.rejects(store.put('gone/two', pattern(1)), { code: 'OBJECT_STORE_UNAVAILABLE', retry: 'safe' })
  await store.put('gone/two', pattern(1))
  t.equal((await store.head('gone/two')).bytes, 1)
})
