import { HeadraceError } from '../../engine/errors.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
import { FileObjectStore } from './file.js'
import { MemoryObjectStore, type MemoryObjects } from './memory.js'

export { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
export { FileObjectStore } from './file.js'
export { MemoryObjectStore } from './memory.js'

/**
 * Opens the store a URL names: `file:///directory`, `memory://`, `s3://bucket/prefix?region=&endpoint=&path-style=`.
 * Opening does no I/O; a place that cannot be reached shows at the first request.
 *
 * @throws HeadraceError CONFIG_INVALID
 */
export function openObjectStore(url: string): ObjectStore {
  return openAdapter(parseObjectStoreUrl(url))
}

const namedPlaces = new Map<string, MemoryObjects>()

function openAdapter(config: ObjectStoreConfig): ObjectStore {
  switch (config.kind) {
    case 'file':
      return new FileObjectStore(config.directory)
    case 'memory':
      return openMemory(config.name)
    case 's3':
      throw new HeadraceError('CONFIG_INVALID', 'never', 's3')
  }
}

function openMemory(name: string): ObjectStore {
  if (name === '') return new MemoryObjectStore()
  const objects: MemoryObjects = namedPlaces.get(name) ?? new Map()
  namedPlaces.set(name, objects)
  return new MemoryObjectStore({ location: `memory://${name}`, objects })
}
