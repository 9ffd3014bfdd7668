import type { MemoryObjectStore } from '../../adapters/object-store/memory.js'
import { isHeadraceError } from '../../engine/errors.js'
import type {
  DeleteResult,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  ObjectTail,
  PutResult,
  RequestOptions,
} from '../../engine/ports/object-store.js'
import type { SegmentInput, SegmentOutput, SegmentUploader } from '../../engine/ports/segment-uploader.js'
import { segmentIdOfKey } from '../../engine/segment-identity.js'
import { encodeSegmentInput } from '../../workers/encode-segment.js'
import { type Life, storeFailure, type World } from './world.js'

const PUT_MS = 60
const GET_MS = 25

/** An agent's way to the shared objects: a network with latencies and faults before an endless memory store. */
export class SimulatedObjectStore implements ObjectStore {
  readonly location = 'memory://simulated'

  constructor(
    private readonly world: World,
    private readonly life: Life,
    private readonly objects: MemoryObjectStore,
  ) {}

  put(key: string, body: Uint8Array): Promise<PutResult> {
    // The caller may reuse its memory when it has an answer, and a lost request may still arrive after that.
    const bytes = body.slice()
    return this.#call('put', PUT_MS, () => this.objects.put(key, bytes))
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<PutResult> {
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk.slice())
    async function* again() {
      yield* chunks
    }
    return this.#call('putStream', PUT_MS, () => this.objects.putStream(key, again()))
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    options?.signal?.throwIfAborted()
    return this.#call('get', GET_MS, () => this.objects.getRange(key, position, bytes))
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    options?.signal?.throwIfAborted()
    return this.#call('getTail', GET_MS, () => this.objects.getTail(key, bytes))
  }

  head(key: string): Promise<ObjectInfo> {
    return this.#call('head', GET_MS, () => this.objects.head(key))
  }

  async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    yield* await this.#call('list', GET_MS, async () => {
      const page: ObjectInfo[] = []
      for await (const object of this.objects.list(prefix, options)) page.push(object)
      return page
    })
  }

  delete(keys: readonly string[]): Promise<DeleteResult[]> {
    return this.#call('delete', GET_MS, async () => {
      for (const key of keys) {
        const segmentId = segmentIdOfKey(key)
        const exists = await this.objects.head(key).catch(() => undefined)
        if (segmentId !== undefined && exists) this.world.history.add({ kind: 'object-deleted', segmentId })
      }
      return this.objects.delete(keys)
    })
  }

  async close(): Promise<void> {}

  #call<T>(name: string, usualMs: number, effect: () => Promise<T>): Promise<T> {
    return this.world.call(this.life, {
      name,
      usualMs,
      effect,
      failedBefore: () => storeFailure('before', `${name}: slow down`),
      failedAfter: () => storeFailure('after', `${name}: no answer`),
    })
  }
}

const ATTEMPTS_MAX = 3

/** The worker's work done inline: the real encoding of a segment, and its upload with bounded retries. */
export class InlineSegmentUploader implements SegmentUploader {
  constructor(
    private readonly world: World,
    private readonly store: ObjectStore,
  ) {}

  async upload(input: SegmentInput): Promise<SegmentOutput> {
    const chunks: Uint8Array[] = []
    const encoded = encodeSegmentInput(input, (bytes) => chunks.push(bytes.slice()))
    const times = { encodeMs: 0, uploadMs: 0 }
    if (encoded.objectBytes === 0) return { ...encoded, ...times, putRequestCount: 0 }
    const putRequestCount = await this.#put(input.objectKey, concatenate(chunks, encoded.objectBytes))
    return { ...encoded, ...times, putRequestCount }
  }

  async close(): Promise<void> {}

  async #put(key: string, body: Uint8Array): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.store.put(key, body)
        return attempt
      } catch (error) {
        // Only an attempt before this one can have made it: the key has this segment's id in it.
        if (attempt > 1 && isHeadraceError(error, 'OBJECT_EXISTS')) return attempt
        if (attempt === ATTEMPTS_MAX || !isHeadraceError(error) || error.retry === 'never') throw error
        await this.world.sleep(this.world.between(5, 20) * attempt)
      }
    }
  }
}

function concatenate(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const body = new Uint8Array(bytes)
  let position = 0
  for (const chunk of chunks) {
    body.set(chunk, position)
    position += chunk.byteLength
  }
  return body
}
