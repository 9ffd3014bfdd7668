import type { Metrics } from '../ports/metrics.js'
import type { ObjectStore } from '../ports/object-store.js'
import { abortable } from './abortable.js'
import { ByteLru } from './byte-lru.js'

/** An immutable object of known size. */
export interface StoredObject {
  readonly key: string
  readonly bytes: number
}

export interface ChunkCacheOptions {
  readonly chunkBytes: number
  readonly bytesMax: number
  readonly loadBytesMax: number
  readonly loadsInFlightMax: number
}

/** Chunks [first, end) of an object, loaded with one GET. */
interface ChunkRun {
  readonly first: number
  readonly end: number
}

/**
 * Aligned chunks of objects under a byte budget. However many readers want a chunk, it is loaded once; missing
 * neighbours come with one GET; a failed load is not kept. Memory: `bytesMax`, and `loadsInFlightMax` times
 * `loadBytesMax` for what is on its way.
 */
export class ChunkCache {
  readonly #chunks: ByteLru<Uint8Array>
  readonly #loading = new Map<string, Promise<Uint8Array>>()
  readonly #queue: (() => void)[] = []
  readonly #loads = new Set<AbortController>()
  #loadsInFlight = 0
  #closed = false

  constructor(
    private readonly objectStore: ObjectStore,
    private readonly options: ChunkCacheOptions,
    private readonly metrics: Metrics,
    /** Which of the chunks present, least recently used first, goes; without it the first. */
    victimOf?: (chunkKeys: Iterable<string>) => string | undefined,
  ) {
    this.#chunks = new ByteLru(options.bytesMax, victimOf)
  }

  get bytes(): number {
    return this.#chunks.bytes
  }

  /**
   * `bytes` bytes of the object from `position`. The answer is a copy that belongs to the caller: a view would keep a
   * whole chunk alive for a few bytes, and would have to be copied before offsets are patched into it.
   * Rejects with the store's error, or with the signal's reason; then the load goes on for others.
   */
  async read(object: StoredObject, position: number, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    if (bytes < 0 || position < 0 || position + bytes > object.bytes) {
      throw new RangeError(`bytes ${position}+${bytes} are outside ${object.key} of ${object.bytes} bytes`)
    }
    const target = new Uint8Array(bytes)
    if (bytes === 0) return target
    const { chunkBytes } = this.options
    const first = Math.floor(position / chunkBytes)
    const end = Math.floor((position + bytes - 1) / chunkBytes) + 1
    for (const run of this.#missingRuns(object.key, first, end)) this.#load(object, run)

    const pending: Promise<void>[] = []
    for (let chunk = first; chunk < end; chunk++) {
      const copy = (content: Uint8Array) => copyPart(content, chunk * chunkBytes, target, position)
      const id = chunkKey(object.key, chunk)
      const loading = this.#loading.get(id)
      const present = loading === undefined ? this.#chunks.get(id) : undefined
      if (present !== undefined) this.metrics.count('cache_hit_bytes', copy(present))
      else if (loading !== undefined) pending.push(loading.then((content) => void copy(content)))
      else throw new Error(`chunk ${id} is neither present nor loading`)
    }
    if (pending.length > 0) await abortable(Promise.all(pending), signal)
    return target
  }

  /** Chunks that are present or on their way. */
  *keys(): Generator<string> {
    yield* this.#chunks.keys()
    yield* this.#loading.keys()
  }

  has(object: StoredObject, chunk: number): boolean {
    const id = chunkKey(object.key, chunk)
    return this.#chunks.has(id) || this.#loading.has(id)
  }

  /** Begins to load what is missing of the chunks [first, end), for readers that come at once. */
  load(object: StoredObject, first: number, end: number): void {
    for (const run of this.#missingRuns(object.key, first, end)) this.#load(object, run)
  }

  /** Drops what is kept of an object: its bytes proved bad, or it has gone. */
  forget(object: StoredObject): void {
    const end = Math.ceil(object.bytes / this.options.chunkBytes)
    for (let chunk = 0; chunk < end; chunk++) this.#chunks.delete(chunkKey(object.key, chunk))
  }

  /** Ends the loads under way; their readers get the error. */
  close(): void {
    this.#closed = true
    this.#chunks.clear()
    for (const load of this.#loads) load.abort()
    for (const start of this.#queue.splice(0)) start()
  }

  #missingRuns(key: string, first: number, end: number): ChunkRun[] {
    const runChunksMax = Math.max(1, Math.floor(this.options.loadBytesMax / this.options.chunkBytes))
    const runs: { first: number; end: number }[] = []
    for (let chunk = first; chunk < end; chunk++) {
      const id = chunkKey(key, chunk)
      if (this.#chunks.get(id) !== undefined || this.#loading.has(id)) continue
      const last = runs.at(-1)
      if (last !== undefined && last.end === chunk && chunk - last.first < runChunksMax) last.end = chunk + 1
      else runs.push({ first: chunk, end: chunk + 1 })
    }
    return runs
  }

  #load(object: StoredObject, run: ChunkRun): void {
    const loaded = this.#get(object, run)
    for (let chunk = run.first; chunk < run.end; chunk++) {
      const id = chunkKey(object.key, chunk)
      const content = loaded.then(
        (bytes) => {
          const part = this.#chunkOf(bytes, chunk, run)
          this.#loading.delete(id)
          if (!this.#closed) this.#chunks.put(id, part, part.byteLength)
          return part
        },
        (error) => {
          this.#loading.delete(id)
          throw error
        },
      )
      // Every reader may have gone by the time it fails.
      content.catch(() => {})
      this.#loading.set(id, content)
    }
  }

  async #get(object: StoredObject, run: ChunkRun): Promise<Uint8Array> {
    if (this.#loadsInFlight < this.options.loadsInFlightMax) this.#loadsInFlight += 1
    else await new Promise<void>((start) => this.#queue.push(start))
    // A signal of its own: stores listen to it, and one signal for all would gather listeners.
    const load = new AbortController()
    this.#loads.add(load)
    if (this.#closed) load.abort()
    try {
      const position = run.first * this.options.chunkBytes
      const bytes = Math.min(run.end * this.options.chunkBytes, object.bytes) - position
      load.signal.throwIfAborted()
      const content = await this.objectStore.getRange(object.key, position, bytes, { signal: load.signal })
      this.metrics.count('cache_miss_bytes', bytes)
      return content
    } finally {
      this.#loads.delete(load)
      // The slot goes straight to the next in the queue.
      const next = this.#queue.shift()
      if (next === undefined) this.#loadsInFlight -= 1
      else next()
    }
  }

  /** Of a run of several chunks each gets memory of its own: a view would keep all of them when one is evicted. */
  #chunkOf(bytes: Uint8Array, chunk: number, run: ChunkRun): Uint8Array {
    if (run.end - run.first === 1) return bytes
    const from = (chunk - run.first) * this.options.chunkBytes
    return bytes.slice(from, from + this.options.chunkBytes)
  }
}

/** The name of an object's chunk. */
export function chunkKey(objectKey: string, chunk: number): string {
  return `${objectKey}#${chunk}`
}

/** Copies what `content`, which starts at `contentPosition` of the object, has of the target; answers how much. */
function copyPart(content: Uint8Array, contentPosition: number, target: Uint8Array, position: number): number {
  const from = Math.max(position, contentPosition)
  const to = Math.min(position + target.byteLength, contentPosition + content.byteLength)
  target.set(content.subarray(from - contentPosition, to - contentPosition), from - position)
  return to - from
}
