import { HeadraceError } from '../../engine/errors.js'
import { type S3Request, s3Error } from './s3-errors.js'

/**
 * One request to the store with a deadline that covers everything from the wait for a socket to the last byte of the
 * answer, and with its failure translated. The caller's own abort comes back as the caller's own reason.
 */
export async function request<T>(
  about: S3Request,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  // Not AbortSignal.any: in early Node 20 it leaks on a signal that outlives many requests.
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    controller.abort()
  }, timeoutMs)
  try {
    return await run(controller.signal)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (timedOut) throw timeoutError(about, timeoutMs, error)
    throw s3Error(about, error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function timeoutError(about: S3Request, timeoutMs: number, cause: unknown): HeadraceError {
  const doing = about.effect === 'read' ? 'reading' : 'writing'
  const text = `${doing} ${about.key} in ${about.location} took longer than ${timeoutMs} ms`
  return new HeadraceError('OBJECT_STORE_TIMEOUT', about.effect === 'read' ? 'safe' : 'unknown', text, { cause })
}
