import type { ObjectStore } from '../../engine/ports/object-store.js'
import { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
import { FileObjectStore } from './file.js'
import { MemoryObjectStore, type MemoryObjects } from './memory.js'
import { S3ObjectStore, type S3StoreOptions } from './s3.js'
import { credentialsFromEnvironment } from './s3-client.js'

export { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
export { FileObjectStore } from './file.js'
export { MemoryObjectStore } from './memory.js'
export { S3ObjectStore } from './s3.js'

/**
 * Opens the store a URL names: `file:///directory`, `memory://`, `s3://bucket/prefix?region=&endpoint=&path-style=`.
 * Opening does no I/O; a place that cannot be reached shows at the first request.
 *
 * @throws HeadraceError CONFIG_INVALID
 */
export function openObjectStore(url: string, environment: Environment = process.env): ObjectStore {
  return openAdapter(parseObjectStoreUrl(url), environment)
}

type Environment = Readonly<Record<string, string | undefined>>

const namedPlaces = new Map<string, MemoryObjects>()

function openAdapter(config: ObjectStoreConfig, environment: Environment): ObjectStore {
  switch (config.kind) {
    case 'file':
      return new FileObjectStore(config.directory)
    case 'memory':
      return openMemory(config.name)
    case 's3':
      return new S3ObjectStore(config, s3Options(environment))
  }
}

function openMemory(name: string): ObjectStore {
  if (name === '') return new MemoryObjectStore()
  const objects: MemoryObjects = namedPlaces.get(name) ?? new Map()
  namedPlaces.set(name, objects)
  return new MemoryObjectStore({ location: `memory://${name}`, objects })
}

function s3Options(environment: Environment): S3StoreOptions {
  const credentials = credentialsFromEnvironment(environment)
  return credentials === undefined ? {} : { credentials }
}
