import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HeadraceError } from '../../engine/errors.js'
import type {
  DeleteResult,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  ObjectTail,
  PutOptions,
  PutResult,
  RequestOptions,
} from '../../engine/ports/object-store.js'
import { checkRange, checkTailBytes, objectExists, throwIfAborted } from './errors.js'
import { errnoOf, fileError } from './file-errors.js'
import { listFiles } from './file-list.js'
import { DirectorySync } from './file-sync.js'
import { checkKey } from './keys.js'
import { abortable } from './streams.js'

/** Holds unfinished bodies. Keys cannot reach it: no key component starts with a dot. */
const TEMPORARY_DIRECTORY = '.tmp'
/** An unfinished body nobody has written to for so long belongs to a process that died. */
const TEMPORARY_AGE_MAX_MS = 3_600_000
const LINK_UNSUPPORTED = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

export interface FileStoreOptions {
  readonly nowMs?: () => number
  /** Makes the bytes of a file durable, and its size: the only metadata an object needs to be read back. Default: `fdatasync`. */
  readonly datasync?: (file: FileHandle) => Promise<void>
}

/**
 * Objects as files below one directory; a key's slashes are folders. A body is written under a temporary name, then
 * linked to its key: the link is atomic and refuses an existing name, so nobody sees a part and exactly one of two
 * writers wins, also between processes. File and directory are synced before a put resolves. Only a power failure before that may
 * leave a file that is not whole, under a key that nobody was told of.
 *
 * Emptied folders stay: removing them would race with a put that has just found them.
 */
export class FileObjectStore implements ObjectStore {
  readonly location: string
  readonly #root: string
  readonly #temporary: string
  readonly #nowMs: () => number
  readonly #datasync: (file: FileHandle) => Promise<void>
  readonly #directories = new DirectorySync()
  #cleaned: Promise<void> | undefined
  #linkSupported = true

  constructor(directory: string, options: FileStoreOptions = {}) {
    this.#root = resolve(directory)
    this.#temporary = join(this.#root, TEMPORARY_DIRECTORY)
    this.#nowMs = options.nowMs ?? Date.now
    this.#datasync = options.datasync ?? ((file) => file.datasync())
    this.location = pathToFileURL(this.#root).href
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#create(key, options, async (file) => {
      await writeAll(file, body, 0)
      return body.byteLength
    })
  }

  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    return this.#create(key, options, async (file) => {
      let bytes = 0
      for await (const chunk of abortable(body, options?.signal)) {
        await writeAll(file, chunk, bytes)
        bytes += chunk.byteLength
      }
      return bytes
    })
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#read(key, options, async (file) => {
      // The size is known before anything is allocated: the range may come from a damaged index.
      checkRange(key, position, bytes, (await file.stat()).size)
      return readAll(file, key, position, bytes)
    })
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    return this.#read(key, options, async (file) => {
      checkTailBytes(key, bytes)
      const objectBytes = (await file.stat()).size
      const tailBytes = Math.min(bytes, objectBytes)
      return { objectBytes, tail: await readAll(file, key, objectBytes - tailBytes, tailBytes) }
    })
  }

  async head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    checkKey(key)
    throwIfAborted(options)
    try {
      const info = await stat(this.#path(key))
      if (!info.isFile()) throw Object.assign(new Error(`${key} is a folder`), { code: 'EISDIR', syscall: 'stat' })
      return { key, bytes: info.size, lastModifiedMs: info.mtimeMs }
    } catch (error) {
      throw fileError(this.location, key, error)
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    try {
      for await (const info of listFiles(this.#root, prefix, options.startAfter)) {
        throwIfAborted(options)
        yield info
      }
    } catch (error) {
      throw fileError(this.location, prefix, error)
    }
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    throwIfAborted(options)
    const touched = new Set<string>()
    const results: DeleteResult[] = []
    for (const key of keys) results.push(await this.#deleteOne(key, touched))
    // A deletion undone by a crash is only an orphan, which the sweep finds; still, `deleted` should mean it.
    await Promise.all([...touched].map((directory) => this.#directories.sync(directory).catch(() => {})))
    return results
  }

  async close(): Promise<void> {
    await this.#cleaned
    await this.#directories.close()
  }

  async #create(key: string, options: PutOptions | undefined, write: (file: FileHandle) => Promise<number>) {
    checkKey(key)
    throwIfAborted(options)
    const path = this.#path(key)
    const temporaryPath = join(this.#temporary, `${process.pid}-${randomUUID()}`)
    let file: FileHandle | undefined
    try {
      await this.#prepare(path)
      file = await open(temporaryPath, 'wx')
      const bytes = await write(file)
      throwIfAborted(options)
      await this.#linkOrRename(temporaryPath, path, key)
      await Promise.all([this.#sync(file, path, key), unlink(temporaryPath).catch(() => {})])
      return { bytes, requestCount: 1 }
    } catch (error) {
      await unlink(temporaryPath).catch(() => {})
      throw this.#creationError(key, error)
    } finally {
      await file?.close()
    }
  }

  async #prepare(path: string): Promise<void> {
    await this.#directories.ensure(this.#temporary, this.#root)
    await this.#directories.ensure(dirname(path), this.#root)
    this.#cleaned ??= this.#cleanTemporary().catch(() => {})
  }

  /**
   * Bytes and name together, which is one commit of the file system's journal instead of two in a row. Should it fail, the name goes
   * again: the repeated put would find it, and take for durable what may be lost.
   */
  async #sync(file: FileHandle, path: string, key: string): Promise<void> {
    const syncs = await Promise.allSettled([this.#datasync(file), this.#directories.sync(dirname(path))])
    const failed = syncs.find((sync) => sync.status === 'rejected')
    if (failed === undefined) return
    const isGone = await unlink(path).then(
      () => true,
      (error) => errnoOf(error) === 'ENOENT',
    )
    throw isGone ? failed.reason : fileError(this.location, key, failed.reason, 'never')
  }

  async #linkOrRename(temporaryPath: string, path: string, key: string): Promise<void> {
    if (this.#linkSupported) {
      try {
        return await link(temporaryPath, path)
      } catch (error) {
        if (!LINK_UNSUPPORTED.has(errnoOf(error) ?? '')) throw error
        this.#linkSupported = false
      }
    }
    // A file system without hard links: the best left is a check, with a gap in which two writers of one key could meet.
    if (await stat(path).then(Boolean, () => false)) throw objectExists(this.location, key)
    await rename(temporaryPath, path)
  }

  #creationError(key: string, error: unknown): unknown {
    const code = errnoOf(error)
    // A folder disappeared under us: forget it, and a second attempt creates it again.
    if (code === 'ENOENT') {
      void this.#directories.forget(dirname(this.#path(key)))
      void this.#directories.forget(this.#temporary)
      const text = `a folder of ${key} in ${this.location} was removed by somebody else`
      return new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'safe', text, { cause: error })
    }
    if (code === 'ENOTDIR' || (code === 'EEXIST' && (error as NodeJS.ErrnoException).syscall === 'mkdir')) {
      const text = `object key ${key} is refused by ${this.location}: a part of its path is an object`
      return new HeadraceError('OBJECT_STORE_DENIED', 'never', text, { cause: error })
    }
    return fileError(this.location, key, error)
  }

  async #read<T>(key: string, options: RequestOptions | undefined, use: (file: FileHandle) => Promise<T>): Promise<T> {
    checkKey(key)
    throwIfAborted(options)
    let file: FileHandle | undefined
    try {
      file = await open(this.#path(key), 'r')
      return await use(file)
    } catch (error) {
      throw fileError(this.location, key, error)
    } finally {
      await file?.close()
    }
  }

  async #deleteOne(key: string, touched: Set<string>): Promise<DeleteResult> {
    try {
      checkKey(key)
      const path = this.#path(key)
      await unlink(path)
      touched.add(dirname(path))
      return { key, deleted: true }
    } catch (error) {
      const code = errnoOf(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return { key, deleted: true }
      return { key, deleted: false, error: fileError(this.location, key, error) as Error }
    }
  }

  async #cleanTemporary(): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      const info = await stat(path).catch(() => undefined)
      if (info && info.mtimeMs < this.#nowMs() - TEMPORARY_AGE_MAX_MS) await unlink(path).catch(() => {})
    }
  }

  #path(key: string): string {
    return join(this.#root, sep === '/' ? key : key.replaceAll('/', sep))
  }
}

async function writeAll(file: FileHandle, body: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < body.byteLength; ) {
    const { bytesWritten } = await file.write(body, written, body.byteLength - written, position + written)
    written += bytesWritten
  }
}

async function readAll(file: FileHandle, key: string, position: number, bytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(bytes)
  for (let read = 0; read < bytes; ) {
    const { bytesRead } = await file.read(into, read, bytes - read, position + read)
    if (bytesRead === 0) checkRange(key, position, bytes, position + read)
    read += bytesRead
  }
  return into
}
