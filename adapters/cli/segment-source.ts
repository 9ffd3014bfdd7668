import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { HeadraceError } from '../../engine/errors.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import type { SegmentSource } from '../../format/index.js'

/** A segment to read, wherever it is. The opener closes it. */
export interface OpenedSource extends SegmentSource {
  close(): Promise<void>
}

export type OpenStore = (url: string) => ObjectStore | Promise<ObjectStore>

/**
 * Opens a segment by path, `file:` URL, or the URL of an object in a store: that of the store with the object's key as
 * the end of its path, parameters as ever: `s3://bucket/prefix/key?region=...`.
 * @throws HeadraceError OBJECT_NOT_FOUND, CONFIG_INVALID, and what the store says
 */
export async function openSegmentSource(place: string, openStore: OpenStore): Promise<OpenedSource> {
  if (place.startsWith('file:')) return openFile(fileURLToPath(place))
  if (!/^[a-z0-9]+:\/\//.test(place)) return openFile(place)
  const { storeUrl, key } = splitObjectUrl(place)
  return openObject(await openStore(storeUrl), key)
}

/** The store takes all but the last component of the path as its prefix, so no store needs to be told of objects. */
export function splitObjectUrl(place: string): { readonly storeUrl: string; readonly key: string } {
  const [path = '', parameters] = place.split('?', 2)
  const slash = path.lastIndexOf('/')
  const key = decodeURIComponent(path.slice(slash + 1))
  if (key === '' || path[slash - 1] === '/') {
    const text = `${place} names no object; write the object's key after the store: s3://bucket/prefix/key`
    throw new HeadraceError('CONFIG_INVALID', 'never', text)
  }
  return { storeUrl: path.slice(0, slash) + (parameters === undefined ? '' : `?${parameters}`), key }
}

async function openObject(store: ObjectStore, key: string): Promise<OpenedSource> {
  try {
    const { bytes } = await store.head(key)
    return {
      objectBytes: bytes,
      readRange: (position, length) => store.getRange(key, position, length),
      close: () => store.close(),
    }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openFile(path: string): Promise<OpenedSource> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw new HeadraceError('OBJECT_NOT_FOUND', 'never', `there is no file ${path}`, { cause })
  })
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new HeadraceError('OBJECT_NOT_FOUND', 'never', `${path} is no file`)
    return {
      objectBytes: stat.size,
      async readRange(position, length) {
        const bytes = new Uint8Array(length)
        let filled = 0
        while (filled < length) {
          const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled)
          if (bytesRead === 0) {
            throw new HeadraceError('OBJECT_RANGE_INVALID', 'never', `${path} became shorter while it was read`)
          }
          filled += bytesRead
        }
        return bytes
      },
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}
