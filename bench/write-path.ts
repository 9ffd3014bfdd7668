import { systemClock, systemRandom } from '../adapters/system-clock.js'
import { PiscinaSegmentUploader } from '../adapters/worker-pool/piscina-segment-uploader.js'
import { RecentSegments } from '../engine/fetch/index.js'
import type { Catalog } from '../engine/ports/catalog.js'
import { NO_LOGGER } from '../engine/ports/logger.js'
import { NO_METRICS } from '../engine/ports/metrics.js'
import type { ObjectStore } from '../engine/ports/object-store.js'
import { createWritePath, type WritePath } from '../engine/write-path.js'

export interface WritePathOptions {
  /** Stays its opener's, who closes it after the write path. */
  readonly catalog: Catalog
  readonly objectStore: ObjectStore
  readonly workerCount: number
  /** Segments that may wait for the workers. */
  readonly uploadCountMax: number
  readonly flushBytes: number
  readonly arenaBytes: number
  readonly recentBytes: number
}

/** An agent's write path with its workers, and nothing else of the agent. `close` ends both. */
export function openWritePath(options: WritePathOptions): WritePath {
  const { catalog, objectStore, workerCount, uploadCountMax, flushBytes, arenaBytes, recentBytes } = options
  const uploader = new PiscinaSegmentUploader({
    objectStoreUrl: undefined,
    objectStore,
    workerCount,
    tasksPerWorker: 8,
    taskCountMax: uploadCountMax,
  })
  const writePath = createWritePath({
    catalog,
    uploader,
    clock: systemClock,
    random: systemRandom,
    metrics: NO_METRICS,
    logger: NO_LOGGER,
    flush: { flushBytes, flushIntervalMs: 10 },
    commit: { commitAgeMaxMs: 600_000, commitRetryMaxMs: 20_000 },
    arenaBytes,
    extents: { isWanted: false, committed() {} },
    watermarks: { advance() {} },
    recent: new RecentSegments(recentBytes),
    onTopicGone() {},
  })
  return {
    ...writePath,
    close: async () => {
      await writePath.close()
      await uploader.close()
    },
  }
}
