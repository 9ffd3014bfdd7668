import { performance } from 'node:perf_hooks'
import { isHeadraceError } from '../engine/errors.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import { BATCH_BYTES, BATCH_COLUMNS, type SegmentInput } from '../engine/ports/segment-uploader.js'
import { encodeSegmentSteps } from './encode-segment.js'
import type { EncodeTurns } from './encode-turns.js'
import type { WriteSegmentResult } from './messages.js'
import type { OutputBuffers } from './output-buffers.js'

/** A batch with a block and an index entry of its own, generously. */
const FORMAT_BYTES_PER_BATCH = 256
const FORMAT_BYTES_PER_SEGMENT = 4096

/**
 * The task of a segment: encode, then upload. While one segment's bytes travel the worker encodes the next, so this
 * runs several times at once; encodings take turns.
 */
export async function writeSegment(
  input: SegmentInput,
  store: ObjectStore | undefined,
  buffers: OutputBuffers,
  turns: EncodeTurns,
): Promise<WriteSegmentResult> {
  const buffer = buffers.take(expectedObjectBytes(input))
  let startedAtMs = 0
  try {
    const encoded = await turns.run(() => {
      startedAtMs = performance.now()
      return encodeSegmentSteps(input, (bytes) => buffer.append(bytes))
    })
    const encodedAtMs = performance.now()
    const uploads = store !== undefined && encoded.objectBytes > 0
    const put = uploads ? await store.put(input.objectKey, buffer.view()) : undefined
    return {
      ok: true,
      objectBytes: encoded.objectBytes,
      index: encoded.indexBytes,
      batchOrder: encoded.batchOrder,
      refusals: encoded.refusals,
      object: store === undefined ? buffer.view().slice() : undefined,
      putRequestCount: put?.requestCount ?? 0,
      encodeMs: encodedAtMs - startedAtMs,
      uploadMs: performance.now() - encodedAtMs,
    }
  } catch (error) {
    if (isHeadraceError(error)) return { ok: false, code: error.code, retry: error.retry, message: error.message }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ok: false, code: 'WORKER_FAILED', retry: 'safe', message }
  } finally {
    buffers.giveBack(buffer)
  }
}

/** What batches that do not compress come to, with what the format adds to them. Memory that is not written costs nothing. */
function expectedObjectBytes({ batches }: SegmentInput): number {
  let batchBytes = 0
  for (let row = 0; row < batches.length; row += BATCH_COLUMNS) batchBytes += batches[row + BATCH_BYTES]!
  const batchCount = batches.length / BATCH_COLUMNS
  return batchBytes + batchCount * FORMAT_BYTES_PER_BATCH + FORMAT_BYTES_PER_SEGMENT
}
