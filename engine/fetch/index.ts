/** The read path: what the composition root and the write path need of it. */

export { FETCH_LIMITS_DEFAULT, type FetchLimits, type FetchMemory, fetchLimitsFor } from './fetch-limits.js'
export { FetchTurns } from './fetch-turns.js'
export type { ExtentSink } from './known-extents.js'
export { type ClosableLogReader, createLogReader, type LogReaderOptions } from './log-reader.js'
export { inArena, type RecentSegment, RecentSegments, recentCopy } from './recent-segments.js'
export {
  type LogStartSink,
  type SeenWatermark,
  WatermarkBoard,
  type WatermarkBoardOptions,
  type WatermarkSink,
} from './watermarks.js'
