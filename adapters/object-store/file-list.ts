import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectInfo } from '../../engine/ports/object-store.js'
import { errnoOf } from './file-errors.js'
import { compareKeys } from './keys.js'

const STATS_AT_ONCE = 32

interface Entry {
  /** The key, or for a folder the prefix of all its keys, slash included: that makes entry order key order. */
  readonly key: string
  readonly isFolder: boolean
}

/** Walks the files below `root` in the order of their keys, one folder in memory at a time and only folders that matter. */
export async function* listFiles(root: string, prefix: string, startAfter?: string): AsyncGenerator<ObjectInfo> {
  yield* walk(root, '', prefix, startAfter)
}

async function* walk(
  root: string,
  folder: string,
  prefix: string,
  startAfter: string | undefined,
): AsyncGenerator<ObjectInfo> {
  const entries = (await readFolder(join(root, folder)))
    .filter((entry) => !entry.name.startsWith('.') && (entry.isDirectory() || entry.isFile()))
    .map((entry) => entryOf(folder, entry))
    .filter((entry) => matters(entry, prefix, startAfter))
    .sort((left, right) => compareKeys(left.key, right.key))

  for (let first = 0; first < entries.length; ) {
    const entry = entries[first] as Entry
    if (entry.isFolder) {
      yield* walk(root, entry.key, prefix, startAfter)
      first++
      continue
    }
    let end = first
    while (end < entries.length && end - first < STATS_AT_ONCE && !entries[end]?.isFolder) end++
    const infos = await Promise.all(entries.slice(first, end).map(({ key }) => infoOf(root, key)))
    for (const info of infos) if (info) yield info
    first = end
  }
}

function entryOf(folder: string, entry: Dirent): Entry {
  const isFolder = entry.isDirectory()
  return { key: isFolder ? `${folder}${entry.name}/` : `${folder}${entry.name}`, isFolder }
}

function matters({ key, isFolder }: Entry, prefix: string, startAfter: string | undefined): boolean {
  if (!isFolder) return key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0)
  if (!key.startsWith(prefix) && !prefix.startsWith(key)) return false
  return startAfter === undefined || startAfter.startsWith(key) || compareKeys(key, startAfter) > 0
}

/** A folder or file that went away while we walked was deleted meanwhile: it is simply not listed. */
async function readFolder(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

async function infoOf(root: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    const info = await stat(join(root, key))
    return { key, bytes: info.size, lastModifiedMs: info.mtimeMs }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
