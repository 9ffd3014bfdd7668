import { workerData } from 'node:worker_threads'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { openObjectStore } from '../adapters/object-store/index.js'
import { EncodeTurns } from './encode-turns.js'
import { runMerge } from './merge-segments.js'
import type { WorkerSettings, WorkerTask, WriteSegmentResult } from './messages.js'
import { OutputBuffers } from './output-buffers.js'
import { writeSegment } from './write-segment.js'

/** The entry of a Piscina worker: one object store and one set of buffers for all its tasks. */
const settings: WorkerSettings = workerData
const { objectStoreUrl, uploadPartConcurrency: partConcurrency } = settings
const s3 = partConcurrency === undefined ? {} : { s3: { partConcurrency } }
const store = objectStoreUrl === undefined ? undefined : openObjectStore(objectStoreUrl, s3)
const buffers = new OutputBuffers()
const turns = new EncodeTurns()

export default async function run(task: WorkerTask): Promise<unknown> {
  if (task.kind === 'merge-segments') {
    if (store === undefined) throw new Error('merging needs a store that workers can reach')
    return runMerge(task.input, store)
  }
  const result = await writeSegment(task.input, store, buffers, turns)
  return result.ok && result.object !== undefined ? moved(result, result.object.buffer) : result
}

/** A result whose bytes change threads: copied there and back they took ten times as long as their encoding. */
function moved(result: WriteSegmentResult, bytes: ArrayBufferLike): unknown {
  const transferable = { [valueSymbol]: result, [transferableSymbol]: [bytes] }
  return move(transferable as unknown as Parameters<typeof move>[0])
}
