import { HeadraceError } from '../../engine/errors.js'
import type { RequestOptions } from '../../engine/ports/object-store.js'

export function objectNotFound(location: string, key: string, cause?: unknown): HeadraceError {
  return new HeadraceError('OBJECT_NOT_FOUND', 'never', `object ${key} does not exist in ${location}`, { cause })
}

export function objectExists(location: string, key: string, cause?: unknown): HeadraceError {
  const text = `object ${key} exists already in ${location}; objects are never overwritten`
  return new HeadraceError('OBJECT_EXISTS', 'never', text, { cause })
}

/** Refuses a range before anything is allocated for it. `objectBytes` undefined: the store did not say. */
export function rangeInvalid(key: string, position: number, bytes: number, objectBytes?: number): HeadraceError {
  const size = objectBytes === undefined ? 'its end' : `its ${objectBytes} bytes`
  const text = `range of ${bytes} bytes at position ${position} of object ${key} reaches beyond ${size}`
  return new HeadraceError('OBJECT_RANGE_INVALID', 'never', text)
}

/** Positions and sizes come from indexes that may be damaged: a fraction or a negative is refused like a range too far. */
export function checkRange(key: string, position: number, bytes: number, objectBytes?: number): void {
  const sane = Number.isSafeInteger(position) && Number.isSafeInteger(bytes) && position >= 0 && bytes >= 0
  if (!sane || (objectBytes !== undefined && position + bytes > objectBytes)) {
    throw rangeInvalid(key, position, bytes, objectBytes)
  }
}

export function checkTailBytes(key: string, bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw rangeInvalid(key, 0, bytes)
}

/** An abort rejects with the signal's own reason, so that the caller recognises its own doing. */
export function throwIfAborted(options: RequestOptions | undefined): void {
  options?.signal?.throwIfAborted()
}
