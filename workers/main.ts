import { workerData } from 'node:worker_threads'
import { openObjectStore } from '../adapters/object-store/index.js'
import type { WorkerSettings, WorkerTask, WriteSegmentResult } from './messages.js'
import { OutputBuffers } from './output-buffers.js'
import { writeSegment } from './write-segment.js'

/** The entry of a Piscina worker: one object store and one set of buffers for all its tasks. */
const settings: WorkerSettings = workerData
const store = settings.objectStoreUrl === undefined ? undefined : openObjectStore(settings.objectStoreUrl)
const buffers = new OutputBuffers()

export default function run(task: WorkerTask): Promise<WriteSegmentResult> {
  return writeSegment(task.input, store, buffers)
}
