import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openCatalog } from '../adapters/catalog/index.js'
import { FileObjectStore } from '../adapters/object-store/index.js'
import { systemClock } from '../adapters/system-clock.js'
import type { Catalog } from '../engine/ports/catalog.js'
import type { PutResult } from '../engine/ports/object-store.js'
import { encodeRecordBatch } from '../format/index.js'
import { commitSegment, LIMITS, plainBatch } from '../test/support/commit-segments.js'
import { openWritePath } from './write-path.js'

const TOPIC_ID = '6f1e0a52-5b1c-4a52-9a39-0d5c2c1f2b12'
/** Segments that exist; of later ones there is only what the catalog knows. */
export const READ_SEGMENT_COUNT = 100
const GROUP_SEGMENT_COUNT = 200
const IN_FLIGHT = 64
const ARENA_BYTES = 64 * 2 ** 20
const FLUSH_BYTES = 1_024

export interface SeededLog {
  readonly topic: string
  readonly firstTimestampMs: number
}

/**
 * A log of one partition in so many level-0 segments, each of one batch of one record a millisecond after the one before: written by
 * the real write path to the stores that an agent opens next, only without waiting for the disk. Beyond the first hundred they are
 * rows in the catalog, which is what grows: nobody reads them.
 */
export async function seedLog(directory: string, catalogUrl: string, segmentCount: number): Promise<SeededLog> {
  const log: SeededLog = { topic: 'seeded', firstTimestampMs: systemClock.nowMs() }
  const catalog = openCatalog(catalogUrl)
  await catalog.migrate()
  await catalog.createTopic({ topicId: TOPIC_ID, name: log.topic, partitionCount: 1, configs: {} })
  const writePath = openWritePath({
    catalog,
    objectStore: new UnsyncedFileStore(directory),
    workerCount: 1,
    uploadCountMax: IN_FLIGHT,
    flushBytes: FLUSH_BYTES,
    arenaBytes: ARENA_BYTES,
    recentBytes: 2 ** 20,
  })
  let next = 0
  const producer = async () => {
    while (next < Math.min(segmentCount, READ_SEGMENT_COUNT)) {
      // A batch of the flush limit fills its segment.
      const value = new Uint8Array(FLUSH_BYTES)
      const batch = encodeRecordBatch({ records: [{ timestampMs: log.firstTimestampMs + next++, value }] })
      const place = { topicId: TOPIC_ID, partition: 0, position: 0, bytes: batch.byteLength, zstdAllowed: true }
      const [result] = await (await writePath.intake.append({ chunks: [batch], batches: [place] })).results
      if (result?.ok === false) throw result.error
    }
  }
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, producer))
    await commitRest(catalog, log, segmentCount - READ_SEGMENT_COUNT)
    return log
  } finally {
    await writePath.close()
    await catalog.close()
  }
}

async function commitRest(catalog: Catalog, { firstTimestampMs }: SeededLog, segmentCount: number): Promise<void> {
  for (let first = 0; first < segmentCount; first += GROUP_SEGMENT_COUNT) {
    const group = Array.from({ length: Math.min(GROUP_SEGMENT_COUNT, segmentCount - first) }, (_, number) => {
      const batch = plainBatch(1, firstTimestampMs + READ_SEGMENT_COUNT + first + number)
      return commitSegment([{ topicId: TOPIC_ID, partition: 0, batches: [batch] }])
    })
    await catalog.commit(group, LIMITS)
  }
}

/** What is seeded is measured a moment later and thrown away. */
class UnsyncedFileStore extends FileObjectStore {
  readonly #directory: string

  constructor(directory: string) {
    super(directory)
    this.#directory = directory
  }

  override async put(key: string, body: Uint8Array): Promise<PutResult> {
    const file = join(this.#directory, key)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, body)
    return { bytes: body.byteLength, requestCount: 1 }
  }
}
