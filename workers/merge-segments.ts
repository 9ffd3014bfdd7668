import { isHeadraceError } from '../engine/errors.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import { type MergeInput, MergeInputError, type MergeOutput } from '../engine/ports/segment-merger.js'
import { KeyMerge, readKeys } from './key-merge.js'
import type { MergeSegmentsResult } from './messages.js'
import { SegmentMerge } from './segment-merge.js'

/**
 * Merges segments: streams the inputs' extents in output order through one `SegmentWriter` into an upload. What no extent
 * points at is not read, where it is large, and never written.
 */
export async function mergeSegments(
  input: MergeInput,
  store: ObjectStore,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MergeOutput> {
  const { keys } = input
  const merge =
    keys === undefined
      ? new SegmentMerge(input, store)
      : new KeyMerge(input, keys, await readKeys(input, keys, store), store)
  const put = await store.putStream(input.objectKey, merge.chunks(), options)
  return { ...merge.result(), putRequestCount: put.requestCount }
}

/** The task: failures as values, because errors lose their class between threads. */
export async function runMerge(input: MergeInput, store: ObjectStore): Promise<MergeSegmentsResult> {
  try {
    return { ok: true, output: await mergeSegments(input, store) }
  } catch (error) {
    if (error instanceof MergeInputError) return { ok: false, badObject: error.object, message: error.message }
    if (isHeadraceError(error)) return { ok: false, code: error.code, retry: error.retry, message: error.message }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ok: false, code: 'WORKER_FAILED', retry: 'safe', message }
  }
}
