/**
 * The object store: immutable objects under string keys. One contract for S3, a directory and memory; the suite
 * `test/conformance/object-store.ts` is its executable form, and every adapter and decorator passes it.
 *
 * Errors are `HeadraceError`s: OBJECT_NOT_FOUND, OBJECT_EXISTS (create-only keys), OBJECT_RANGE_INVALID,
 * OBJECT_STORE_THROTTLED, OBJECT_STORE_TIMEOUT, OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_DENIED. Only the retry decorator
 * retries; an adapter tries once.
 *
 * Keys are components separated by single slashes, none empty or starting with a dot, without control characters, at
 * most 1024 UTF-8 bytes and 255 per component; no key is a folder of another (`a` beside `a/b`), which neither a
 * directory nor MinIO could hold. A key that breaks this is OBJECT_STORE_DENIED.
 */
export interface ObjectStore {
  /** Human-readable place, without credentials: `s3://bucket/prefix`, `file:///dir`, `memory://`. */
  readonly location: string

  /**
   * Creates `key` durably: when the promise resolves, the bytes survive the loss of this process (for `memory://`: of
   * nothing). Create-only: an existing key is OBJECT_EXISTS where the store can tell, whatever its content. Nobody ever
   * sees a part of the body. The caller keeps `body` unchanged until the promise settles; the store never writes to it.
   */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>

  /**
   * Streams an object of unknown size into `key` with bounded memory (multipart where the store has it). Same promise
   * as `put`; when `body` throws, nothing becomes visible and parts are aborted. The store has consumed a chunk before
   * it asks for the next one, and the caller may then reuse it.
   */
  putStream(key: string, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<PutResult>

  /**
   * Reads exactly `bytes` bytes at `position`. A range that ends beyond the object is OBJECT_RANGE_INVALID, never a
   * short answer. The returned bytes belong to the caller.
   */
  getRange(key: string, position: number, bytes: number, options?: RequestOptions): Promise<Uint8Array>

  /**
   * Reads the last `bytes` bytes of the object, or all of it when it is shorter, with the object's size: what a
   * tail-first reader needs, in one request.
   */
  getTail(key: string, bytes: number, options?: RequestOptions): Promise<ObjectTail>

  /** Size of the object in bytes and when the store says it was written (its clock). */
  head(key: string, options?: RequestOptions): Promise<ObjectInfo>

  /** All keys with `prefix`, in ascending byte order, lazily and in pages. Strongly consistent with finished puts. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>

  /**
   * Deletes keys; a missing key counts as deleted. Answers for each key whether its deletion is confirmed: a store
   * that throttles part of a bulk delete leaves `error` on those and the rest deleted. Never throws for single keys.
   */
  delete(keys: readonly string[], options?: RequestOptions): Promise<DeleteResult[]>

  /** Releases sockets and handles. Idempotent; no call may follow. */
  close(): Promise<void>
}

export interface RequestOptions {
  /** Aborts: the call rejects with the signal's reason, soon; a put may have had its effect by then. */
  readonly signal?: AbortSignal
}

export interface PutOptions extends RequestOptions {}

export interface ListOptions extends RequestOptions {
  /** Only keys strictly greater than this one. */
  readonly startAfter?: string
}

export interface PutResult {
  readonly bytes: number
  /** Requests the store charged for: 1 for a plain PUT; parts + 2 for multipart. */
  readonly requestCount: number
}

export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
  readonly lastModifiedMs: number
}

export interface ObjectTail {
  readonly objectBytes: number
  /** The last min(asked, objectBytes) bytes; they start at position objectBytes - tail.byteLength. */
  readonly tail: Uint8Array
}

export type DeleteResult =
  | { readonly key: string; readonly deleted: true }
  | { readonly key: string; readonly deleted: false; readonly error: Error }
