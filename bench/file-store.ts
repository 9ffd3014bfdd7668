import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileObjectStore } from '../adapters/object-store/file.js'
import { type Measurement, mibPerS } from './measurement.js'

const OBJECT_BYTES = 4 * 1024 * 1024
const WRITER_COUNT = 4
const WINDOW_MS = 700
const WINDOW_COUNT = 3

/** What the disk takes, with nothing before it: no agent on it stores more bytes a second, however many are in flight. */
export async function benchmarkFileStore(): Promise<Measurement> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
  const store = new FileObjectStore(directory)
  const body = new Uint8Array(OBJECT_BYTES).fill(7)
  const values: number[] = []
  try {
    for (let window = 0; window < WINDOW_COUNT; window++) {
      const startedAtMs = performance.now()
      let objectCount = 0
      const write = async (writer: number) => {
        while (performance.now() - startedAtMs < WINDOW_MS) {
          await store.put(`${window}/${writer}-${objectCount++}`, body)
        }
      }
      await Promise.all(Array.from({ length: WRITER_COUNT }, (_, writer) => write(writer)))
      values.push(mibPerS(objectCount * OBJECT_BYTES, performance.now() - startedAtMs))
    }
  } finally {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  }
  const settings = `objects of ${OBJECT_BYTES / 2 ** 20} MiB, ${WRITER_COUNT} at a time, each synced with its folder`
  return { benchmark: 'agent', case: 'file store alone, no agent', unit: 'MiB/s', values, settings }
}
