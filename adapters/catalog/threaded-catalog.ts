import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { HeadraceError } from '../../engine/errors.js'
import type { TopicId } from '../../engine/model.js'
import type { Catalog, CommitLimits, CommitSegment, SegmentOutcome, TopicConfigs } from '../../engine/ports/catalog.js'
import type { GroupClaim, StoredGroup } from '../../engine/ports/group-catalog.js'
import {
  CATALOG_METHODS,
  type CatalogMethod,
  type CatalogReply,
  type CatalogRequest,
  errorFrom,
} from './catalog-messages.js'
import type { CatalogThreadSettings } from './catalog-thread.js'
import { parseCatalogUrl } from './catalog-url.js'
import { type PackedOutcome, packSegments, unpackOutcomes } from './commit-messages.js'
import type { CatalogOptions } from './index.js'

/**
 * The catalog of `openCatalog` in a thread of its own, for whoever must not stand still: building and reading statements takes tens
 * of microseconds per partition, and SQLite's driver waits for the disk. A call costs two messages, some 0.1 ms
 * (docs/adr/0007-a-thread-for-the-catalog.md).
 *
 * Lifecycle: the thread runs from here to `close`. Should it end by itself, which is a bug, the process ends with it.
 * @throws CONFIG_INVALID
 */
export function openThreadedCatalog(url: string, options: CatalogOptions = {}): Catalog {
  const { location } = parseCatalogUrl(url)
  const thread = new CatalogThread({ url, options })
  const forwarded = CATALOG_METHODS.map((method) => [
    method,
    (...args: readonly unknown[]) => thread.call(method, args),
  ])
  return {
    ...(Object.fromEntries(forwarded) as unknown as Catalog),
    location,
    updateTopicConfigs: (topicId, update) => thread.updateTopicConfigs(topicId, update),
    commit: (segments, limits) => thread.commit(segments, limits),
    saveGroup: (claim, group) => thread.saveGroup(claim, group),
    close: () => thread.close(),
  }
}

type ConfigsUpdate = (configs: TopicConfigs) => TopicConfigs | Promise<TopicConfigs>

interface PendingCall {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The main thread's end. */
class CatalogThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, PendingCall>()
  readonly #updates = new Map<number, ConfigsUpdate>()
  #callCount = 0
  #closing: Promise<void> | undefined

  constructor(workerData: CatalogThreadSettings) {
    this.#worker = new Worker(new URL('./catalog-thread.js', import.meta.url), { workerData, name: 'catalog' })
    this.#worker.on('message', (reply: CatalogReply) => void this.#take(reply))
    // Nothing is known of calls under way, and nothing unacknowledged was promised: our bug stops the process.
    this.#worker.on('error', (error) => {
      throw error
    })
  }

  call(method: CatalogMethod, args: readonly unknown[]): Promise<unknown> {
    if (this.#closing !== undefined) return Promise.reject(closed())
    return this.#post(method, args)
  }

  /** What `update` throws goes straight to the caller; the thread only hears that it failed. */
  async updateTopicConfigs(
    topicId: TopicId,
    update: ConfigsUpdate,
  ): Promise<Awaited<ReturnType<Catalog['updateTopicConfigs']>>> {
    let failure: { readonly error: unknown } | undefined
    const call = this.#callCount
    this.#updates.set(call, async (configs) => {
      try {
        return await update(configs)
      } catch (error) {
        failure = { error }
        throw error
      }
    })
    try {
      return (await this.call('updateTopicConfigs', [topicId])) as Awaited<ReturnType<Catalog['updateTopicConfigs']>>
    } catch (error) {
      throw failure === undefined ? error : failure.error
    } finally {
      this.#updates.delete(call)
    }
  }

  async commit(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    const packed = await this.call('commit', [packSegments(segments), limits])
    return unpackOutcomes(packed as PackedOutcome[], segments)
  }

  /** A copy: the record may be a view of memory that others use. */
  async saveGroup(claim: GroupClaim, group: StoredGroup): Promise<void> {
    await this.call('saveGroup', [claim, { ...group, record: new Uint8Array(group.record) }])
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const exited = once(this.#worker, 'exit')
    try {
      await this.#post('close', [])
    } finally {
      await exited
      for (const { reject } of this.#pending.values()) reject(closed())
      this.#pending.clear()
    }
  }

  #post(method: CatalogMethod, args: readonly unknown[]): Promise<unknown> {
    const call = this.#callCount++
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { resolve, reject })
      this.#send({ kind: 'call', call, method, args })
    })
  }

  async #take(reply: CatalogReply): Promise<void> {
    const { call } = reply
    if (reply.kind === 'configs') {
      const configs = await Promise.resolve(reply.configs)
        .then(this.#updates.get(call))
        .catch(() => undefined)
      this.#send({ kind: 'configs', call, configs })
      return
    }
    const pending = this.#pending.get(call)
    this.#pending.delete(call)
    if (reply.kind === 'value') pending?.resolve(reply.value)
    else pending?.reject(errorFrom(reply.error))
  }

  #send(request: CatalogRequest): void {
    this.#worker.postMessage(request)
  }
}

function closed(): HeadraceError {
  return new HeadraceError('CATALOG_UNAVAILABLE', 'safe', 'this connection to the catalog has been closed')
}
