import { CommitLane, type CommitLaneLimits } from './commit/commit-lane.js'
import { committedExtents } from './commit/committed-extents.js'
import { type ExtentSink, inArena, type RecentSegments, recentCopy, type WatermarkSink } from './fetch/index.js'
import { ArenaPool } from './intake/arena-pool.js'
import type { FlushLimits } from './intake/flush-policy.js'
import { SegmentIntake } from './intake/segment-intake.js'
import type { CommittedSegment } from './intake/segments.js'
import type { TopicId } from './model.js'
import type { Catalog } from './ports/catalog.js'
import type { Clock, Random } from './ports/clock.js'
import type { Logger } from './ports/logger.js'
import type { Metrics } from './ports/metrics.js'
import type { SegmentUploader } from './ports/segment-uploader.js'

/**
 * The write path put together: intake -> open segment -> uploader -> commit lane -> acknowledgement. Where it ends, the
 * read path learns of it: watermarks rise, and a topic that a commit found gone is forgotten.
 */
export interface WritePath {
  readonly intake: SegmentIntake
  /** Seals what is open, settles everything that was taken in, and refuses what comes after. */
  close(): Promise<void>
}

export interface WritePathOptions {
  readonly catalog: Catalog
  readonly uploader: SegmentUploader
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  readonly logger: Logger
  readonly flush: FlushLimits
  readonly commit: CommitLaneLimits
  /** Sum of all arenas at most. */
  readonly arenaBytes: number
  readonly extents: ExtentSink
  readonly watermarks: WatermarkSink
  readonly recent: RecentSegments
  readonly onTopicGone: (topicId: TopicId) => void
}

/** Segments up to this size are copied for the readers at the end of the log; for larger ones their arenas are kept. */
const RECENT_COPY_BYTES_MAX = 1024 * 1024

/** Batches one commit takes: what MySQL does in some tens of milliseconds. */
const GROUP_BATCH_COUNT_MAX = 10_000

export function createWritePath(options: WritePathOptions): WritePath {
  const { catalog, uploader, clock, random, metrics, logger, flush } = options
  const arenas = new ArenaPool({ arenaBytes: flush.flushBytes, budgetBytes: options.arenaBytes, metrics })
  const lane = new CommitLane({
    uploader,
    catalog,
    clock,
    random,
    metrics,
    logger,
    limits: options.commit,
    groupBatchCountMax: GROUP_BATCH_COUNT_MAX,
    onUploadSettled: () => intake.reconsider(),
    onCommitted: (segment) => announce(segment, options),
  })
  const intake = new SegmentIntake({
    arenas,
    flush,
    clock,
    random,
    uploads: () => lane.uploads,
    submit: (sealed) => lane.submit(sealed),
  })
  return {
    intake,
    close: async () => {
      intake.close()
      await lane.drain()
      arenas.close()
    },
  }
}

function announce(segment: CommittedSegment, options: WritePathOptions): void {
  if (!segment.outcome.committed) return
  remember(segment, options.recent)
  // Before the watermarks: who is woken looks for them.
  if (options.extents.isWanted) options.extents.committed(committedExtents(segment))
  const outcomes = segment.outcome.batches
  let number = 0
  for (const block of segment.uploaded.index.blocks) {
    let highWatermark = -1
    for (const batch of block.batches) {
      const outcome = outcomes[number++]
      if (outcome?.kind === 'accepted') highWatermark = outcome.baseOffset + batch.lastOffsetDelta + 1
      else if (outcome?.kind === 'duplicate') options.metrics.count('batches_duplicate', 1)
      else if (outcome?.code === 'PARTITION_UNKNOWN') options.onTopicGone(block.topicId)
    }
    if (highWatermark >= 0) options.watermarks.advance(block.topicId, block.partition, highWatermark)
  }
}

function remember(segment: CommittedSegment, recent: RecentSegments): void {
  const { sealed } = segment.uploaded
  recent.noteCommit()
  if (sealed.bytes <= RECENT_COPY_BYTES_MAX) {
    recent.remember(recentCopy(segment))
    return
  }
  if (!recent.isWanted) return
  recent.remember(inArena(segment))
  sealed.arena.keep(() => recent.forget(sealed.segmentId))
}
