import type { Clock, Random } from '../../engine/ports/clock.js'
import type { ObjectStore } from '../../engine/ports/object-store.js'
import { systemClock, systemRandom } from '../system-clock.js'
import { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
import { MeteredObjectStore, type ObjectStoreSink } from './decorators/metrics.js'
import { PacedObjectStore } from './decorators/pace.js'
import { RETRY_POLICY_DEFAULT, Retries, type RetryPolicy } from './decorators/retries.js'
import { RetryingObjectStore } from './decorators/retry.js'
import { FileObjectStore } from './file.js'
import { MemoryObjectStore, type MemoryObjects } from './memory.js'
import { S3ObjectStore, type S3StoreOptions } from './s3.js'
import { credentialsFromEnvironment } from './s3-client.js'

export { type ObjectStoreConfig, parseObjectStoreUrl } from './config.js'
export { MeteredUploader } from './decorators/metered-uploader.js'
export type { ObjectStoreObservation, ObjectStoreSink } from './decorators/metrics.js'
export type { RetryPolicy } from './decorators/retries.js'
export { FileObjectStore } from './file.js'
export { MemoryObjectStore } from './memory.js'
export { S3ObjectStore } from './s3.js'

export interface OpenObjectStoreOptions {
  readonly clock?: Clock
  readonly random?: Random
  readonly retry?: Partial<RetryPolicy>
  /** Start a second PUT of the same key when the first is not done after so long. Default: never. */
  readonly hedgeAfterMs?: number
  /** Sees every attempt. */
  readonly sink?: ObjectStoreSink
  readonly s3?: Omit<S3StoreOptions, 'runPart'>
  /** Where credentials are looked for; default `process.env`. */
  readonly environment?: Environment
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens the store a URL names: `file:///directory`, `memory://`, `s3://bucket/prefix?region=&endpoint=&path-style=`,
 * wrapped in the one retry layer, and for S3 in the pace of puts. Opening does no I/O; a place that cannot be reached shows at the first request.
 *
 * `memory://` is a fresh place each time, `memory://name` one shared by all who open it in this thread; other threads
 * do not see it, so workers cannot write to it.
 *
 * @throws HeadraceError CONFIG_INVALID
 */
export function openObjectStore(url: string, options: OpenObjectStoreOptions = {}): ObjectStore {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const policy = { ...RETRY_POLICY_DEFAULT, ...options.retry }
  const config = parseObjectStoreUrl(url)
  const adapter = openAdapter(config, options, new Retries(policy, clock, random))
  const seen = options.sink ? new MeteredObjectStore(adapter, options.sink, clock) : adapter
  const { hedgeAfterMs } = options
  const retrying = new RetryingObjectStore(seen, {
    clock,
    random,
    policy,
    ...(hedgeAfterMs === undefined ? {} : { hedgeAfterMs }),
  })
  // Outside the retries: a put that is repeated keeps its turn, and one that waits for it has no attempt running.
  return config.kind === 's3' ? new PacedObjectStore(retrying, clock) : retrying
}

function openAdapter(config: ObjectStoreConfig, options: OpenObjectStoreOptions, retries: Retries): ObjectStore {
  switch (config.kind) {
    case 'file':
      return new FileObjectStore(config.directory)
    case 'memory':
      return openMemory(config.name)
    case 's3': {
      const credentials = credentialsFromEnvironment(options.environment ?? process.env)
      return new S3ObjectStore(config, {
        ...(credentials === undefined ? {} : { credentials }),
        ...options.s3,
        // The same policy where only the adapter holds the bytes: the parts of a long stream.
        runPart: (signal, attempt) => retries.run(signal, attempt),
      })
    }
  }
}

const namedPlaces = new Map<string, MemoryObjects>()

function openMemory(name: string): ObjectStore {
  if (name === '') return new MemoryObjectStore()
  const objects: MemoryObjects = namedPlaces.get(name) ?? new Map()
  namedPlaces.set(name, objects)
  return new MemoryObjectStore({ location: `memory://${name}`, objects })
}
