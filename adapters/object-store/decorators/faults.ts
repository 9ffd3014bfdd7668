import { HeadraceError } from '../../../engine/errors.js'
import { type Clock, type Random, sleep } from '../../../engine/ports/clock.js'
import type {
  DeleteResult,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  ObjectTail,
  PutOptions,
  PutResult,
  RequestOptions,
} from '../../../engine/ports/object-store.js'
import { objectExists } from '../errors.js'
import type { ObjectStoreOperation } from './metrics.js'

/** What goes wrong with one call. Each is something stores and networks do. */
export type Fault =
  /** The request never reaches the store. */
  | { readonly kind: 'fail-before' }
  /** The store does it, and its answer is lost. */
  | { readonly kind: 'fail-after' }
  /** The store asks for patience and does nothing. */
  | { readonly kind: 'throttle' }
  /** It works, later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The connection breaks in the middle: half a body, half a listing, half of the keys deleted. */
  | { readonly kind: 'partial-body' }
  /** The store says that the key exists (412), whether it does or not. Meant for puts; others ignore it. */
  | { readonly kind: 'exists' }

export type FaultKind = Fault['kind']

/** Asked once per call of the store, in order; undefined lets the call through. */
export type NextFault = (operation: ObjectStoreOperation, key: string) => Fault | undefined

/** Plays `faults` one after the other on calls of the given operation, `undefined` meaning none; then nothing fails. */
export function scriptedFaults(script: Partial<Record<ObjectStoreOperation, (Fault | undefined)[]>>): NextFault {
  const left = new Map(Object.entries(script).map(([operation, faults]) => [operation, [...faults]]))
  return (operation) => left.get(operation)?.shift()
}

export interface FaultRates extends Partial<Record<FaultKind, number>> {
  /** Longest delay; the actual one is random. */
  readonly delayMsMax?: number
}

/** Draws faults at the given rates (0..1 each, together at most 1). The same random numbers give the same faults. */
export function randomFaults(random: Random, { delayMsMax = 10, ...rates }: FaultRates): NextFault {
  return () => {
    let drawn = random.fraction()
    for (const [kind, rate] of Object.entries(rates) as [FaultKind, number][]) {
      if (drawn < rate) return kind === 'delay' ? { kind, delayMs: random.fraction() * delayMsMax } : { kind }
      drawn -= rate
    }
    return undefined
  }
}

/** Lets calls of a store go wrong on purpose. For tests and simulations only. */
export class FaultyObjectStore implements ObjectStore {
  readonly location: string
  readonly #inner: ObjectStore
  readonly #next: NextFault
  readonly #clock: Clock

  constructor(inner: ObjectStore, next: NextFault, clock: Clock) {
    this.location = inner.location
    this.#inner = inner
    this.#next = next
    this.#clock = clock
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#run('put', key, () => this.#inner.put(key, body, options))
  }

  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult> {
    return this.#run(
      'put_stream',
      key,
      () => this.#inner.putStream(key, body, options),
      () => this.#inner.putStream(key, cutAfterFirst(body, 'put_stream', key), options),
    )
  }

  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array> {
    return this.#run('get_range', key, () => this.#inner.getRange(key, position, bytes, options))
  }

  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail> {
    return this.#run('get_tail', key, () => this.#inner.getTail(key, bytes, options))
  }

  head(key: string, options?: RequestOptions): Promise<ObjectInfo> {
    return this.#run('head', key, () => this.#inner.head(key, options))
  }

  async *list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    const fault = this.#next('list', prefix)
    if (fault?.kind === 'delay') await sleep(this.#clock, fault.delayMs)
    if (fault !== undefined && (fault.kind === 'fail-before' || fault.kind === 'throttle')) {
      throw failureOf(fault, 'list', prefix)
    }
    for await (const info of this.#inner.list(prefix, options)) {
      yield info
      if (fault?.kind === 'partial-body') throw failureOf(fault, 'list', prefix)
    }
    if (fault?.kind === 'fail-after') throw failureOf(fault, 'list', prefix)
  }

  async delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]> {
    const fault = this.#next('delete', keys[0] ?? '')
    if (fault === undefined || fault.kind === 'exists') return this.#inner.delete(keys, options)
    if (fault.kind === 'delay') {
      await sleep(this.#clock, fault.delayMs)
      return this.#inner.delete(keys, options)
    }
    const reachedCount = { 'fail-before': 0, throttle: 0, 'partial-body': keys.length >> 1, 'fail-after': keys.length }
    const done = await this.#inner.delete(keys.slice(0, reachedCount[fault.kind]), options)
    const known = fault.kind === 'fail-after' ? [] : done
    const error = failureOf(fault, 'delete', keys[0] ?? '')
    return [...known, ...keys.slice(known.length).map((key): DeleteResult => ({ key, deleted: false, error }))]
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  /** `partial`: the call with its body cut off; without it, nothing of the body counts. */
  async #run<T>(
    operation: ObjectStoreOperation,
    key: string,
    call: () => Promise<T>,
    partial?: () => Promise<T>,
  ): Promise<T> {
    const fault = this.#next(operation, key)
    if (fault === undefined) return call()
    switch (fault.kind) {
      case 'delay':
        await sleep(this.#clock, fault.delayMs)
        return call()
      case 'fail-after':
        await call()
        throw failureOf(fault, operation, key)
      case 'partial-body':
        if (partial) return partial()
        throw failureOf(fault, operation, key)
      case 'exists':
        if (operation !== 'put' && operation !== 'put_stream') return call()
        throw objectExists(this.location, key)
      default:
        throw failureOf(fault, operation, key)
    }
  }
}

/** Yields one chunk and breaks: a broken upload leaves nothing, whatever the reason. */
async function* cutAfterFirst(body: AsyncIterable<Uint8Array>, operation: ObjectStoreOperation, key: string) {
  for await (const chunk of body) {
    yield chunk
    break
  }
  throw failureOf({ kind: 'partial-body' }, operation, key)
}

const WRITES = new Set<ObjectStoreOperation>(['put', 'put_stream', 'delete'])

function failureOf(fault: Fault, operation: ObjectStoreOperation, key: string): HeadraceError {
  const text = `${operation} of ${key}: ${fault.kind} on purpose`
  if (fault.kind === 'throttle') return new HeadraceError('OBJECT_STORE_THROTTLED', 'safe', text)
  const lost = fault.kind !== 'fail-before' && WRITES.has(operation)
  return new HeadraceError('OBJECT_STORE_UNAVAILABLE', lost ? 'unknown' : 'safe', text)
}
