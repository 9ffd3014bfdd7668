import type { Readable } from 'node:stream'
import { HeadraceError } from '../../engine/errors.js'

/** Which bytes of an object an answer carries. `first` and `bytes` describe the body, `objectBytes` the whole. */
export interface AnsweredRange {
  readonly first: number
  readonly bytes: number
  readonly objectBytes: number
}

const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/

/** Reads the headers of a GET. Without Content-Range the answer is the whole object. */
export function answeredRange(
  contentRange: string | undefined,
  contentLength: number | undefined,
): AnsweredRange | undefined {
  if (contentRange === undefined) {
    return contentLength === undefined ? undefined : { first: 0, bytes: contentLength, objectBytes: contentLength }
  }
  const [, first, last, objectBytes] = CONTENT_RANGE.exec(contentRange) ?? []
  if (first === undefined) return undefined
  return { first: Number(first), bytes: Number(last) - Number(first) + 1, objectBytes: Number(objectBytes) }
}

/**
 * Collects the first `bytes` of a body into memory of its own. A connection that breaks early must not pass for a
 * short object, so the length is verified here and never trusted to the stream's end. An abort closes the connection.
 */
export async function collect(body: Readable, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const collected = new Uint8Array(bytes)
  let position = 0
  const onAbort = () => body.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      const wanted = chunk.subarray(0, bytes - position)
      collected.set(wanted, position)
      position += wanted.byteLength
      if (wanted.byteLength < chunk.byteLength) break
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
  if (position === bytes) return collected
  const text = `the answer of the object store was cut off after ${position} of ${bytes} bytes`
  throw new HeadraceError('OBJECT_STORE_UNAVAILABLE', 'safe', text)
}
