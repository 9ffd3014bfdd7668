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
import { checkRange, checkTailBytes, objectExists, objectNotFound, throwIfAborted } from './errors.js'
import { checkKey, compareKeys } from './keys.js'
import { abortable } from './streams.js'

interface StoredObject {
  readonly body: Uint8Array
  readonly lastModifiedMs: number
}

/** The objects of one `memory://` place; several stores may share it within one thread, never across threads. */
export type MemoryObjects = Map<string, StoredObject>

export interface MemoryStoreOptions {
  readonly location?: string
  readonly objects?: MemoryObjects
  readonly nowMs?: () => number
}

/** Keeps objects in this thread's heap. For tests, trials and simulations: durable for nothing. */
export class MemoryObjectStore implements ObjectStore {
  readonly location: string
  readonly #objects: MemoryObjects
  readonly #nowMs: () => number

  constructor(options: MemoryStoreOptions = {}) {
    this.location = options.location ?? 'memory://'
    this.#objects = options.objects ?? new Map()
    this.#nowMs = options.nowMs ?? Date.now
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    checkKey(key)
    throwIfAborted(options)
    // Copied, because the caller's arena is reused after the promise settled.
    return this.#publish(key, Uint8Array.from(body))
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    checkKey(key)
    const chunks: Uint8Array[] = []
    throwIfAborted(options)
    for await (const chunk of abortable(body, options?.signal)) {
      chunks.push(Uint8Array.from(chunk))
    }
    throwIfAborted(options)
    return this.#publish(key, concatenate(chunks))
  }

  async getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    throwIfAborted(options)
    const { body } = this.#find(key)
    checkRange(key, position, bytes, body.byteLength)
    return body.slice(position, position + bytes)
  }

  async getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    throwIfAborted(options)
    const { body } = this.#find(key)
    checkTailBytes(key, bytes)
    return { objectBytes: body.byteLength, tail: body.slice(Math.max(0, body.byteLength - bytes)) }
  }

  async head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    throwIfAborted(options)
    const { body, lastModifiedMs } = this.#find(key)
    return { key, bytes: body.byteLength, lastModifiedMs }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const { startAfter } = options
    const keys = [...this.#objects.keys()]
      .filter((key) => key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0))
      .sort(compareKeys)
    for (const key of keys) {
      throwIfAborted(options)
      const object = this.#objects.get(key)
      if (object) yield { key, bytes: object.body.byteLength, lastModifiedMs: object.lastModifiedMs }
    }
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    throwIfAborted(options)
    // A key no store accepts is missing from this one, hence deleted.
    return keys.map((key) => {
      this.#objects.delete(key)
      return { key, deleted: true }
    })
  }

  async close(): Promise<void> {}

  #publish(key: string, body: Uint8Array): PutResult {
    if (this.#objects.has(key)) throw objectExists(this.location, key)
    this.#objects.set(key, { body, lastModifiedMs: this.#nowMs() })
    return { bytes: body.byteLength, requestCount: 1 }
  }

  #find(key: string): StoredObject {
    checkKey(key)
    const object = this.#objects.get(key)
    if (!object) throw objectNotFound(this.location, key)
    return object
  }
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const body = new Uint8Array(chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0))
  let position = 0
  for (const chunk of chunks) {
    body.set(chunk, position)
    position += chunk.byteLength
  }
  return body
}
