import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from '../make-directory.js'

/**
 * Makes directory entries durable. A new name lives in its directory, so publishing a file means syncing the directory
 * as well. Syncs of several puts at once are left to the file system, whose journal takes them together and lets each wait for its own
 * entry only.
 *
 * Owned by one file store. Handles of directories in use stay open, a bounded number of them.
 */
export class DirectorySync {
  readonly #directories = new Map<string, SyncedDirectory>()

  /** Creates `directory` and its missing parents up to `root`, durably; remembered, so that it is done once. */
  async ensure(directory: string, root: string): Promise<void> {
    if (this.#directories.has(directory)) return
    if (directory !== root && directory.length > root.length) await this.ensure(dirname(directory), root)
    makeDirectory(directory)
    // Also when it existed: whoever created it may not have come to its own sync.
    await this.#syncOnce(dirname(directory))
    if (!this.#directories.has(directory)) this.#remember(directory)
  }

  /** Resolves when every entry that was in `directory` before this call is durable. */
  async sync(directory: string): Promise<void> {
    const known = this.#directories.get(directory) ?? this.#remember(directory)
    await known.sync()
  }

  /** Forgets a directory that turned out to be gone. */
  async forget(directory: string): Promise<void> {
    const known = this.#directories.get(directory)
    this.#directories.delete(directory)
    await known?.close()
  }

  async close(): Promise<void> {
    const all = [...this.#directories.values()]
    this.#directories.clear()
    await Promise.all(all.map((directory) => directory.close()))
  }

  async #syncOnce(directory: string): Promise<void> {
    const parent = new SyncedDirectory(directory)
    await parent.sync().finally(() => parent.close())
  }

  #remember(directory: string): SyncedDirectory {
    const known = new SyncedDirectory(directory)
    this.#directories.set(directory, known)
    if (this.#directories.size > DIRECTORIES_MAX) {
      const [oldest] = this.#directories.keys()
      if (oldest !== undefined) void this.forget(oldest)
    }
    return known
  }
}

const DIRECTORIES_MAX = 64

class SyncedDirectory {
  #handle: Promise<FileHandle> | undefined

  constructor(private readonly path: string) {}

  /** The handle closes once its syncs have ended. */
  async close(): Promise<void> {
    const handle = await this.#handle?.catch(() => undefined)
    this.#handle = undefined
    await handle?.close()
  }

  async sync(): Promise<void> {
    // Windows has no handle on a directory to sync; NTFS journals the entry by itself.
    if (process.platform === 'win32') return
    this.#handle ??= open(this.path, 'r')
    const opening = this.#handle
    try {
      await (await opening).sync()
    } catch (error) {
      if (this.#handle === opening) this.#handle = undefined
      await opening.then((handle) => handle.close()).catch(() => {})
      throw error
    }
  }
}
